import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { rtpBytes } from '../../support/rtp-packets.ts';
import { SourceAttempt } from '../../support/source-attempt.ts';
import { TEST_PICTURE, TEST_SOUND, TestEncoder } from '../../support/test-encoder.ts';
import { until } from '../../support/until.ts';

/** RFC 2365 §6.1: stays on the machine as long as it is sent through loopback. */
const GROUP = '239.255.78.1';

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** Sends a datagram every few milliseconds until the test ends. */
async function send(
  context: TestContext,
  port: number,
  { host = '127.0.0.1', from = '127.0.0.1', next = plain() } = {},
): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, from);
  await once(socket, 'listening');
  if (host === GROUP) socket.setMulticastInterface(from);
  const timer = setInterval(() => socket.send(next(), port, host), 5);
  context.after(() => {
    clearInterval(timer);
    socket.close();
  });
  return socket;
}

function plain(): () => Uint8Array {
  const encoder = new TestEncoder();
  return () => encoder.datagram();
}

function inRtp(): () => Uint8Array {
  const encoder = new TestEncoder();
  let sequenceNumber = 0;
  return () => {
    sequenceNumber += 1;
    return rtpBytes({ payloadType: 33, sequenceNumber, payload: encoder.datagram() });
  };
}

test('to a port of ours', async (context) => {
  const port = await freeUdpPort();
  const attempt = new SourceAttempt(context, `udp://@127.0.0.1:${port}`);
  await send(context, port);
  await attempt.has(5, 5);
  assert.deepEqual(attempt.sink.video[0]?.data, TEST_PICTURE);
  assert.deepEqual(attempt.sink.audio[0]?.data, TEST_SOUND);
  const { stats } = attempt.driver;
  assert.equal(stats.transport, 'udp');
  assert.ok(stats.receivedPackets >= 35 && stats.receivedBytes === stats.receivedPackets * 188);
  assert.equal(stats.lostPackets, 0);
  await attempt.stop();
  assert.equal(attempt.sink.stops, 1);
});

test('in RTP, though the URL does not say so', async (context) => {
  const port = await freeUdpPort();
  const attempt = new SourceAttempt(context, `udp://@:${port}`);
  await send(context, port, { next: inRtp() });
  await attempt.has(5, 5);
  assert.deepEqual(attempt.driver.notes, ['It comes in RTP.']);
});

test('to a group, on the interface that was named', async (context) => {
  const port = await freeUdpPort();
  const attempt = new SourceAttempt(context, `udp://@${GROUP}:${port}`, { interface: 'lo' });
  await send(context, port, { host: GROUP });
  await attempt.has(5, 5);
  assert.equal(attempt.driver.stats.transport, 'multicast');
});

test('to a group, from the sender that was named and no other', async (context) => {
  const port = await freeUdpPort();
  const attempt = new SourceAttempt(context, `udp://127.0.0.2@${GROUP}:${port}`, {
    interface: 'lo',
  });
  const other = new SourceAttempt(context, `udp://127.0.0.3@${GROUP}:${port}`, { interface: 'lo' });
  await send(context, port, { host: GROUP, from: '127.0.0.2' });
  await attempt.has(5, 5);
  assert.equal(other.sink.units.length, 0);
});

test('two streams of one group and port', async (context) => {
  const port = await freeUdpPort();
  const url = `udp://@${GROUP}:${port}`;
  const attempts = [1, 2].map(() => new SourceAttempt(context, url, { interface: 'lo' }));
  await send(context, port, { host: GROUP });
  for (const attempt of attempts) await attempt.has(3, 3);
});

test('joins anew after silence', async (context) => {
  const port = await freeUdpPort();
  const attempt = new SourceAttempt(context, `udp://@${GROUP}:${port}`, { interface: 'lo' });
  const joins = () => attempt.log.filter((line) => line.includes('listening')).length;
  await until(() => joins() >= 2, 5000);
  await send(context, port, { host: GROUP });
  await attempt.has(3, 3);
});

test('an interface that is not there', async (context) => {
  const port = await freeUdpPort();
  const attempt = new SourceAttempt(context, `udp://@${GROUP}:${port}`, { interface: 'eth77' });
  assert.match((await attempt.error()).message, /no interface eth77/);
});

test('a port that is taken, and an address that is not ours', async (context) => {
  const socket = createSocket('udp4');
  socket.bind(0);
  await once(socket, 'listening');
  context.after(() => socket.close());
  const { port } = socket.address();
  const taken = await new SourceAttempt(context, `udp://@:${port}`).error();
  assert.ok(taken instanceof ProtocolError && taken.code === 'PORT_TAKEN');
  assert.match(taken.message, new RegExp(`UDP port ${port} of this machine is taken`));
  const foreign = await new SourceAttempt(context, 'udp://192.0.2.1:5000').error();
  assert.match(foreign.message, /192\.0\.2\.1 is not an address of this machine.*udp:\/\/@:5000/);
});

test('what is no MPEG-TS', async (context) => {
  const port = await freeUdpPort();
  const attempt = new SourceAttempt(context, `udp://@127.0.0.1:${port}`);
  await send(context, port, { next: () => new Uint8Array(16_000) });
  const error = await attempt.error();
  assert.ok(error instanceof ParseError, String(error));
  assert.match(error.message, /not MPEG-TS/);
});

test('nothing: said after a while, with what to check', async (context) => {
  const port = await freeUdpPort();
  context.mock.timers.enable({ apis: ['setInterval'] });
  let nowMs = 0;
  context.mock.method(performance, 'now', () => nowMs);
  const attempt = new SourceAttempt(context, `udp://@${GROUP}:${port}`, { interface: 'lo' });
  const joins = () => attempt.log.filter((line) => line.includes('listening')).length;
  for (let n = 1; n <= 6; n += 1) {
    while (joins() < n) await new Promise(setImmediate);
    nowMs = n * 2000;
    context.mock.timers.tick(500);
  }
  const error = await attempt.error();
  assert.ok(error instanceof ProtocolError && error.code === 'NOTHING_COMES');
  assert.match(
    error.message,
    new RegExp(`group ${GROUP}, port ${port}, through lo for 12 s.*firewall`),
  );
});
