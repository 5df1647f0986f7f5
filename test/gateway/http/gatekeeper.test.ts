import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { type AdminAccount, ConfiguredAdmin } from '../../../gateway/http/admin-account.ts';
import { Gatekeeper, type GatekeeperConfig } from '../../../gateway/http/gatekeeper.ts';
import { HashingBusyError } from '../../../gateway/http/password-hash.ts';
import type { Access } from '../../../gateway/http/route.ts';
import { collectingLog } from '../../support/reporting.ts';

const ADMIN = new ConfiguredAdmin('admin', 'pä:ss');
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const RIGHT = basic('admin:pä:ss');

function keeper(config: Partial<GatekeeperConfig> = {}) {
  const clock = { ms: 0 };
  const { log, lines } = collectingLog();
  const gatekeeper = new Gatekeeper(
    { admin: ADMIN, play: undefined, log, ...config },
    () => clock.ms,
  );
  const ask = async (
    access: Access,
    {
      authorization = undefined as string | undefined,
      host = 'gate.example',
      query = '',
      from = '10.0.0.1',
    } = {},
  ) => {
    const headers = { host, ...(authorization === undefined ? {} : { authorization }) };
    // All that is looked at.
    const request = { headers, socket: { remoteAddress: from } } as unknown as IncomingMessage;
    const admission = await gatekeeper.admit(access, request, new URLSearchParams(query));
    return 'refusal' in admission ? admission.refusal : undefined;
  };
  /** What a request with these headers is asked for. */
  const headers = async (own: Record<string, string>) => {
    const request = { headers: own, socket: {} } as unknown as IncomingMessage;
    const admission = await gatekeeper.admit('admin', request, new URLSearchParams());
    return 'refusal' in admission ? (admission.refusal.headers?.['www-authenticate'] ?? '') : '';
  };
  return { ask, clock, lines, headers };
}

describe('with an administrator', () => {
  it('everybody may ask how it is, the administrator all, others nothing', async () => {
    const { ask } = keeper();
    assert.equal(await ask('everybody'), undefined);
    for (const access of ['admin', 'viewer'] as const) {
      assert.equal(await ask(access, { authorization: RIGHT }), undefined);
      const refusal = await ask(access);
      assert.equal(refusal?.status, 401);
      assert.match(refusal?.headers?.['www-authenticate'] ?? '', /^Basic realm="Sluice"/);
    }
  });

  const wrong = [
    ['another password', basic('admin:x')],
    ['another name', basic('root:pä:ss')],
    ['nothing but a colon', basic(':')],
    ['no colon', basic('admin')],
    ['no Base64', 'Basic ***'],
    ['the password as a token', 'Bearer pä:ss'],
  ] as const;
  for (const [name, authorization] of wrong) {
    it(`${name}: 401`, async () => {
      const { ask } = keeper();
      assert.equal((await ask('admin', { authorization }))?.status, 401);
      assert.equal((await ask('viewer', { authorization }))?.status, 401);
    });
  }

  it('what is no login at all is none, and is not counted', async () => {
    const { ask } = keeper();
    for (let count = 0; count < 20; count += 1) {
      assert.equal((await ask('admin', { authorization: 'Negotiate abc' }))?.status, 401);
      assert.equal((await ask('admin'))?.status, 401);
    }
    assert.equal(await ask('admin', { authorization: RIGHT }), undefined);
  });

  it('who guesses ten times has to wait a minute; others do not', async () => {
    const { ask, clock } = keeper();
    const guess = { authorization: basic('admin:guess') };
    for (let count = 0; count < 10; count += 1)
      assert.equal((await ask('admin', guess))?.status, 401);
    const blocked = await ask('viewer', { authorization: RIGHT });
    assert.equal(blocked?.status, 429);
    assert.equal(blocked?.headers?.['retry-after'], '60');
    assert.equal(await ask('everybody'), undefined);
    assert.equal(await ask('admin', { authorization: RIGHT, from: '10.0.0.2' }), undefined);
    clock.ms += 60_000;
    assert.equal(await ask('admin', { authorization: RIGHT }), undefined);
  });

  it('one IPv6 network guesses as one', async () => {
    const { ask } = keeper();
    const authorization = basic('admin:guess');
    for (let n = 0; n < 10; n += 1)
      await ask('admin', { authorization, from: `2001:db8:0:1::${n}` });
    assert.equal(
      (await ask('admin', { authorization: RIGHT, from: '2001:db8:0:1::99' }))?.status,
      429,
    );
    assert.equal(await ask('admin', { authorization: RIGHT, from: '2001:db8:0:2::99' }), undefined);
  });
});

describe('viewers', () => {
  it('a token: in the query, as Bearer; the administrator’s login, too; for the API it is nothing', async () => {
    const { ask } = keeper({ play: { token: 's3cret' } });
    assert.equal(await ask('viewer', { query: '?token=s3cret' }), undefined);
    assert.equal(await ask('viewer', { authorization: 'Bearer s3cret' }), undefined);
    assert.equal(await ask('viewer', { authorization: RIGHT }), undefined);
    assert.equal((await ask('viewer', { query: '?token=s3cre' }))?.status, 401);
    assert.equal((await ask('viewer', { query: '?token=' }))?.status, 401);
    assert.match((await ask('viewer'))?.headers?.['www-authenticate'] ?? '', /^Bearer/);
    assert.equal((await ask('admin', { query: '?token=s3cret' }))?.status, 401);
    assert.equal((await ask('admin', { authorization: 'Bearer s3cret' }))?.status, 401);
  });

  it('a password', async () => {
    const { ask } = keeper({ play: { username: 'v', password: 'vp' } });
    assert.equal(await ask('viewer', { authorization: basic('v:vp') }), undefined);
    assert.equal((await ask('admin', { authorization: basic('v:vp') }))?.status, 401);
    assert.match((await ask('viewer'))?.headers?.['www-authenticate'] ?? '', /^Basic/);
  });

  it('open: everybody', async () => {
    const { ask } = keeper({ play: 'open' });
    assert.equal(await ask('viewer'), undefined);
    assert.equal((await ask('admin'))?.status, 401);
  });
});

