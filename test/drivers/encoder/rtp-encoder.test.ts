/** Plain RTP, described by a file: to ports of ours and to groups. */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { ParseError, ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { freeUdpPair } from '../../support/free-port.ts';
import { hex } from '../../support/hex.ts';
import { nalUnit, rtpBytes } from '../../support/rtp-packets.ts';
import { SourceAttempt } from '../../support/source-attempt.ts';
import { VIDEO_TRACK } from '../../support/units.ts';
import { until } from '../../support/until.ts';

const LOOPBACK = '127.0.0.1';
const GROUP = '239.255.78.1';
const SETS = [VIDEO_TRACK.sps, VIDEO_TRACK.pps]
  .map((set) => Buffer.from(set).toString('base64'))
  .join(',');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-sdp-'));
});
after(() => rm(folder, { recursive: true }));

function description(port: number, connection: string): string {
  return [
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    connection,
    `m=video ${port} RTP/AVP 96`,
    'a=rtpmap:96 H264/90000',
    `a=fmtp:96 packetization-mode=1;sprop-parameter-sets=${SETS}`,
    `m=audio ${port + 2} RTP/AVP 97`,
    'a=rtpmap:97 MPEG4-GENERIC/48000/2',
    'a=fmtp:97 mode=AAC-hbr;config=1190;sizeLength=13;indexLength=3;indexDeltaLength=3',
    '',
  ].join('\r\n');
}

async function fileOf(text: string): Promise<string> {
  const name = join(folder, `${Math.random()}.sdp`);
  await writeFile(name, text);
  return `sdp://${name}`;
}

/** Sends a picture and a sound at a time, from an address of loopback. */
class Sender {
  readonly #socket: Socket;
  readonly #to: string;
  readonly #port: number;
  #n = 0;

  private constructor(socket: Socket, to: string, port: number) {
    this.#socket = socket;
    this.#to = to;
    this.#port = port;
  }

  static async open(context: TestContext, to: string, port: number, from = LOOPBACK) {
    const socket = createSocket('udp4');
    context.after(() => socket.close());
    socket.bind(0, from);
    await once(socket, 'listening');
    socket.setMulticastInterface(LOOPBACK);
    return new Sender(socket, to, port);
  }

  send(): void {
    const n = this.#n++;
    const common = { sequenceNumber: n, marker: true };
    const picture = nalUnit(n === 0 ? 0x65 : 0x41, 60, n & 0x3f);
    this.#packet(0, rtpBytes({ ...common, timestamp: n * 3600, payload: picture }));
    const sound = { payloadType: 97, timestamp: n * 1920, payload: hex`0010 0018 212223` };
    this.#packet(2, rtpBytes({ ...common, ...sound }));
  }

  bye(): void {
    this.#packet(1, hex`80c90001 00000001 81cb0001 00000001`);
  }

  #packet(offset: number, bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#port + offset, this.#to);
  }
}

/** When the driver listens: it says so in its log. */
async function listening(attempt: SourceAttempt): Promise<void> {
  await until(() => attempt.log.filter((line) => line.includes('listening')).length === 2);
  await new Promise((resolve) => setTimeout(resolve, 20));
}

test('to ports of ours: pictures and sound, and BYE ends it', async (context) => {
  const port = await freeUdpPair();
  const url = await fileOf(description(port, `c=IN IP4 ${LOOPBACK}`));
  const attempt = new SourceAttempt(context, url);
  const sender = await Sender.open(context, LOOPBACK, port);
  await listening(attempt);
  for (let n = 0; n < 3; n += 1) sender.send();
  await attempt.has(3, 3);
  assert.equal(attempt.driver.stats.transport, 'udp');
  assert.equal(attempt.driver.stats.receivedPackets, 6);
  sender.bye();
  const error = await attempt.result;
  assert.ok(error instanceof ProtocolError && error.code === 'RTP_BYE');
});

test('to a group, on the given interface, of the stated sender only', async (context) => {
  const port = await freeUdpPair();
  const url = await fileOf(
    description(port, `c=IN IP4 ${GROUP}/1\r\na=source-filter: incl IN IP4 * ${LOOPBACK}`),
  );
  const attempt = new SourceAttempt(context, url, { interface: LOOPBACK });
  const sender = await Sender.open(context, GROUP, port);
  const stranger = await Sender.open(context, GROUP, port, '127.0.0.2');
  await listening(attempt);
  sender.send();
  stranger.send();
  sender.send();
  await attempt.has(2, 2);
  assert.equal(attempt.driver.stats.transport, 'multicast');
  assert.equal(attempt.driver.stats.receivedPackets, 4);
});

test('a second sender at the same port is left out, and told', async (context) => {
  const port = await freeUdpPair();
  const attempt = new SourceAttempt(context, await fileOf(description(port, '')));
  const sender = await Sender.open(context, LOOPBACK, port);
  await listening(attempt);
  const stranger = createSocket('udp4');
  context.after(() => stranger.close());
  sender.send();
  await attempt.has(1, 1);
  stranger.send(rtpBytes({ ssrc: 99, sequenceNumber: 5000, timestamp: 7 }), port, LOOPBACK);
  sender.send();
  await attempt.has(2, 2);
  await until(() => /packets of another sender/.test(attempt.driver.notes.join()));
});

for (const [name, text, kind, words] of [
  ['without ports', description(0, ''), ParseError, /names no port for its video/],
  ['of nothing', 'hello', UnsupportedError, /neither video nor audio/],
  [
    'of what is encrypted',
    description(5000, '').replaceAll('RTP/AVP', 'RTP/SAVP'),
    UnsupportedError,
    /offers only/,
  ],
  ['too long', 'x'.repeat(70_000), ProtocolError, /too long/],
] as const) {
  test(`a description ${name}`, async (context) => {
    const error = await new SourceAttempt(context, await fileOf(text)).result;
    assert.ok(error instanceof kind, String(error));
    assert.match(error.message, words);
  });
}

test('a file that is not there; it may come later, and have a blank in its name', async (context) => {
  const name = join(folder, 'to come.sdp');
  const error = await new SourceAttempt(context, `sdp://${name}`).result;
  assert.ok(error instanceof ProtocolError && error.code === 'SDP_FILE');
  assert.match(error.message, /cannot be read \(ENOENT\)/);
  const port = await freeUdpPair();
  await writeFile(name, description(port, ''));
  const again = new SourceAttempt(context, `sdp://${name.replace(' ', '%20')}`);
  await listening(again);
});

test('a port that somebody else holds', async (context) => {
  const port = await freeUdpPair();
  const other = createSocket('udp4');
  context.after(() => other.close());
  other.bind(port + 2);
  await once(other, 'listening');
  const error = await new SourceAttempt(context, await fileOf(description(port, ''))).result;
  assert.ok(error instanceof ProtocolError && error.code === 'PORT_TAKEN');
  assert.match(error.message, new RegExp(`UDP port ${port + 2}`));
});

test('nothing that comes, in words', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const port = await freeUdpPair();
  const attempt = new SourceAttempt(context, await fileOf(description(port, '')));
  const ticking = setInterval(() => context.mock.timers.tick(1000), 5);
  const error = await attempt.result;
  clearInterval(ticking);
  assert.ok(error instanceof ProtocolError && error.code === 'NOTHING_COMES');
  assert.match(error.message, new RegExp(`UDP port ${port} and ${port + 2}`));
});
