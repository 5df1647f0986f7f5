import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { Gatekeeper, type GatekeeperConfig } from '../../../gateway/http/gatekeeper.ts';
import type { Access } from '../../../gateway/http/route.ts';

const ADMIN = { username: 'admin', password: 'pä:ss' };
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const RIGHT = basic('admin:pä:ss');

function keeper(config: Partial<GatekeeperConfig> = {}) {
  const clock = { ms: 0 };
  const gatekeeper = new Gatekeeper({ admin: ADMIN, play: undefined, ...config }, () => clock.ms);
  const ask = (
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
    return gatekeeper.refusal(access, request, new URLSearchParams(query));
  };
  return { ask, clock };
}

describe('with an administrator', () => {
  it('everybody may ask how it is, the administrator all, others nothing', () => {
    const { ask } = keeper();
    assert.equal(ask('everybody'), undefined);
    for (const access of ['admin', 'viewer'] as const) {
      assert.equal(ask(access, { authorization: RIGHT }), undefined);
      const refusal = ask(access);
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
    it(`${name}: 401`, () => {
      const { ask } = keeper();
      assert.equal(ask('admin', { authorization })?.status, 401);
      assert.equal(ask('viewer', { authorization })?.status, 401);
    });
  }

  it('what is no login at all is none, and is not counted', () => {
    const { ask } = keeper();
    for (let count = 0; count < 20; count += 1) {
      assert.equal(ask('admin', { authorization: 'Negotiate abc' })?.status, 401);
      assert.equal(ask('admin')?.status, 401);
    }
    assert.equal(ask('admin', { authorization: RIGHT }), undefined);
  });

  it('who guesses ten times has to wait a minute; others do not', () => {
    const { ask, clock } = keeper();
    const guess = { authorization: basic('admin:guess') };
    for (let count = 0; count < 10; count += 1) assert.equal(ask('admin', guess)?.status, 401);
    const blocked = ask('viewer', { authorization: RIGHT });
    assert.equal(blocked?.status, 429);
    assert.equal(blocked?.headers?.['retry-after'], '60');
    assert.equal(ask('everybody'), undefined);
    assert.equal(ask('admin', { authorization: RIGHT, from: '10.0.0.2' }), undefined);
    clock.ms += 60_000;
    assert.equal(ask('admin', { authorization: RIGHT }), undefined);
  });

  it('one IPv6 network guesses as one', () => {
    const { ask } = keeper();
    const authorization = basic('admin:guess');
    for (let n = 0; n < 10; n += 1) ask('admin', { authorization, from: `2001:db8:0:1::${n}` });
    assert.equal(ask('admin', { authorization: RIGHT, from: '2001:db8:0:1::99' })?.status, 429);
    assert.equal(ask('admin', { authorization: RIGHT, from: '2001:db8:0:2::99' }), undefined);
  });
});

describe('viewers', () => {
  it('a token: in the query, as Bearer; the administrator’s login, too; for the API it is nothing', () => {
    const { ask } = keeper({ play: { token: 's3cret' } });
    assert.equal(ask('viewer', { query: '?token=s3cret' }), undefined);
    assert.equal(ask('viewer', { authorization: 'Bearer s3cret' }), undefined);
    assert.equal(ask('viewer', { authorization: RIGHT }), undefined);
    assert.equal(ask('viewer', { query: '?token=s3cre' })?.status, 401);
    assert.equal(ask('viewer', { query: '?token=' })?.status, 401);
    assert.match(ask('viewer')?.headers?.['www-authenticate'] ?? '', /^Bearer/);
    assert.equal(ask('admin', { query: '?token=s3cret' })?.status, 401);
    assert.equal(ask('admin', { authorization: 'Bearer s3cret' })?.status, 401);
  });

  it('a password', () => {
    const { ask } = keeper({ play: { username: 'v', password: 'vp' } });
    assert.equal(ask('viewer', { authorization: basic('v:vp') }), undefined);
    assert.equal(ask('admin', { authorization: basic('v:vp') })?.status, 401);
    assert.match(ask('viewer')?.headers?.['www-authenticate'] ?? '', /^Basic/);
  });

  it('open: everybody', () => {
    const { ask } = keeper({ play: 'open' });
    assert.equal(ask('viewer'), undefined);
    assert.equal(ask('admin')?.status, 401);
  });
});

describe('on this machine only', () => {
  it('no login, but no foreign name either', () => {
    const { ask } = keeper({ admin: undefined });
    for (const access of ['everybody', 'admin', 'viewer'] as const) {
      assert.equal(ask(access, { host: 'localhost:8080' }), undefined);
      assert.equal(ask(access, { host: 'evil.example' })?.status, 403);
    }
  });

  it('viewers may be asked for a token all the same, under any name', () => {
    const { ask } = keeper({ admin: undefined, play: { token: 't0ken' } });
    assert.equal(ask('viewer', { query: '?token=t0ken' }), undefined);
    assert.equal(ask('viewer', { host: 'localhost' })?.status, 401);
    assert.equal(ask('admin', { host: 'localhost' }), undefined);
    assert.equal(ask('admin')?.status, 403);
  });
});
