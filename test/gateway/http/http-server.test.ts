import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ServiceStatus } from '../../../gateway/http/api-answers.ts';
import { HttpServer, type HttpServerContext } from '../../../gateway/http/http-server.ts';
import type { Route } from '../../../gateway/http/route.ts';
import { Board } from '../../../gateway/report/board.ts';
import { CommandDispatcher, CommandError } from '../../../gateway/report/commands.ts';
import type { SerialStatus } from '../../../gateway/report/status.ts';
import { apiOf } from '../../support/api.ts';
import {
  collectingLog,
  commandHandlers,
  publishStatus,
  streamStatus,
} from '../../support/reporting.ts';
import { untilClosed } from '../../support/until-closed.ts';

function makeServer(context: Partial<HttpServerContext>): HttpServer {
  return new HttpServer({
    listen: '127.0.0.1:0',
    limits: { viewers: 1_000, viewersPerAddress: 100 },
    admin: undefined,
    play: undefined,
    cors: [],
    routes: [],
    log: collectingLog().log,
    ...context,
  });
}

const commands = new CommandDispatcher(
  commandHandlers({
    'stream/restart': ({ name }) => {
      if (name === 'nobody')
        throw new CommandError('not-found', 'there is no stream called nobody');
      return { name };
    },
  }),
  Date.now,
);

