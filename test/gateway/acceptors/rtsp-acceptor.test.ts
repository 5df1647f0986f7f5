import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { nalUnits } from '../../../codecs/nal-units.ts';
import type { Track } from '../../../codecs/track.ts';
import { Publications } from '../../../gateway/acceptors/publications.ts';
import { RtspAcceptor } from '../../../gateway/acceptors/rtsp-acceptor.ts';
import { configSchema } from '../../../gateway/config/schema.ts';
import { Hub } from '../../../gateway/hub/hub.ts';
import type { Stream } from '../../../gateway/hub/stream.ts';
import { Board } from '../../../gateway/report/board.ts';
import { BacklogBudget } from '../../../gateway/viewers/backlog-budget.ts';
import { HttpAuthenticator } from '../../../protocols/http-auth/authenticator.ts';
import { offeredTracks } from '../../../protocols/rtp/packetize/offered-medias.ts';
import { PacketBlock } from '../../../protocols/rtp/packetize/packet-block.ts';
import { serializeBye } from '../../../protocols/rtp/packetize/sender-report.ts';
import { StreamPacketizer } from '../../../protocols/rtp/packetize/stream-packetizer.ts';
import { parseRtcp } from '../../../protocols/rtp/rtcp.ts';
import { parseTransport } from '../../../protocols/rtsp/transport.ts';
import { parseSdp } from '../../../protocols/sdp/sdp.ts';
import { serializeSdp } from '../../../protocols/sdp/serialize-sdp.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { toHex } from '../../support/hex.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { avcc, nalUnit } from '../../support/rtp-packets.ts';
import { RtspClient } from '../../support/rtsp-client.ts';
import { SourceAttempt } from '../../support/source-attempt.ts';
import { AUDIO_TRACK, audioUnit, HEVC_TRACK, VIDEO_TRACK, videoUnit } from '../../support/units.ts';
import { until } from '../../support/until.ts';
import { untilClosed } from '../../support/until-closed.ts';

const TRACKS = [VIDEO_TRACK, AUDIO_TRACK];
const TCP = (channel: number) => ({
  Transport: `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`,
});

class Server {
  readonly clock = { aheadMs: 0 };
  readonly hub: Hub;
  readonly publications: Publications;
  readonly acceptor: RtspAcceptor;

  private constructor(acceptor: object) {
    const now = () => performance.now() + this.clock.aheadMs;
    const log = pino({ level: 'silent' });
    this.hub = new Hub(16 * 1024 * 1024, now);
    this.hub.on('added', (stream) => stream.expectSubscriber());
    this.publications = new Publications({
      ...{ hub: this.hub, board: new Board(), log, now, gatewayId: 'here', stallMs: 8000 },
      isReserved: () => false,
    });
    const { acceptors } = configSchema.parse({
      acceptors: [{ protocol: 'rtsp', listen: '127.0.0.1:0', ...acceptor }],
    });
    this.acceptor = new RtspAcceptor(acceptors[0]!, {
      ...{ hub: this.hub, publications: this.publications, log, now },
      viewers: { now, budget: new BacklogBudget() },
    });
  }

  static async start(context: TestContext, acceptor: object = {}): Promise<Server> {
    const server = new Server(acceptor);
    await server.acceptor.start();
    context.after(() => server.acceptor.stop());
    return server;
  }

  url(name: string): string {
    return `rtsp://127.0.0.1:${this.acceptor.port}/${name}`;
  }

  async client(context: TestContext, name: string): Promise<RtspClient> {
    const client = await RtspClient.open(this.url(name));
    context.after(() => client.close());
    return client;
  }

  /** A stream with a GOP of three pictures, and sound. */
  stream(name: string, tracks: readonly Track[] = TRACKS): Stream {
    const stream = this.hub.open(name);
    stream.start(tracks);
    this.gop(stream, 0);
    return stream;
  }

  gop(stream: Stream, fromMs: number): void {
    const [video] = stream.tracks;
    for (const n of [0, 1, 2]) {
      const dtsUs = (fromMs + n * 40) * 1000;
      if (video?.kind === 'video')
        stream.write({ ...videoUnit({ dtsUs, track: video }), ...picture(n) });
      if (stream.tracks.includes(AUDIO_TRACK)) stream.write(audioUnit({ dtsUs, fill: n }));
    }
  }
}

/** Larger than a packet. */
function picture(n: number) {
  const header = n === 0 ? 0x65 : 0x41;
  return { randomAccess: n === 0, data: avcc(nalUnit(header, 3000, n)) };
}

