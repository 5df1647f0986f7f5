import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { pino } from 'pino';
import { problem, sendAnswer } from '../../../gateway/http/answer.ts';
import { HttpServer } from '../../../gateway/http/http-server.ts';
import { lazyRoute } from '../../../gateway/http/lazy-routes.ts';
import type { Route } from '../../../gateway/http/route.ts';

const ROUTES: readonly Route[] = [
  {
    path: /^\/live\/([^/]+)\.flv$/,
    access: 'viewer',
    handle: ({ response, captured }) =>
      sendAnswer(response, { status: 200, body: { captured, from: 'flv' } }),
    upgrade: async ({ socket, captured }) => {
      await Promise.resolve();
      socket.end(`HTTP/1.1 299 ${captured.join()}\r\n\r\n`);
    },
  },
  {
    path: /^\/live\/([^/]+)\.ts$/,
    access: 'viewer',
    handle: ({ response }) => sendAnswer(response, problem(406, 'codec', 'no')),
  },
];

describe('lazyRoute', () => {
  let loads = 0;
  const server = new HttpServer({
    listen: '127.0.0.1:0',
    tls: undefined,
    limits: { viewers: 10, viewersPerAddress: 10 },
    cors: [],
    play: undefined,
    admin: undefined,
    routes: [
      lazyRoute(/^\/live\//, 'viewer', async () => {
        loads += 1;
        return ROUTES;
      }),
    ],
    log: pino({ level: 'silent' }),
  });
  before(() => server.start());
  after(() => server.stop());

  it('loads nothing before it is asked', () => assert.equal(loads, 0));

  it('hands on what the route behind it catches', async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/live/front%20door.flv?x=1`);
    assert.deepEqual(await response.json(), { captured: ['front door'], from: 'flv' });
  });

  it('says 404 where there is none behind it', async () => {
    for (const path of ['/live/a.avi', '/live/%ff.flv']) {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      assert.equal(response.status, 404);
    }
  });

  for (const [path, wanted] of [
    ['/live/a.flv', /^HTTP\/1\.1 299 a\r/],
    ['/live/a.ts', /^HTTP\/1\.1 404 /],
  ] as const) {
    it(`upgrades ${path} where the route behind it does`, async () => {
      const socket = connect(server.port ?? 0, '127.0.0.1');
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      );
      const [bytes] = await once(socket, 'data');
      socket.destroy();
      assert.match(String(bytes), wanted);
    });
  }
});
