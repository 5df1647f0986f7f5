import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { makeMpegtsTcpAcceptor } from '../../../gateway/acceptors/mpegts-tcp-acceptor.ts';
import { PushBench } from '../../support/push-bench.ts';
import { TEST_PICTURE, TestEncoder } from '../../support/test-encoder.ts';
import { until } from '../../support/until.ts';

async function open(context: TestContext, yaml = '') {
  const bench = new PushBench();
  context.after(() => bench[Symbol.asyncDispose]());
  const keys = `protocol: mpegts-tcp, listen: "127.0.0.1:0", ${yaml}`;
  const acceptor = await bench.start(makeMpegtsTcpAcceptor, keys);
  const socket = connect(acceptor.port ?? 0, '127.0.0.1');
  socket.on('error', () => undefined);
  return { bench, socket };
}

async function isClosed(socket: Socket): Promise<void> {
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
}

function stream(count: number): Uint8Array {
  const encoder = new TestEncoder();
  return concat(...Array.from({ length: count }, () => encoder.datagram()));
}

test('what a client sends comes out; at the end the last picture is whole', async (context) => {
  const { bench, socket } = await open(context, 'localStreamName: ts1');
  const sink = bench.follow('ts1');
  const bytes = stream(5);
  socket.write(bytes.subarray(0, 2001));
  socket.end(bytes.subarray(2001));
  await sink.has(5, 0);
  await until(() => sink.stops === 1);
  assert.deepEqual(sink.video[4]?.data, TEST_PICTURE);
});

test('a stream without a name is called by address and port', async (context) => {
  const { bench, socket } = await open(context);
  socket.write(stream(5));
  await until(() => bench.names.length > 0);
  assert.deepEqual(bench.names, [`ts-127-0-0-1-${socket.localPort}`]);
});

test('what is no MPEG-TS costs the connection', async (context) => {
  const { bench, socket } = await open(context);
  socket.write(new Uint8Array(200_000));
  await isClosed(socket);
  assert.match(bench.said[0] ?? '', /: what comes is not MPEG-TS/);
});

test('only the listed addresses', async (context) => {
  const { bench, socket } = await open(context, 'publish: { addresses: [127.0.0.2] }');
  await isClosed(socket);
  assert.match(bench.said[0] ?? '', /^The MPEG-TS client at 127.0.0.1 was sent away: publish/);
});