/** Plays on channels of its own choice; `tracks` are numbers and channels. */
async function play(client: RtspClient, ...tracks: readonly (readonly [number, number])[]) {
  assert.equal((await client.ask('DESCRIBE')).status, 200);
  for (const [track, channel] of tracks) {
    assert.equal((await client.ask('SETUP', `/trackID=${track}`, TCP(channel))).status, 200);
  }
  return await client.ask('PLAY');
}

for (const transport of ['tcp', 'udp'] as const) {
  test(`our own puller gets the GOP and what follows, over ${transport}`, async (context) => {
    const server = await Server.start(context);
    const stream = server.stream('door');
    const attempt = new SourceAttempt(context, server.url('live/door'), { transport });
    // Sound waits for the next picture, and so does the last.
    await attempt.has(3, 2);
    server.gop(stream, 120);
    await attempt.has(6, 5);
    const { video, audio, tracks } = attempt.sink;
    assert.deepEqual(tracks, TRACKS);
    const sent = [0, 1, 2, 0, 1, 2].map((n) => picture(n).data);
    const bare = video.map(({ data, randomAccess }) => {
      const units = [...nalUnits(data)];
      return toHex(avcc(...(randomAccess ? units.slice(2) : units)));
    });
    assert.deepEqual(bare, sent.map(toHex));
    assert.deepEqual(
      video.map(({ ptsUs }) => ptsUs - video[0]!.ptsUs),
      [0, 40_000, 80_000, 120_000, 160_000, 200_000],
    );
    assert.equal(audio[0]!.ptsUs, video[0]!.ptsUs, 'RTP-Info places both');
    assert.deepEqual(
      audio.map(({ data }) => data[0]),
      [0, 1, 2, 0, 1],
    );
    assert.equal(attempt.driver.stats.transport, transport);
    assert.equal(attempt.driver.stats.lostPackets, 0);
    assert.equal(stream.viewers, 1);
  });
}

test('channels of the player’s own choice, and only what it has set up', async (context) => {
  const server = await Server.start(context);
  server.stream('door');
  const both = await server.client(context, 'door');
  await play(both, [1, 0], [0, 8]);
  const sound = await server.client(context, 'door');
  const answer = await play(sound, [1, 0]);
  assert.match(answer.headers.get('rtp-info') ?? '', /^url=[^,]*\/trackID=1;seq=\d+;rtptime=\d+$/);
  await until(() => both.frames.length >= 13 && sound.frames.length >= 3);
  assert.deepEqual(new Set(both.frames.map(({ channel }) => channel)), new Set([0, 1, 8, 9]));
  assert.deepEqual(new Set(sound.frames.map(({ channel }) => channel)), new Set([0, 1]));
  const payloadTypes = sound.frames.filter(({ channel }) => channel === 0);
  assert.deepEqual(new Set(payloadTypes.map(({ bytes }) => bytes[1]! & 0x7f)), new Set([97]));
});

test('PAUSE stops the media, PLAY brings it back with a GOP', async (context) => {
  const server = await Server.start(context);
  const stream = server.stream('door');
  const client = await server.client(context, 'door');
  await play(client, [0, 0], [1, 2]);
  assert.equal((await client.ask('PAUSE')).status, 200);
  assert.equal(stream.viewers, 0);
  client.frames.length = 0;
  server.gop(stream, 120);
  assert.equal((await client.ask('OPTIONS')).status, 200);
  assert.equal(client.frames.length, 0);
  assert.equal((await client.ask('PLAY')).status, 200);
  await until(() => client.frames.length >= 12);
});

test('a stream that is not there yet is waited for; one that never comes is 404', async (context) => {
  const server = await Server.start(context);
  const early = await server.client(context, 'door');
  const never = await server.client(context, 'nothing');
  const description = early.ask('DESCRIBE');
  const refused = never.ask('DESCRIBE');
  await new Promise((resolve) => setTimeout(resolve, 50));
  server.stream('door');
  assert.equal((await description).status, 200);
  assert.equal((await refused).status, 404);
});

test('another format ends the session with BYE; new parameter sets do not', async (context) => {
  const server = await Server.start(context);
  const stream = server.stream('door', [VIDEO_TRACK]);
  const client = await server.client(context, 'door');
  await play(client, [0, 0]);
  await until(() => client.frames.length >= 9);
  stream.stop();
  stream.start([{ ...VIDEO_TRACK }]);
  server.gop(stream, 0);
  await until(() => client.frames.length >= 18);
  stream.stop();
  stream.start([HEVC_TRACK]);
  server.gop(stream, 0);
  await untilClosed(client.socket);
  const { channel, bytes } = client.frames.at(-1)!;
  assert.equal(channel, 1);
  const ssrc = new DataView(client.frames[1]!.bytes.buffer).getUint32(8);
  assert.deepEqual(parseRtcp(bytes, 0, bytes.length).byes, [ssrc]);
  const again = await server.client(context, 'door');
  const description = await again.ask('DESCRIBE');
  assert.match(new TextDecoder().decode(description.body), /H265/);
});

