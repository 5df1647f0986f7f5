/** Logging in and out through the whole server; the password is a real hash, kept nowhere. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { KeptAdmin } from '../../../gateway/http/admin-account.ts';
import { sendAnswer } from '../../../gateway/http/answer.ts';
import { HttpServer, type HttpServerContext } from '../../../gateway/http/http-server.ts';
import { type PasswordHash, PasswordHashing } from '../../../gateway/http/password-hash.ts';
import type { Route } from '../../../gateway/http/route.ts';
import { collectingLog } from '../../support/reporting.ts';

const PASSWORD = 'made-at-the-first-start';
const OWN = 'three unrelated words';
const JSON_TYPE = { 'content-type': 'application/json' };

const sockets = new WebSocketServer({ noServer: true });
const routes: readonly Route[] = [
  {
    path: /^\/api$/,
    access: 'reader',
    handle: ({ response }) => sendAnswer(response, { status: 200, body: {} }),
  },
  {
    path: /^\/cmd$/,
    access: 'admin',
    maxBodyBytes: 100,
    handle: ({ response }) => sendAnswer(response, { status: 200, body: {} }),
  },
  {
    path: /^\/mqtt$/,
    access: 'admin',
    handle: ({ response }) => sendAnswer(response, { status: 426, body: {} }),
    upgrade: ({ request, socket, head }) =>
      sockets.handleUpgrade(request, socket, head, () => undefined),
  },
];

describe('logging in', () => {
  const hashing = new PasswordHashing();
  let made: PasswordHash;
  let server: HttpServer;
  let keep: () => Promise<void>;
  const { log, lines } = collectingLog();
  const tokens = [{ name: 'reads', token: 'a-token-that-reads-1', access: 'read' as const }];

  before(async () => {
    made = await hashing.hash(PASSWORD);
  });
  beforeEach(async () => {
    await server?.stop();
    keep = () => Promise.resolve();
    await serve({
      admin: new KeptAdmin({ username: 'admin', isMade: true, hash: made }, hashing, () => keep()),
    });
    lines.length = 0;
  });
  after(() => server.stop());

  async function serve(context: Partial<HttpServerContext>): Promise<void> {
    server = new HttpServer({
      ...{ listen: '127.0.0.1:0', limits: { viewers: 9, viewersPerAddress: 9 }, play: undefined },
      ...{ admin: undefined, cors: [], routes, log, tokens, ...context },
    });
    await server.start();
  }

  const origin = () => `http://127.0.0.1:${server.port!}`;

  async function ask(
    method: string,
    path: string,
    body: unknown = undefined,
    headers: Record<string, string> = {},
  ) {
    const request = httpRequest({
      ...{ port: server.port!, host: '127.0.0.1', method, path, agent: false },
      headers: { ...(body === undefined ? {} : JSON_TYPE), ...headers },
    });
    request.end(typeof body === 'string' ? body : JSON.stringify(body));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += chunk;
    const cookie = response.headers['set-cookie']?.[0] ?? '';
    return {
      status: response.statusCode,
      headers: response.headers,
      cookie,
      /** As a browser sends it back. */
      pair: cookie.split(';')[0] ?? '',
      body: JSON.parse(text) as Record<string, unknown>,
      code: (JSON.parse(text) as { error?: { code?: string } }).error?.code,
    };
  }

  const logIn = (password = PASSWORD, headers: Record<string, string> = {}) =>
    ask('POST', '/api/v1/login', { username: 'admin', password }, headers);
  const session = (cookie: string) => ask('GET', '/api/v1/session', undefined, { cookie });
  const setPassword = (body: unknown, headers: Record<string, string>) =>
    ask('POST', '/api/v1/password', body, headers);

  async function openSocket(headers: Record<string, string>) {
    const socket = new WebSocket(`${origin().replace('http', 'ws')}/mqtt`, {
      headers: { origin: origin(), ...headers },
    });
    const outcome = await once(socket, 'open').then(() => 'open', String);
    socket.on('error', () => undefined);
    return { socket, outcome };
  }

  it('strangers are told that a login is needed, and no name', async () => {
    const { status, body } = await session('');
    assert.equal(status, 200);
    assert.deepEqual(body, {
      access: 'none',
      loginNeeded: true,
      mustSetPassword: false,
      canSetPassword: false,
      username: null,
    });
  });

  const noLogins: readonly [string, unknown][] = [
    ['no JSON', '{'],
    ['null', null],
    ['a list', ['admin', PASSWORD]],
    ['no password', { username: 'admin' }],
    ['a number', { username: 'admin', password: 7 }],
    ['a text without end', { username: 'admin', password: 'x'.repeat(513) }],
  ];
  for (const [name, body] of noLogins) {
    it(`${name} is no login: 400, and not counted`, async () => {
      const { status, code } = await ask('POST', '/api/v1/login', body);
      assert.equal(status, 400);
      assert.equal(code, 'bad-request');
      assert.equal(lines.length, 0);
    });
  }

  it('a wrong name and a wrong password are the same answer after the same time', async () => {
    const timed = async (username: string, password: string) => {
      const sinceMs = performance.now();
      const { status, code, headers, cookie } = await ask('POST', '/api/v1/login', {
        username,
        password,
      });
      assert.deepEqual([status, code, cookie], [401, 'wrong-login', '']);
      assert.doesNotMatch(String(headers['www-authenticate']), /Basic/);
      return performance.now() - sinceMs;
    };
    const name = await timed('root', PASSWORD);
    const password = await timed('admin', 'wrong');
    // Both have hashed; without it is 1 ms.
    assert.ok(Math.min(name, password) > 5, `${name} ${password}`);
  });

  it('ten wrong ones: 429 for the right one, too; who is logged in does not notice', async () => {
    const { pair } = await logIn();
    for (let count = 0; count < 10; count += 1) assert.equal((await logIn('wrong')).status, 401);
    const { status, code, headers } = await logIn();
    assert.equal(status, 429);
    assert.equal(code, 'too-many-attempts');
    assert.match(String(headers['retry-after']), /^\d+$/);
    assert.equal((await ask('GET', '/api', undefined, { cookie: pair })).status, 200);
    assert.equal(lines.length, 1);
    assert.doesNotMatch(JSON.stringify(lines), /wrong"|made-at/);
  });

  it('the right one: a cookie that no script reads, and the whole API with it', async () => {
    const { status, body, cookie, pair } = await logIn();
    assert.equal(status, 200);
    assert.match(cookie, /^sluice-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=/);
    assert.deepEqual(body, {
      access: 'admin',
      loginNeeded: false,
      mustSetPassword: true,
      canSetPassword: true,
      username: 'admin',
    });
    assert.deepEqual((await session(pair)).body, body);
    assert.equal((await ask('GET', '/api', undefined, { cookie: pair })).status, 200);
    assert.equal((await ask('POST', '/cmd', {}, { cookie: pair })).status, 200);
    assert.equal((await ask('GET', '/api')).status, 401);
    assert.equal((await ask('GET', '/nothing', undefined, { cookie: pair })).status, 404);
  });

  it('logging in again ends the session before; logging out ends it with its sockets', async () => {
    const first = (await logIn()).pair;
    const { pair } = await logIn(PASSWORD, { cookie: first });
    assert.equal((await session(first)).body['access'], 'none');
    const { socket, outcome } = await openSocket({ cookie: pair });
    assert.equal(outcome, 'open');
    const closed = once(socket, 'close');
    const { status, cookie, body } = await ask('POST', '/api/v1/logout', {}, { cookie: pair });
    assert.equal(status, 200);
    assert.match(cookie, /Max-Age=0/);
    assert.equal(body['access'], 'none');
    await closed;
    assert.equal((await session(pair)).body['access'], 'none');
  });

  it('a password of one’s own ends all other sessions, their sockets, and those of the old password', async () => {
    const mine = (await logIn()).pair;
    const other = (await logIn()).pair;
    const basic = { authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}` };
    const token = { authorization: 'Bearer a-token-that-reads-1' };
    const [kept, ended, ofPassword] = [
      await openSocket({ cookie: mine }),
      await openSocket({ cookie: other }),
      await openSocket(basic),
    ];
    const closed = Promise.all([once(ended.socket, 'close'), once(ofPassword.socket, 'close')]);
    const { status, body, pair } = await setPassword(
      { current: PASSWORD, password: OWN },
      { cookie: mine },
    );
    assert.equal(status, 200);
    assert.equal(body['mustSetPassword'], false);
    await closed;
    assert.equal(kept.socket.readyState, WebSocket.OPEN);
    for (const cookie of [mine, other])
      assert.equal((await session(cookie)).body['access'], 'none');
    assert.equal((await session(pair)).body['access'], 'admin');
    assert.equal((await ask('GET', '/api', undefined, basic)).status, 401);
    assert.equal((await ask('GET', '/api', undefined, token)).status, 200);
    assert.equal((await logIn()).status, 401);
    assert.equal((await logIn(OWN)).status, 200);
    kept.socket.terminate();
  });

  it('who does not know the present one, or is nobody, sets none', async () => {
    const { pair } = await logIn();
    const wish = { current: PASSWORD, password: OWN };
    assert.equal((await setPassword(wish, {})).status, 401);
    const reads = { authorization: 'Bearer a-token-that-reads-1' };
    assert.equal((await setPassword(wish, reads)).status, 403);
    const wrong = await setPassword({ ...wish, current: 'wrong' }, { cookie: pair });
    assert.deepEqual([wrong.status, wrong.code], [401, 'wrong-login']);
    const weak = await setPassword({ ...wish, password: 'short' }, { cookie: pair });
    assert.deepEqual([weak.status, weak.code], [400, 'weak-password']);
    const none = await setPassword({ password: OWN }, { cookie: pair });
    assert.deepEqual([none.status, none.code], [400, 'bad-request']);
    assert.equal((await session(pair)).body['mustSetPassword'], true);
  });

  it('it cannot be kept: the old one holds, and so do the sessions', async () => {
    keep = () => Promise.reject(new Error('EROFS'));
    const { pair } = await logIn();
    const { status, code } = await setPassword(
      { current: PASSWORD, password: OWN },
      { cookie: pair },
    );
    assert.deepEqual([status, code], [500, 'cannot-keep']);
    assert.equal((await session(pair)).body['mustSetPassword'], true);
    assert.equal((await logIn(OWN)).status, 401);
    assert.ok(lines.some(({ msg }) => String(msg).startsWith('cannot write to dataDir')));
  });

  it('pages of other sites log nobody in or out, and send no command', async () => {
    const { pair } = await logIn();
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${server.port! + 1}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: origin() },
    ];
    for (const headers of foreign) {
      for (const path of ['/api/v1/login', '/api/v1/logout', '/api/v1/password', '/cmd']) {
        const { status, code } = await ask('POST', path, {}, { ...headers, cookie: pair });
        assert.deepEqual([status, code], [403, 'forbidden-origin'], path);
      }
    }
    const form = { 'content-type': 'text/plain', cookie: pair };
    assert.equal((await ask('POST', '/api/v1/logout', '{}', form)).status, 415);
    const own = [
      { origin: origin() },
      { 'sec-fetch-site': 'same-origin' },
      // Behind a proxy that does not pass Host on.
      { 'sec-fetch-site': 'same-origin', origin: 'https://gate.example' },
    ];
    for (const headers of own) {
      assert.equal((await ask('POST', '/cmd', {}, { ...headers, cookie: pair })).status, 200);
    }
  });

  it('a WebSocket for the administrator is for our own page, though all origins are listed', async () => {
    await server.stop();
    await serve({ cors: ['*', 'https://page.example'] });
    for (const foreign of ['https://page.example', 'null']) {
      assert.match((await openSocket({ origin: foreign })).outcome, /403/);
    }
    const own = await openSocket({});
    assert.equal(own.outcome, 'open');
    own.socket.terminate();
  });

  it('on this machine: no login, nothing to set', async () => {
    await server.stop();
    await serve({});
    const { body } = await session('');
    assert.deepEqual(body, {
      access: 'admin',
      loginNeeded: false,
      mustSetPassword: false,
      canSetPassword: false,
      username: null,
    });
    assert.equal((await logIn()).status, 200);
    assert.equal((await ask('POST', '/api/v1/logout', {})).body['access'], 'admin');
    const { status, code } = await setPassword({ current: 'x', password: OWN }, {});
    assert.deepEqual([status, code], [409, 'configured']);
    const foreign = { host: 'evil.example' };
    assert.equal((await ask('GET', '/api/v1/session', undefined, foreign)).status, 403);
  });
});
