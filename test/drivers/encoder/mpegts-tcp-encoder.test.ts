import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError, UnsupportedError } from '../../../codecs/errors.ts';
import { freePort } from '../../support/free-port.ts';
import { SourceAttempt } from '../../support/source-attempt.ts';
import { TEST_PICTURE, TestEncoder } from '../../support/test-encoder.ts';
import { patSection, pmtSection, TsWriter } from '../../support/ts-packets.ts';

/** Returns the URL of an encoder that does this with each who connects. */
async function serve(
  context: TestContext,
  onConnection: (socket: Socket) => void,
): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function stream(count: number): Uint8Array {
  const encoder = new TestEncoder();
  return concat(...Array.from({ length: count }, () => encoder.datagram()));
}

test('connects and reads; at the end the last picture is whole', async (context) => {
  const url = await serve(context, (socket) => {
    // Cut where it hurts.
    const bytes = stream(5);
    socket.write(bytes.subarray(0, 2001));
    setImmediate(() => socket.end(bytes.subarray(2001)));
  });
  const attempt = new SourceAttempt(context, url);
  assert.equal(await attempt.result, undefined);
  assert.equal(attempt.sink.video.length, 5);
  assert.deepEqual(attempt.sink.video[4]?.data, TEST_PICTURE);
  assert.equal(attempt.driver.stats.transport, 'tcp');
  assert.equal(attempt.sink.stops, 1);
});

test('is stopped while it reads', async (context) => {
  let closed: Promise<unknown> = Promise.resolve();
  const url = await serve(context, (socket) => {
    closed = once(socket, 'close');
    socket.write(stream(10));
  });
  const attempt = new SourceAttempt(context, url);
  await attempt.has(9, 10);
  await attempt.stop();
  await closed;
});

test('nobody listens there', async (context) => {
  const attempt = new SourceAttempt(context, `tcp://127.0.0.1:${await freePort()}`);
  assert.match((await attempt.error()).message, /ECONNREFUSED/);
});

test('what is no MPEG-TS', async (context) => {
  const url = await serve(context, (socket) => socket.write(new Uint8Array(200_000)));
  assert.ok((await new SourceAttempt(context, url).error()) instanceof ParseError);
});

test('a programme that is not there is told by its number', async (context) => {
  const url = await serve(context, (socket) => {
    const ts = new TsWriter();
    const timer = setInterval(() => {
      const tables = [
        ...ts.section(0, patSection({ 1: 0x1000 })),
        ...ts.section(0x1000, pmtSection(1, [{ pid: 0x100, type: 0x1b }])),
      ];
      socket.write(concat(...tables));
    }, 100);
    socket.on('close', () => clearInterval(timer));
  });
  const error = await new SourceAttempt(context, url, { program: 2 }).error();
  assert.ok(error instanceof UnsupportedError, String(error));
  assert.match(error.message, /no programme 2, only 1/);
});
