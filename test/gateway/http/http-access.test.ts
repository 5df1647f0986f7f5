/** Login, CORS and TLS through the whole server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { ConfiguredAdmin } from '../../../gateway/http/admin-account.ts';
import { sendAnswer } from '../../../gateway/http/answer.ts';
import { HttpServer, type HttpServerContext } from '../../../gateway/http/http-server.ts';
import type { Route } from '../../../gateway/http/route.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';
import { collectingLog } from '../../support/reporting.ts';
import { until } from '../../support/until.ts';

const AUTHORIZATION = `Basic ${Buffer.from('admin:secret-1').toString('base64')}`;

const routes: readonly Route[] = [
  {
    path: /^\/api$/,
    access: 'admin',
    handle: ({ response }) => sendAnswer(response, { status: 200, body: {} }),
  },
  {
    path: /^\/live$/,
    access: 'viewer',
    handle: ({ response }) => sendAnswer(response, { status: 200, body: {} }),
    upgrade: ({ socket }) => void socket.end('HTTP/1.1 299 upgraded\r\n\r\n'),
  },
];

const commands: string[] = [];
const commandRoute: Route = {
  path: /^\/cmd$/,
  access: 'admin',
  maxBodyBytes: 100,
  handle: ({ response, body }) => {
    commands.push(Buffer.from(body).toString());
    sendAnswer(response, { status: 200, body: {} });
  },
};

let server: HttpServer;
const { log, lines } = collectingLog();

async function serve(context: Partial<HttpServerContext> = {}): Promise<void> {
  server = new HttpServer({
    listen: '127.0.0.1:0',
    limits: { viewers: 10, viewersPerAddress: 10 },
    admin: new ConfiguredAdmin('admin', 'secret-1'),
    play: undefined,
    cors: [],
    routes,
    log,
    ...context,
  });
  await server.start();
}

afterEach(() => server.stop());

async function ask(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<IncomingMessage> {
  const request = httpGet({ port: server.port!, host: '127.0.0.1', path, headers, method });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response.resume();
}

const statusOf = async (...args: Parameters<typeof ask>) => (await ask(...args)).statusCode;

describe('login', () => {
  it('is asked for before anything is told, even which paths there are', async () => {
    await serve();
    for (const path of ['/api', '/live', '/nothing']) {
      assert.equal(await statusOf(path), 401, path);
    }
    assert.equal(await statusOf('/api', { authorization: AUTHORIZATION }), 200);
    assert.equal(await statusOf('/nothing', { authorization: AUTHORIZATION }), 404);
    assert.equal(await statusOf('/api', {}, 'POST'), 401);
  });

  it('is asked for before a command is looked at; pages of other sites cannot send one at all', async () => {
    await serve({ routes: [commandRoute], cors: ['https://shop.example', 'https://evil.example'] });
    const url = `http://127.0.0.1:${server.port}/cmd`;
    const post = async (headers: Record<string, string>) =>
      (await fetch(url, { method: 'POST', headers, body: '{"a":1}' })).status;
    const json = { 'content-type': 'application/json' };
    assert.equal(await post(json), 401);
    assert.equal(await post({ ...json, authorization: 'Basic YWRtaW46eA==' }), 401);
    assert.equal(await post({ authorization: AUTHORIZATION }), 415);
    assert.deepEqual(commands, []);
    assert.equal(await post({ ...json, authorization: AUTHORIZATION }), 200);
    assert.deepEqual(commands, ['{"a":1}']);
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    assert.doesNotMatch(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
    assert.doesNotMatch(
      preflight.headers.get('access-control-allow-headers') ?? '',
      /content-type/,
    );
  });

  it('a token in the query is for viewers', async () => {
    await serve({ play: { token: 'to ken&' } });
    assert.equal(await statusOf('/live?x=1&token=to%20ken%26'), 200);
    assert.equal(await statusOf('/live?token=other'), 401);
    assert.equal(await statusOf('/api?token=to%20ken%26'), 401);
  });

  it('WebSocket: the same', async () => {
    await serve({ play: { token: 'tok1' } });
    for (const [query, status] of [
      ['', 401],
      ['?token=tok1', 299],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port!}/live${query}`);
      const [error] = await once(socket, 'error');
      assert.match(String(error), new RegExp(`response: ${status}`));
    }
  });
});

describe('CORS', () => {
  const page = { origin: 'https://page.example' };
  const preflight = { ...page, 'access-control-request-method': 'GET' };

  it('not configured: nothing is said, and nobody may ask', async () => {
    await serve({ play: 'open' });
    const { headers } = await ask('/live', page);
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.equal(await statusOf('/live', preflight, 'OPTIONS'), 405);
  });

  it('an origin of the list: it is named, logins are allowed, refusals can be read', async () => {
    await serve({ cors: ['https://other.example', 'https://page.example'] });
    const { headers, statusCode } = await ask('/live', page);
    assert.equal(statusCode, 401);
    assert.equal(headers['access-control-allow-origin'], 'https://page.example');
    assert.equal(headers['access-control-allow-credentials'], 'true');
    assert.equal(headers['vary'], 'origin');
    const asked = await ask('/api', preflight, 'OPTIONS');
    assert.equal(asked.statusCode, 204);
    assert.equal(asked.headers['access-control-allow-origin'], 'https://page.example');
    assert.match(String(asked.headers['access-control-allow-headers']), /authorization, range/);
  });

  it('an origin that is not on it: as if there were none', async () => {
    await serve({ cors: ['https://page.example'] });
    for (const origin of ['https://page.example.evil', 'http://page.example', 'null']) {
      const { headers } = await ask('/api', { origin, authorization: AUTHORIZATION });
      assert.equal(headers['access-control-allow-origin'], undefined, origin);
      assert.equal(headers['vary'], 'origin');
      const asked = { origin, 'access-control-request-method': 'GET' };
      assert.equal(await statusOf('/live', asked, 'OPTIONS'), 401);
    }
  });

  it('any origin: without logins', async () => {
    await serve({ cors: ['*'], play: 'open' });
    const { headers } = await ask('/live', page);
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['access-control-allow-credentials'], undefined);
    assert.equal(await statusOf('/live', preflight, 'OPTIONS'), 204);
  });

  it('a WebSocket of a page elsewhere: only of the list', async () => {
    await serve({ cors: ['https://page.example'], play: 'open' });
    const url = `ws://127.0.0.1:${server.port!}/live`;
    for (const [origin, status] of [
      ['https://page.example', 299],
      [`http://127.0.0.1:${server.port!}`, 299],
      ['https://evil.example', 403],
      ['null', 403],
    ] as const) {
      const [error] = await once(new WebSocket(url, { origin }), 'error');
      assert.match(String(error), new RegExp(`response: ${status}`), origin);
    }
  });
});

describe('TLS', () => {
  let folder = '';
  let first: TestCertificate;
  let second: TestCertificate;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-https-'));
    first = await makeCertificate('DNS:localhost');
    second = await makeCertificate('DNS:localhost');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function put({ cert, key }: TestCertificate) {
    const tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    await writeFile(tls.certFile, cert);
    await writeFile(tls.keyFile, key);
    return tls;
  }

  async function statusWith(ca: string): Promise<number | undefined> {
    const request = httpsGet({
      port: server.port!,
      host: 'localhost',
      path: '/api',
      ca,
      agent: false,
      headers: { authorization: AUTHORIZATION },
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response.resume().statusCode;
  }

  it('answers, and takes a new certificate when its files change', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    await serve({ listen: 'localhost:0', tls: await put(first) });
    assert.equal(await statusWith(first.ca), 200);
    await put(second);
    t.mock.timers.tick(10_000);
    await until(() => lines.some(({ msg }) => msg === 'took the new certificate'));
    assert.equal(await statusWith(second.ca), 200);
    await assert.rejects(statusWith(first.ca), /certificate/);
    // Neither half a handshake nor plain HTTP disturbs the others.
    const silent = connectTcp(server.port!, 'localhost');
    await once(silent, 'connect');
    const plain = connectTcp(server.port!, 'localhost');
    plain.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    plain.resume();
    await once(plain, 'close');
    assert.equal(await statusWith(second.ca), 200);
    const cut = once(silent, 'close');
    await server.stop();
    await cut;
  });

  it('no certificate yet: it is told, and tried again', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const tls = { certFile: join(folder, 'later.pem'), keyFile: join(folder, 'later.key') };
    await serve({ listen: 'localhost:0', tls });
    assert.equal(server.port, undefined);
    assert.match(String(lines.at(-1)?.['msg']), /cannot listen for HTTP.*later\.(?:pem|key)/);
    await writeFile(tls.certFile, first.cert);
    await writeFile(tls.keyFile, first.key);
    t.mock.timers.tick(5_000);
    t.mock.timers.reset();
    await until(() => server.port !== undefined);
    assert.equal(await statusWith(first.ca), 200);
  });
});