describe('on this machine only', () => {
  it('no login, but no foreign name either', async () => {
    const { ask } = keeper({ admin: undefined });
    for (const access of ['everybody', 'admin', 'viewer'] as const) {
      assert.equal(await ask(access, { host: 'localhost:8080' }), undefined);
      assert.equal((await ask(access, { host: 'evil.example' }))?.status, 403);
    }
  });

  it('viewers may be asked for a token all the same, under any name', async () => {
    const { ask } = keeper({ admin: undefined, play: { token: 't0ken' } });
    assert.equal(await ask('viewer', { query: '?token=t0ken' }), undefined);
    assert.equal((await ask('viewer', { host: 'localhost' }))?.status, 401);
    assert.equal(await ask('admin', { host: 'localhost' }), undefined);
    assert.equal((await ask('admin'))?.status, 403);
  });
});

describe('programs with a token of their own', () => {
  const READS = 'a-token-that-reads-1';
  const COMMANDS = 'a-token-that-commands';
  const tokens = [
    { name: 'prometheus', token: READS, access: 'read' },
    { name: 'automation', token: COMMANDS, access: 'admin' },
  ] as const;
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it('read: the API and streams, but no commands', async () => {
    const { ask } = keeper({ tokens: [...tokens] });
    assert.equal(await ask('reader', bearer(READS)), undefined);
    assert.equal(await ask('viewer', bearer(READS)), undefined);
    const refusal = await ask('admin', bearer(READS));
    assert.equal(refusal?.status, 403);
    assert.match(JSON.stringify(refusal?.body), /"read-only"/);
  });

  it('admin: everything', async () => {
    const { ask } = keeper({ tokens: [...tokens] });
    for (const access of ['admin', 'reader', 'viewer'] as const) {
      assert.equal(await ask(access, bearer(COMMANDS)), undefined);
    }
  });

  it('others are refused, and counted', async () => {
    const { ask, lines } = keeper({ tokens: [...tokens] });
    for (let count = 0; count < 10; count += 1) {
      assert.equal((await ask('reader', bearer(READS.slice(0, count + 1))))?.status, 401);
    }
    assert.equal((await ask('reader', bearer(READS)))?.status, 429);
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.['address'], '10.0.0.1');
    assert.doesNotMatch(JSON.stringify(lines), /a-token/);
  });

  it('in the query they are for players only', async () => {
    const { ask } = keeper({ tokens: [...tokens] });
    assert.equal(await ask('viewer', { query: `?token=${READS}` }), undefined);
    assert.equal((await ask('reader', { query: `?token=${READS}` }))?.status, 401);
  });
});

describe('a password that takes time to check', () => {
  function slowKeeper() {
    const waiting: ((isRight: boolean) => void)[] = [];
    const known = new Set<string>();
    const admin: AdminAccount = {
      username: 'admin',
      mustSetPassword: false,
      canSetPassword: true,
      isKnown: (_, password) => known.has(password),
      isRight: (_, password) =>
        new Promise((resolve) => {
          waiting.push((isRight) => {
            if (isRight) known.add(password);
            resolve(isRight);
          });
        }),
      setPassword: () => Promise.resolve(),
    };
    return { ...keeper({ admin }), waiting };
  }

  it('is checked once; three of an address at a time', async () => {
    const { ask, waiting } = slowKeeper();
    const asked = [1, 2, 3].map((n) => ask('admin', { authorization: basic(`admin:${n}`) }));
    const fourth = await ask('admin', { authorization: basic('admin:4') });
    assert.equal(fourth?.status, 503);
    assert.equal(fourth?.headers?.['retry-after'], '2');
    const elsewhere = ask('admin', { authorization: basic('admin:5'), from: '10.0.0.7' });
    assert.equal(waiting.length, 4);
    waiting[0]?.(true);
    for (const done of waiting.slice(1)) done(false);
    assert.deepEqual(
      (await Promise.all([...asked, elsewhere])).map((refusal) => refusal?.status),
      [undefined, 401, 401, 401],
    );
    assert.equal(await ask('admin', { authorization: basic('admin:1') }), undefined);
    assert.equal(waiting.length, 4);
  });

  it('what goes wrong there is no login', async () => {
    const { ask } = keeper({
      admin: Object.assign(new ConfiguredAdmin('admin', 'x'), {
        isRight: () => Promise.reject(new HashingBusyError('full')),
      }),
    });
    assert.equal((await ask('admin', { authorization: basic('admin:y') }))?.status, 503);
  });
});

describe('how a login is asked for', () => {
  it('in the browser’s own window where somebody opens a page, not where a script of ours asks', async () => {
    const { headers } = keeper();
    const chrome = { 'user-agent': 'Mozilla/5.0' };
    for (const [own, scheme] of [
      [{}, /^Basic/],
      [{ 'user-agent': 'curl/8' }, /^Basic/],
      [{ ...chrome, accept: 'text/html,*/*;q=0.8' }, /^Basic/],
      [{ 'sec-fetch-mode': 'navigate' }, /^Basic/],
      [{ ...chrome, accept: '*/*' }, /^Session/],
      [{ 'sec-fetch-mode': 'cors', accept: 'text/html' }, /^Session/],
    ] as const) {
      assert.match(await headers(own), scheme);
    }
  });
});