/** What a publisher of these tracks says and sends. */
class Publisher {
  readonly packetizer = new StreamPacketizer({
    block: new PacketBlock(),
    wallMs: Date.now,
    newestUs: () => undefined,
    random: () => 4711,
    cname: 'test',
  });
  readonly client: RtspClient;

  constructor(client: RtspClient) {
    this.client = client;
  }

  async announce() {
    const medias = offeredTracks(TRACKS).map(({ media }) => media);
    const sdp = serializeSdp({ name: 'test', version: 1, address: '127.0.0.1', medias });
    return await this.client.ask('ANNOUNCE', '', { 'Content-Type': 'application/sdp' }, sdp);
  }

  async record() {
    assert.equal((await this.announce()).status, 200);
    for (const track of [0, 1]) await this.client.ask('SETUP', `/trackID=${track}`, TCP(track * 2));
    return await this.client.ask('RECORD');
  }

  gop(fromMs = 0): void {
    for (const n of [0, 1, 2]) {
      const dtsUs = (fromMs + n * 40) * 1000;
      const sound = this.packetizer.frame(audioUnit({ dtsUs, fill: n }));
      const frame = this.packetizer.frame({ ...videoUnit({ dtsUs }), ...picture(n) });
      this.client.socket.write(Buffer.concat([sound!, frame!]));
    }
  }
}

test('what is published is a stream, bit for bit; a second one with the name is refused', async (context) => {
  const server = await Server.start(context);
  const publisher = new Publisher(await server.client(context, 'live/Door 1'.replace(' ', '%20')));
  assert.equal((await publisher.record()).status, 200);
  const sink = new RecordingSink();
  server.hub.get('door-1')!.subscribe(sink);
  publisher.gop();
  await sink.has(3, 3);
  assert.deepEqual(sink.tracks, TRACKS);
  assert.equal(toHex(sink.video[1]!.data), toHex(picture(1).data));
  assert.deepEqual(
    sink.audio.map(({ data }) => data[0]),
    [0, 1, 2],
  );
  const second = new Publisher(await server.client(context, 'door-1'));
  const refused = await second.record();
  assert.equal(refused.status, 403);
  assert.match(refused.reason, /is being published by 127\.0\.0\.1/);
  assert.equal((await publisher.client.ask('TEARDOWN')).status, 200);
  assert.equal(sink.stops, 1);
  assert.equal((await second.client.ask('RECORD')).status, 200, 'the name is free');
});

test('a publisher that says BYE, and one that another replaces', async (context) => {
  const server = await Server.start(context, { duplicatePublisher: 'replace' });
  const first = new Publisher(await server.client(context, 'door'));
  await first.record();
  first.gop();
  const second = new Publisher(await server.client(context, 'door'));
  const closed = untilClosed(first.client.socket);
  assert.equal((await second.record()).status, 200);
  await closed;
  second.gop();
  const stream = server.hub.get('door')!;
  await until(() => stream.isOnline);
  const bye = serializeBye(4711, 'test');
  second.client.socket.write(Buffer.concat([Uint8Array.of(0x24, 1, 0, bye.length), bye]));
  await untilClosed(second.client.socket);
  assert.ok(!stream.isOnline);
});

test('what cannot be carried is refused with the reason', async (context) => {
  const server = await Server.start(context);
  const client = await server.client(context, 'door');
  const sdp = 'v=0\r\nm=audio 0 RTP/AVP 10\r\n';
  const answer = await client.ask('ANNOUNCE', '', {}, sdp);
  assert.equal(answer.status, 415);
  assert.match(answer.reason, /l16/);
});

test('logins: each for its own, and an address that guesses is not listened to', async (context) => {
  const login = { username: 'viewer', password: 'right' };
  const server = await Server.start(context, {
    play: login,
    publish: { username: 'cam', password: 'other' },
  });
  server.stream('door');
  const publisher = new Publisher(await server.client(context, 'new'));
  assert.equal((await publisher.announce()).status, 401);
  const attempt = new SourceAttempt(context, server.url('door'), { credentials: login });
  await attempt.has(1, 1);
  const client = await server.client(context, 'door');
  const digest = new HttpAuthenticator({ username: 'viewer', password: 'guess' });
  let answer = await client.ask('DESCRIBE');
  for (let guess = 0; guess < 10; guess += 1) {
    assert.equal(answer.status, 401);
    digest.challenge(answer.headers.getAll('www-authenticate'), false);
    const Authorization = digest.authorize('DESCRIBE', client.url)!;
    answer = await client.ask('DESCRIBE', '', { Authorization });
  }
  assert.equal((await client.ask('DESCRIBE')).status, 403);
});

