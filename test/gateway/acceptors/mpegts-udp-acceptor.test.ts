import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { makeMpegtsUdpAcceptor } from '../../../gateway/acceptors/mpegts-udp-acceptor.ts';
import { freeUdpPair } from '../../support/free-port.ts';
import { PushBench } from '../../support/push-bench.ts';
import { TEST_PICTURE, TestEncoder } from '../../support/test-encoder.ts';
import { until } from '../../support/until.ts';

async function open(context: TestContext, yaml: string, host = '127.0.0.1') {
  const bench = new PushBench();
  context.after(() => bench[Symbol.asyncDispose]());
  const port = await freeUdpPair();
  const keys = `protocol: mpegts-udp, listen: "${host}:${port}", ${yaml}`;
  await bench.start(makeMpegtsUdpAcceptor, keys);
  return { bench, port };
}

/** Sends a datagram every few milliseconds until the test is over. */
async function send(context: TestContext, port: number, address = '127.0.0.1', from = '127.0.0.1') {
  const socket: Socket = createSocket('udp4');
  socket.bind(0, from);
  await once(socket, 'listening');
  if (address.startsWith('239.')) socket.setMulticastInterface('127.0.0.1');
  const encoder = new TestEncoder();
  const timer = setInterval(() => socket.send(encoder.datagram(), port, address), 5);
  const stop = () => {
    clearInterval(timer);
    socket.close();
  };
  context.after(() => timer.hasRef() && stop());
  return () => clearInterval(timer);
}

test('what is sent to the port comes out, whoever sends it', async (context) => {
  const { bench, port } = await open(context, 'localStreamName: ts1');
  assert.equal(bench.board.streams.get('ts1')?.status?.code, 'no-source');
  const sink = bench.follow('ts1');
  const stop = await send(context, port);
  await sink.has(3, 0);
  assert.deepEqual(sink.video[0]?.data, TEST_PICTURE);
  stop();
  const before = sink.video.length;
  await send(context, port);
  await sink.has(before + 5, 0);
  assert.equal(sink.starts, 1);
});

test('what is sent to a group comes out; without a name it is called by it', async (context) => {
  const { bench, port } = await open(context, 'interface: lo', '239.255.78.9');
  const name = `ts-239-255-78-9-${port}`;
  assert.deepEqual(bench.names, [name]);
  const sink = bench.follow(name);
  await send(context, port, '239.255.78.9');
  await sink.has(3, 0);
});

test('only the listed sender', async (context) => {
  const { bench, port } = await open(
    context,
    'localStreamName: ts1, publish: { addresses: [127.0.0.3] }',
  );
  const sink = bench.follow('ts1');
  await send(context, port, '127.0.0.1', '127.0.0.2');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(sink.starts, 0);
  await send(context, port, '127.0.0.1', '127.0.0.3');
  await sink.has(3, 0);
});

test('silence gives the stream up; a sender that returns begins anew', async (context) => {
  const { bench, port } = await open(context, 'localStreamName: ts1');
  const sink = bench.follow('ts1');
  const stop = await send(context, port);
  await sink.has(3, 0);
  stop();
  bench.publications.tick(performance.now() + 31_000);
  bench.publications.tick(performance.now() + 62_000);
  await until(() => sink.stops === 1);
  await send(context, port);
  await until(() => sink.starts === 2);
});

test('a port that another has is told, and waited for', async (context) => {
  const other = createSocket('udp4');
  other.bind(0, '127.0.0.1');
  await once(other, 'listening');
  const bench = new PushBench();
  context.after(() => bench[Symbol.asyncDispose]());
  const { port } = other.address();
  await bench.start(makeMpegtsUdpAcceptor, `protocol: mpegts-udp, listen: "127.0.0.1:${port}"`);
  await until(() => bench.said.length > 0);
  other.close();
  assert.match(
    bench.said[0] ?? '',
    /^Nothing is taken on UDP .* is taken by another stream or program; trying again every 5 s$/,
  );
});