describe('HttpServer', () => {
  const board = new Board();
  let status: ServiceStatus = 'starting';
  const routes = apiOf(board, { status: () => status, commands });
  const server = makeServer({ routes });

  before(() => server.start());
  after(() => server.stop());

  /** Sends bytes as they are; returns all that comes until the server closes. */
  async function raw(request: string): Promise<string> {
    const socket = connect(server.port!, '127.0.0.1');
    socket.write(request);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    return answer;
  }

  async function get(
    path: string,
    headers = 'Host: localhost',
  ): Promise<{ code: number; body: unknown }> {
    const answer = await raw(`GET ${path} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);
    const [head, body] = answer.split('\r\n\r\n');
    return { code: Number(head?.split(' ')[1]), body: JSON.parse(body ?? '') };
  }

  it('/healthz is 503 until it runs, 200 then, 503 while it stops', async () => {
    board.setStreamStatus('front', streamStatus());
    board.setStreamStatus('yard', streamStatus({ state: 'unreachable', code: 'network' }));
    const codes: number[] = [];
    for (const one of ['starting', 'running', 'stopping'] as const) {
      status = one;
      const { code, body } = await get('/healthz');
      codes.push(code);
      const { uptimeS, ...rest } = body as { uptimeS: number };
      assert.ok(Number.isInteger(uptimeS));
      assert.deepEqual(rest, { status: one, streamsUp: 1, streamsTotal: 2 });
    }
    assert.deepEqual(codes, [503, 200, 503]);
  });

  it('answers what the topics carry, as arrays', async () => {
    board.setPublish('front', 'master', publishStatus(), 'status');
    const device = {
      ...{ id: 'cam-1', via: ['mdns'], addresses: ['10.0.0.2'], lastSeenAt: 'now' },
      ...{ code: 'undecided' as const, reason: 'Nobody has decided.' },
    };
    board.setFound(device);
    const streams = (await get('/api/v1/streams?x=1')).body as unknown[];
    assert.deepEqual(streams[0], {
      name: 'front',
      status: streamStatus(),
      info: null,
      stats: null,
      motion: null,
    });
    assert.equal(streams.length, 2);
    assert.deepEqual((await get('/api/v1/publish')).body, [
      { stream: 'front', target: 'master', status: publishStatus() },
    ]);
    assert.deepEqual((await get('/api/v1/devices')).body, [device]);
  });

  it('serial lines, and motion beside its stream', async () => {
    const since = '2026-01-01T00:00:00.000Z';
    const path = '/dev/ttyUSB0';
    const line = { name: 'mast', path, state: 'open', code: 'ok', reason: 'It is open.', since };
    board.setSerial(line as SerialStatus);
    board.setMotion('front', 'ON');
    assert.deepEqual((await get('/api/v1/serial')).body, [line]);
    const streams = (await get('/api/v1/streams')).body as { motion: unknown }[];
    assert.deepEqual(
      streams.map(({ motion }) => motion),
      ['ON', null],
    );
  });

  const json = 'Content-Type: application/json';
  const post = (path: string, headers: string, body: string) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  const restart = '/api/v1/cmd/stream/restart';
  const posted: readonly (readonly [name: string, request: string, answer: RegExp])[] = [
    [
      'a command is answered its reply',
      post(restart, json, '{"name":"front","id":7}'),
      /^HTTP\/1\.1 200 .*\{"id":7,"ok":true,"data":\{"name":"front"\}\}\n$/s,
    ],
    [
      'with a character set',
      post(restart, 'content-type: Application/JSON; charset=utf-8', '{"name":"front"}'),
      /^HTTP\/1\.1 200 /,
    ],
    [
      'in chunks',
      `POST ${restart} HTTP/1.1\r\nHost: localhost\r\n${json}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n{"nam\r\n6\r\ne":"f"\r\n1\r\n}\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 200 .*"name":"f"/s,
    ],
    [
      'why not, with the code of the reply',
      post(restart, json, '{"name":"nobody"}'),
      /^HTTP\/1\.1 404 .*\{"ok":false,"error":\{"code":"not-found",/s,
    ],
    ['a bad argument', post(restart, json, '{}'), /^HTTP\/1\.1 400 .*"bad-request"/s],
    ['no JSON', post(restart, json, 'name=front'), /^HTTP\/1\.1 400 .*"bad-request"/s],
    ['an unknown verb', post('/api/v1/cmd/dance', json, '{}'), /^HTTP\/1\.1 404 .*"unknown-verb"/s],
    [
      'sent too long ago',
      post(restart, json, '{"name":"front","ts":1}'),
      /^HTTP\/1\.1 409 .*"too-old"/s,
    ],
    [
      'what a form of another site can send',
      post(restart, 'Content-Type: text/plain', '{"name":"front"}'),
      /^HTTP\/1\.1 415 .*"not-json"/s,
    ],
    [
      'no type at all',
      `POST ${restart} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`,
      /^HTTP\/1\.1 415 /,
    ],
    [
      'more than a command has',
      post(restart, json, `{"name":"${'x'.repeat(65_536)}"}`),
      /^HTTP\/1\.1 413 .*"too-large"/s,
    ],
    [
      'more than a command has, and the rest yet to come',
      post(restart, json, 'x'.repeat(65_537)).replace('Length: 65537', 'Length: 9000000'),
      /^HTTP\/1\.1 413 .*"too-large"/s,
    ],
    [
      'GET',
      `GET ${restart} HTTP/1.1\r\nHost: localhost\r\n${json}\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1\.1 405 .*allow: POST\r\n/s,
    ],
    [
      'another name of this machine',
      post(restart, json, '{}').replace('localhost', 'evil.example'),
      /^HTTP\/1\.1 403 /,
    ],
  ];
  for (const [name, request, answer] of posted) {
    it(`POST: ${name}`, async () => assert.match(await raw(request), answer));
  }

  it('POST: cut off within its body, it is no fault of ours', async () => {
    const socket = connect(server.port!, '127.0.0.1');
    socket.end(post(restart, json, '{"name":"front"}').slice(0, -4));
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    assert.doesNotMatch(answer, /200|500/);
    assert.equal((await get('/healthz')).code, 503);
  });

  it('no secret in an answer', async () => {
    board.setStreamInfo('front', { source: 'rtsp://admin:pw@10.0.0.2/', tracks: [] });
    const { body } = await get('/api/v1/streams');
    assert.doesNotMatch(JSON.stringify(body), /admin:pw/);
  });

  it('an unknown path', async () => {
    assert.deepEqual(await get('/nope'), {
      code: 404,
      body: { error: { code: 'not-found', message: 'no such path' } },
    });
  });

  const local = ['127.0.0.1', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST:80'];
  const foreign = ['evil.example', '127.0.0.1.evil.example', '10.0.0.1:8080', '[::2]', ''];
  it('only this machine’s names as Host: no page on the web can point its own here', async () => {
    for (const host of local)
      assert.notEqual((await get('/healthz', `Host: ${host}`)).code, 403, host);
    for (const host of foreign)
      assert.equal((await get('/healthz', `Host: ${host}`)).code, 403, host);
  });

  const refused: readonly (readonly [name: string, request: string, line: RegExp])[] = [
    [
      'POST',
      'POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n',
      /^HTTP\/1\.1 405 .*\r\nallow: GET, HEAD\r\n/s,
    ],
    [
      'GET with a body',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n',
      /^HTTP\/1\.1 413 /,
    ],
    [
      'GET with chunks',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n',
      /^HTTP\/1\.1 413 /,
    ],
    ['no Host', 'GET /healthz HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 403 /],
    [
      'no HTTP',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
      /^HTTP\/1\.1 400 .*"bad-request"/s,
    ],
    [
      'endless headers',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 .*"header-too-large"/s,
    ],
    [
      'a target that is no path',
      'GET \\..\\x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 40[04] /,
    ],
  ];
  for (const [name, request, line] of refused) {
    it(`${name}: refused and closed`, async () => {
      assert.match(await raw(request), line);
      assert.equal((await get('/healthz')).code, 503);
    });
  }

  it('stops at once with a connection open', async () => {
    const own = makeServer({ routes, listen: '[::1]:0' });
    await own.start();
    const socket = connect(own.port!, '::1');
    await once(socket, 'connect');
    socket.write('GET /healthz HTTP/1.1\r\nHost: [::1]\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await own.stop();
    await closed;
  });

  it('its port is taken: one warning that says what to do, and the service goes on', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { log, lines } = collectingLog();
    const listen = `127.0.0.1:${port}`;
    const unlucky = makeServer({ listen, log });
    await unlucky.start();
    assert.equal(unlucky.port, undefined);
    await unlucky.stop();
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.['listen'], listen);
    assert.match(String(lines[0]?.['msg']), /port is in use.*http\.listen/);
    other.close();
  });

  it('HEAD is GET without a body', async () => {
    const answer = await raw(
      'HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    assert.match(answer, /^HTTP\/1\.1 503 .*content-length: \d\d/s);
    assert.match(answer, /\r\n\r\n$/);
  });
});

describe('HttpServer and its routes', { concurrency: true }, () => {
  const viewers = new Set<ServerResponse>();
  const upgrades: string[] = [];
  const routes: Route[] = [
    ...apiOf(new Board(), { commands }),
    {
      path: /^\/endless\/([^/]+)\.bin$/,
      access: 'viewer',
      handle: ({ response, captured, query }) => {
        response.writeHead(200, { 'x-name': captured.join(), 'x-from': query.get('from') ?? '' });
        response.write('x');
        viewers.add(response);
      },
      upgrade: ({ socket, head, captured }) => {
        upgrades.push(captured.join());
        socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\n${head.toString()}`);
      },
    },
    {
      path: /^\/faulty$/,
      access: 'everybody',
      handle: async ({ query, response }) => {
        if (query.has('late')) response.write('x');
        await Promise.reject(new Error('on purpose'));
      },
    },
  ];
  const { log, lines } = collectingLog();
  const server = makeServer({ routes, log, limits: { viewers: 3, viewersPerAddress: 1 } });
  const sockets: Socket[] = [];
  before(() => server.start());
  after(() => server.stop());

  function open(request: string): Socket {
    const socket = connect(server.port!, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.write(request);
    return socket;
  }

  async function all(request: string): Promise<string> {
    let answer = '';
    for await (const chunk of open(request)) answer += chunk;
    return answer;
  }

  const HEADERS = 'HTTP/1.1\r\nHost: localhost\r\n';

  it('viewers have a budget of their own: the API answers when it is spent', async () => {
    const full: Socket[] = [];
    for (let count = 0; count < 3; count += 1) {
      const socket = open(`GET /endless/a%20b.bin?from=7 ${HEADERS}\r\n`);
      const [head] = await once(socket, 'data');
      assert.match(String(head), /200 OK.*x-name: a b\r\nx-from: 7/s);
      full.push(socket);
    }
    const refused = await all(`GET /endless/a.bin ${HEADERS}\r\n`);
    assert.match(refused, /^HTTP\/1\.1 503 .*retry-after: 5.*"busy"/s);
    assert.match(await all(`GET /healthz ${HEADERS}Connection: close\r\n\r\n`), /200 OK/);

    const [gone] = [...viewers];
    const closed = once(gone!, 'close');
    full[0]!.destroy();
    await closed;
    const socket = open(`GET /endless/a.bin ${HEADERS}\r\n`);
    assert.match(String((await once(socket, 'data'))[0]), /200 OK/);

    // A request behind an answer that goes on would wait in memory for ever.
    socket.write(`GET /healthz ${HEADERS}\r\n`);
    await untilClosed(socket);
    for (const other of full) other.destroy();
  });

  it('a fault of a handler is a 500, and cuts an answer that has begun', async () => {
    assert.match(await all(`GET /faulty ${HEADERS}\r\n`), /^HTTP\/1\.1 500 .*"internal"/s);
    const begun = await all(`GET /faulty?late ${HEADERS}\r\n`).catch(() => 'cut');
    assert.doesNotMatch(begun, /\r\n0\r\n/);
    const told = lines.filter(({ msg }) => msg === 'HTTP request failed');
    assert.equal(told.length, 1, 'more in a minute');
    assert.match(await all(`GET /healthz ${HEADERS}Connection: close\r\n\r\n`), /200 OK/);
  });

  it('a path that is percent-encoded wrongly is no path', async () => {
    const answer = await all(`GET /endless/%ff.bin ${HEADERS}Connection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 404 /);
  });

  it('WebSocket goes to the route, with what came behind the head', async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: WebSocket\r\n';
    const answer = await all(`GET /endless/w.bin ${HEADERS}${upgrade}\r\nearly`);
    assert.match(answer, /^HTTP\/1\.1 101 .*early$/s);
    assert.deepEqual(upgrades, ['w']);
    const foreign = `GET /endless/w.bin HTTP/1.1\r\nHost: evil.example\r\n${upgrade}\r\n`;
    assert.match(await all(foreign), /^HTTP\/1\.1 403 Forbidden/);
  });

  it('what else is offered for an upgrade is let be (curl --http2), as is WebSocket where there is none', async () => {
    for (const offer of ['h2c', 'websocket']) {
      const answer = await all(
        `GET /healthz ${HEADERS}Connection: Upgrade\r\nUpgrade: ${offer}\r\n\r\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 200 OK.*"running"/s, offer);
    }
  });
});

it('who sends a login byte by byte, from here or elsewhere, keeps no supervisor from /healthz', async (t) => {
  const server = makeServer({ routes: apiOf(new Board()) });
  await server.start();
  t.after(() => server.stop());
  const open = (request: string) => {
    const socket = connect(server.port!, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(request);
    return socket;
  };
  const get = async (path: string) => {
    const headers = 'Host: localhost\r\nConnection: close\r\n';
    const [answer] = await once(open(`GET ${path} HTTP/1.1\r\n${headers}\r\n`), 'data');
    return String(answer);
  };
  const type = 'Content-Type: application/json\r\nContent-Length: 9';
  for (let count = 0; count < 70; count += 1) {
    open(`POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\n${type}\r\n\r\n{`);
  }
  while (!/"busy"/.test(await get('/api/v1/session'))) await turn();
  assert.match(await get('/healthz'), /^HTTP\/1\.1 200 OK/);
});