test('who neither plays nor publishes is sent away, and who talks too much before', async (context) => {
  const server = await Server.start(context, { limits: { bytesBeforeLogin: 4096 } });
  const idle = await server.client(context, 'door');
  const closed = untilClosed(idle.socket);
  const talker = await server.client(context, 'door');
  const cut = untilClosed(talker.socket);
  talker.socket.write('X-'.repeat(5000));
  await cut;
  server.clock.aheadMs = 10_000;
  await closed;
});

test('a player over UDP that is not heard of is sent away; over its connection it stays', async (context) => {
  const server = await Server.start(context);
  const stream = server.stream('door');
  const open = async (transport: string) => {
    const client = await server.client(context, 'door');
    await client.ask('DESCRIBE');
    const answer = await client.ask('SETUP', '/trackID=0', { Transport: transport });
    assert.equal(answer.status, 200);
    assert.equal((await client.ask('PLAY')).status, 200);
    return client;
  };
  const tcp = await open('RTP/AVP/TCP;interleaved=0-1');
  const udp = await open('RTP/AVP;unicast;client_port=9-10');
  assert.equal(stream.viewers, 2);
  const closed = untilClosed(udp.socket);
  server.clock.aheadMs = 60_000;
  await closed;
  assert.equal((await tcp.ask('OPTIONS')).status, 200);
  assert.equal(stream.viewers, 1);
});

test('the only track has one pair of ports, under whatever numbers it is set up', async (context) => {
  const server = await Server.start(context);
  server.stream('door', [VIDEO_TRACK]);
  const client = await server.client(context, 'door');
  const headers = { Transport: 'RTP/AVP;unicast;client_port=9-10' };
  const ports: number[] = [];
  for (const track of [0, 7, 999]) {
    const answer = await client.ask('SETUP', `/trackID=${track}`, headers);
    assert.equal(answer.status, 200);
    ports.push(parseTransport(answer.headers.get('transport')!).serverPort!);
  }
  for (const port of ports.slice(0, -1)) {
    const free = createSocket('udp4');
    free.bind(port, '127.0.0.1');
    await once(free, 'listening');
    free.close();
  }
  assert.equal((await client.ask('PLAY')).status, 200);
});

test('a player over UDP that asks on and on and reads no answer is sent away', async (context) => {
  const server = await Server.start(context);
  const stream = server.stream('door', [VIDEO_TRACK]);
  const client = await server.client(context, 'door');
  const headers = { Transport: 'RTP/AVP;unicast;client_port=9-10' };
  await client.ask('SETUP', '/trackID=0', headers);
  assert.equal((await client.ask('PLAY')).status, 200);
  client.socket.pause();
  const echoed = `OPTIONS ${client.url} RTSP/1.0\r\nRequire: ${'x'.repeat(16_000)}\r\n\r\n`;
  let sent = 0;
  while (stream.viewers > 0 && sent < 2_000) {
    await new Promise((resolve) => client.socket.write(echoed, resolve));
    sent += 1;
  }
  assert.equal(stream.viewers, 0);
});

test('the end of the gateway is told to players', async (context) => {
  const server = await Server.start(context);
  server.stream('door');
  const client = await server.client(context, 'door');
  await play(client, [0, 0], [1, 2]);
  await until(() => client.frames.length >= 12);
  const closed = untilClosed(client.socket);
  await server.acceptor.stop();
  await closed;
  const byes = client.frames.filter(
    ({ channel, bytes }) =>
      channel % 2 === 1 && parseRtcp(bytes, 0, bytes.length).byes !== undefined,
  );
  assert.equal(byes.length, 2);
});

