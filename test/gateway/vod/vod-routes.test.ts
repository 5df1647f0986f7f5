import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pino } from 'pino';
import { HttpServer } from '../../../gateway/http/http-server.ts';
import { VodLibrary } from '../../../gateway/vod/vod-library.ts';
import { vodRoutes } from '../../../gateway/vod/vod-routes.ts';

const BYTES = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251);

let dir: string;
let server: HttpServer;
let base: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-vod-http-'));
  await writeFile(join(dir, 'a.mp4'), BYTES);
  await writeFile(join(dir, 'Hof 1.flv'), BYTES);
  await writeFile(join(dir, 'empty.mp3'), '');
  await writeFile(join(dir, 'notes.txt'), 'secret');
  server = new HttpServer({
    listen: '127.0.0.1:0',
    limits: { viewers: 3, viewersPerAddress: 3 },
    cors: [],
    admin: undefined,
    play: undefined,
    routes: vodRoutes(new VodLibrary([dir])),
    log: pino({ level: 'silent' }),
  });
  await server.start();
  base = `http://127.0.0.1:${server.port}/vod/`;
});

after(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});

async function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(base + path, { headers, method });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes };
}

describe('files over HTTP', () => {
  it('come whole, with what a player wants to know', async () => {
    const { status, headers, bytes } = await get('a.mp4');
    assert.equal(status, 200);
    assert.deepEqual(bytes, BYTES);
    assert.equal(headers.get('content-type'), 'video/mp4');
    assert.equal(headers.get('accept-ranges'), 'bytes');
    assert.match(headers.get('etag') ?? '', /^"[a-z0-9-]+"$/);
    assert.ok(Date.parse(headers.get('last-modified') ?? '') > 0);
  });

  it('are described by HEAD, and without a byte', async () => {
    const { status, headers, bytes } = await get('Hof%201.flv', {}, 'HEAD');
    assert.equal(status, 200);
    assert.equal(headers.get('content-length'), '300000');
    assert.equal(headers.get('content-type'), 'video/x-flv');
    assert.equal(bytes.length, 0);
  });

  it('that are empty come empty', async () => {
    const { status, bytes } = await get('empty.mp3');
    assert.equal(status, 200);
    assert.equal(bytes.length, 0);
    assert.equal((await get('empty.mp3', { range: 'bytes=0-' })).status, 416);
  });

  const ranges = [
    ['bytes=0-99', 0, 99],
    ['bytes=299990-', 299_990, 299_999],
    ['bytes=-10', 299_990, 299_999],
    ['bytes=-400000', 0, 299_999],
    ['bytes=5-5', 5, 5],
    ['bytes=100000-999999', 100_000, 299_999],
    ['BYTES= 1-2', 1, 2],
  ] as const;
  for (const [range, from, to] of ranges) {
    it(`${range} is bytes ${from} to ${to}`, async () => {
      const { status, headers, bytes } = await get('a.mp4', { range });
      assert.equal(status, 206);
      assert.equal(headers.get('content-range'), `bytes ${from}-${to}/300000`);
      assert.deepEqual(bytes, BYTES.subarray(from, to + 1));
    });
  }

  for (const range of ['bytes=300000-', 'bytes=999999-1000000', 'bytes=-0']) {
    it(`${range} is not in it`, async () => {
      const { status, headers } = await get('a.mp4', { range });
      assert.equal(status, 416);
      assert.equal(headers.get('content-range'), 'bytes */300000');
    });
  }

  for (const range of [
    'bytes=',
    'bytes=a-b',
    'lines=1-2',
    'bytes=9-1',
    'bytes=0-1,5-6',
    'bytes=-',
  ]) {
    it(`${range} is as if nothing had been asked`, async () => {
      const { status, bytes } = await get('a.mp4', { range });
      assert.equal(status, 200);
      assert.equal(bytes.length, BYTES.length);
    });
  }

  it('come in a range only as long as they are the same', async () => {
    const { headers } = await get('a.mp4', {}, 'HEAD');
    const same = [headers.get('etag') ?? '', headers.get('last-modified') ?? ''];
    for (const value of same) {
      assert.equal((await get('a.mp4', { range: 'bytes=0-1', 'if-range': value })).status, 206);
    }
    for (const value of ['"other"', `W/${same[0]}`, 'Thu, 01 Jan 1970 00:00:00 GMT', 'rubbish']) {
      assert.equal((await get('a.mp4', { range: 'bytes=0-1', 'if-range': value })).status, 200);
    }
    assert.equal((await get('a.mp4', { 'if-none-match': same[0] ?? '' })).status, 304);
    assert.equal((await get('a.mp4', { 'if-none-match': '"other"' })).status, 200);
  });

  const refused = [
    ...['', 'none.mp4', 'notes.txt', 'a', 'flv:a', 'mp4:a.mp4', 'a.mp4/', '%2e%2e/a.mp4'],
    ...['..%2f..%2fetc%2fpasswd', '%2fetc%2fpasswd.mp4', 'a.mp4%00.flv', '.a.mp4', '..%5ca.mp4'],
  ];
  for (const path of refused) {
    it(`${path || 'the folder itself'} is not there`, async () => {
      const { status, bytes } = await get(path);
      assert.equal(status, 404);
      assert.ok(!Buffer.from(bytes).includes('secret'));
    });
  }

  it('stay with those who read: one that does not holds a place, and no memory', async () => {
    await writeFile(join(dir, 'large.mp4'), '');
    await truncate(join(dir, 'large.mp4'), 64 * 1024 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    const sockets = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const socket = connect(server.port ?? 0, '127.0.0.1');
        socket.write('GET /vod/large.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await new Promise((resolve) => socket.once('readable', resolve));
        return socket;
      }),
    );
    assert.equal((await get('a.mp4')).status, 503);
    const grownBytes = process.memoryUsage().arrayBuffers - before;
    assert.ok(grownBytes < 16 * 1024 * 1024, `${grownBytes}`);
    for (const socket of sockets) socket.destroy();
    for (;;) if ((await get('a.mp4')).status === 200) break;
  });
});