test('the end of the gateway waits for no stream that was asked for', async (context) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const server = await Server.start(context);
  const following = mock.method(server.hub, 'follow');
  const client = await server.client(context, 'nowhere');
  client.socket.write(`DESCRIBE ${client.url} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
  await until(() => following.mock.callCount() === 1);
  await server.acceptor.stop();
  await until(() => timers() <= before, 1_500);
});

test('a player that does not read loses whole GOPs, and nobody else notices', async (context) => {
  const server = await Server.start(context);
  const stream = server.stream('door', [VIDEO_TRACK]);
  const slow = await server.client(context, 'door');
  await play(slow, [0, 0]);
  await until(() => slow.frames.length >= 11);
  slow.socket.pause();
  const quick = await server.client(context, 'door');
  await play(quick, [0, 0]);
  /** Half a MiB each, in two pictures. */
  const gop = async (n: number) => {
    for (const at of [0, 1]) {
      const data = avcc(nalUnit(at === 0 ? 0x65 : 0x41, 256 * 1024, n));
      const dtsUs = 1_000_000 + n * 80_000 + at * 40_000;
      stream.write({ ...videoUnit({ dtsUs }), data, randomAccess: at === 0 });
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const GOPS = 80;
  for (let n = 0; n < GOPS; n += 1) await gop(n);
  const markers = ({ frames }: RtspClient) =>
    frames.filter(({ channel, bytes }) => channel === 0 && (bytes[1]! & 0x80) !== 0).length;
  await until(() => markers(quick) === 3 + 2 * GOPS);
  slow.socket.resume();
  await until(() => markers(slow) > 3);
  let last = 0;
  await until(() => {
    const isAtRest = markers(slow) === last;
    last = markers(slow);
    return isAtRest;
  });
  await gop(GOPS);
  await until(() => markers(slow) === last + 2, 20_000);
  assert.ok(last < 3 + 2 * GOPS - 10, `${last} pictures of ${3 + 2 * GOPS}`);
  // Whole GOPs: behind every gap in the numbers come parameter sets in front of a keyframe.
  const packets = slow.frames.filter(({ channel }) => channel === 0);
  const numbers = packets.map(({ bytes }) => (bytes[2]! << 8) | bytes[3]!);
  const gaps = numbers.flatMap((number, at) =>
    at > 0 && number !== ((numbers[at - 1]! + 1) & 0xffff) ? [at] : [],
  );
  assert.ok(gaps.length > 0);
  for (const at of gaps) assert.equal(packets[at]!.bytes[12]! & 0x1f, 24, 'STAP-A of SPS and PPS');
});

test('rtsps, where a certificate is given: interleaved only', async (context) => {
  const { cert, key } = await makeCertificate('DNS:localhost,IP:127.0.0.1');
  const folder = await mkdtemp(join(tmpdir(), 'sluice-rtsps-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(certFile, cert);
  await writeFile(keyFile, key);
  const server = await Server.start(context, { certFile, keyFile });
  server.stream('door');
  const url = server.url('door').replace('rtsp:', 'rtsps:');
  const tls = { insecure: true };
  const attempt = new SourceAttempt(context, url, { tls, transport: 'tcp' });
  await attempt.has(3, 2);
  const refused = new SourceAttempt(context, url, { tls, transport: 'udp' });
  assert.match((await refused.error()).message, /461/);
});

test('a source that does not come back ends its players’ sessions', async (context) => {
  const server = await Server.start(context);
  const stream = server.stream('door');
  const client = await server.client(context, 'door');
  const stays = await server.client(context, 'door');
  for (const each of [client, stays]) {
    await each.ask('DESCRIBE');
    // Other channels than usual: what is left of the source still goes over these.
    assert.equal((await each.ask('SETUP', '/trackID=1', TCP(6))).status, 200);
  }
  await stays.ask('PLAY');
  mock.timers.enable({ apis: ['setTimeout'] });
  context.after(() => mock.timers.reset());
  stream.stop();
  client.socket.write(request('PLAY', client)); // it is away already
  await once(client.socket, 'data');
  mock.timers.tick(14_000);
  assert.ok(!stays.socket.destroyed);
  const ends = [client, stays].map(({ socket }) => once(socket, 'end'));
  mock.timers.tick(1_000);
  await Promise.all(ends);
  assert.deepEqual(new Set(stays.frames.map(({ channel }) => channel)), new Set([6, 7]));
});

function request(method: string, { url, headers }: RtspClient): string {
  return `${method} ${url} RTSP/1.0\r\nCSeq: 9\r\nSession: ${headers['Session']}\r\n\r\n`;
}

test('a description names us as the client reaches us', async (context) => {
  const server = await Server.start(context);
  server.stream('door');
  const client = await server.client(context, 'door');
  const { body, headers } = await client.ask('DESCRIBE');
  const text = new TextDecoder().decode(body);
  assert.match(text, /^o=.* IN IP4 127\.0\.0\.1\r$/m);
  assert.equal(headers.get('content-base'), `${client.url}/`);
  assert.equal(parseSdp(text).medias.length, 2);
});
