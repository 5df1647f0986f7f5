/**
 * The RTMP server with the programs of others: ffmpeg publishes, ffmpeg and rtmpdump play, over TCP and TLS, with and
 * without a login, while hostile clients do their worst. One gateway serves all.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { concat } from '../../codecs/bytes.ts';
import { serializeAmf0 } from '../../codecs/flv/amf0.ts';
import { serializeMessage } from '../../protocols/rtmp/chunk-writer.ts';
import { commandMessage } from '../../protocols/rtmp/command.ts';
import { HANDSHAKE_BYTES } from '../../protocols/rtmp/handshake.ts';
import { assertSameUnits, type CodedUnit } from '../support/compare-units.ts';
import { FfmpegSender, MediaFolder } from '../support/ffmpeg-media.ts';
import { flvUnits, sha256 } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { makeMp4Media } from '../support/mp4-media.ts';
import { Publishing } from '../support/publishing.ts';
import { CLIENT_HANDSHAKE } from '../support/rtmp-client-dialogue.ts';
import { RtmpPlayer } from '../support/rtmp-player.ts';
import { SourceAttempt } from '../support/source-attempt.ts';
import { Lender } from '../support/test-media.ts';
import { untilClosed } from '../support/until-closed.ts';

const SECONDS = 5;
/** The last pictures may be held back by the player's muxer until the next come. */
const HELD_BACK = 4;
/** FLV has milliseconds on both sides. Players may come late on a busy machine. */
const EXACT = { toleranceUs: 1000, fewest: 60 };
const HANDSHAKE_MS = 2_000;

let gateway: GatewayProcess;
let folder: MediaFolder;
let file: string;
let sent: CodedUnit[];
/** Who has this picture has seen it to the end. */
let nearlyLast: CodedUnit;
const ports = { open: 0, hasty: 0, tls: 0, login: 0, replace: 0, viewers: 0 };

before(async () => {
  for (const key of Object.keys(ports) as (keyof typeof ports)[]) ports[key] = await freePort();
  const listen = (key: keyof typeof ports) => `listen: "127.0.0.1:${ports[key]}"`;
  gateway = await GatewayProcess.start(`acceptors:
  - { protocol: rtmp, ${listen('open')} }
  - { protocol: rtmp, ${listen('hasty')}, limits: { handshakeMs: ${HANDSHAKE_MS} } }
  - { protocol: rtmps, ${listen('tls')} }
  - { protocol: rtmp, ${listen('login')}, publish: { username: cam, password: "se&same" }, play: { token: look } }
  - { protocol: rtmp, ${listen('replace')}, duplicatePublisher: replace }
  - { protocol: rtmp, ${listen('viewers')}, play: { username: eye, password: wide-open } }
mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
`);
  folder = await MediaFolder.make();
  file = await folder.makeFlv('media.flv', SECONDS, ['-c:a', 'aac', '-b:a', '64k']);
  sent = flvUnits(await readFile(file));
  nearlyLast = sent.filter(({ kind }) => kind === 'video').at(-1 - HELD_BACK)!;
});

after(async () => {
  const { code } = await gateway.stop();
  await folder[Symbol.asyncDispose]();
  assert.equal(code, 0);
  assert.doesNotMatch(gateway.log, /se&same|look"|wide-open|"level":"(error|fatal)"/);
});

function url(key: keyof typeof ports, name: string, userInfo = ''): string {
  return `${server(key, userInfo)}/${name}`;
}

function server(key: keyof typeof ports, userInfo = ''): string {
  return `${key === 'tls' ? 'rtmps' : 'rtmp'}://${userInfo}127.0.0.1:${ports[key]}/live`;
}

function publish(target: string): FfmpegSender {
  return new FfmpegSender(file, ['-f', 'flv', target]);
}

async function isPublished(name: string): Promise<void> {
  await gateway.until(`${name} is online`, async () => {
    return (await gateway.stream(name))?.status.state === 'online';
  });
}

/** All of it, from the first keyframe that the player got. */
function assertExact(player: RtmpPlayer): void {
  assert.equal(player.units.find(({ kind }) => kind === 'video')?.key, true);
  assertSameUnits(sent, player.units, EXACT);
}

describe('the RTMP server', { concurrency: true }, () => {
  it('ffmpeg and rtmpdump wait for ffmpeg’s stream and get it, bit for bit, hostile clients or not', async () => {
    await using early = RtmpPlayer.ffmpeg(url('open', 'cam'));
    await using dump = RtmpPlayer.rtmpdump(server('open'), 'cam');
    using hostile = new HostileClients(ports.hasty);
    await hostile.playNeverReading('cam');
    await using publisher = publish(url('open', 'cam'));
    await isPublished('cam');
    hostile.begin();
    await early.has(30);
    await using late = RtmpPlayer.ffmpeg(url('open', 'cam?from=the%20middle'));
    await publisher.exited;
    for (const player of [early, dump, late]) {
      await player.sees(nearlyLast);
      assertExact(player);
    }
    await hostile.areSentAway();
    assert.ok((await gateway.rssMb()) < 300, `${await gateway.rssMb()} MB`);
  });

  it('rtmps: ffmpeg publishes and plays, rtmpdump plays', async () => {
    await using player = RtmpPlayer.ffmpeg(url('tls', 'secure'));
    await using dump = RtmpPlayer.rtmpdump(server('tls'), 'secure');
    await using publisher = publish(url('tls', 'secure'));
    await publisher.exited;
    for (const each of [player, dump]) {
      await each.sees(nearlyLast);
      assertExact(each);
    }
    assert.match(gateway.log, /"fingerprint":"([0-9A-F]{2}:){31}[0-9A-F]{2}"/);
  });

  it('Adobe’s login and a player’s token: the right ones are let in, the wrong ones are not', async () => {
    await using wrongPublisher = publish(url('login', 'guarded', 'cam:wrong@'));
    await using noLogin = publish(url('login', 'guarded'));
    await Promise.all([wrongPublisher.exited, noLogin.exited]);
    assert.match(wrongPublisher.log, /authfailed|Incorrect username\/password/);
    assert.notEqual(noLogin.log, '');
    assert.equal(await gateway.stream('guarded'), undefined);
    await using wrongPlayer = RtmpPlayer.rtmpdump(server('login'), 'guarded?token=x');
    await using withoutToken = RtmpPlayer.ffmpeg(url('login', 'guarded'));
    await using player = RtmpPlayer.ffmpeg(url('login', 'guarded?token=look'));
    await using dump = RtmpPlayer.rtmpdump(server('login'), 'guarded?token=look');
    await using known = RtmpPlayer.ffmpeg(url('viewers', 'guarded', 'eye:wide-open@'));
    await using publisher = publish(url('login', 'guarded', 'cam:se&same@'));
    await publisher.exited;
    for (const each of [player, dump, known]) {
      await each.sees(nearlyLast);
      assertExact(each);
    }
    await Promise.all([wrongPlayer.exited, withoutToken.exited]);
    assert.equal(wrongPlayer.pictures + withoutToken.pictures, 0);
  });

  it('a second publisher is refused, or takes the place of the first, as configured', async () => {
    const long = await folder.makeFlv('long.flv', 60, ['-c:a', 'aac', '-qp', '33']);
    await using first = new FfmpegSender(long, ['-f', 'flv', url('open', 'taken')]);
    await isPublished('taken');
    await using second = publish(url('open', 'taken'));
    await second.exited;
    assert.match(second.log, /taken is being published by 127\.0\.0\.1/);
    await using player = RtmpPlayer.ffmpeg(url('open', 'taken'));
    await player.has(10);
    await using third = publish(url('replace', 'taken'));
    await first.exited;
    assert.match(first.log, /127\.0\.0\.1 publishes the same name/);
    await third.exited;
    await player.sees(nearlyLast);
  });

  it('a source that returns: the player goes on in the same session', async () => {
    await using player = RtmpPlayer.ffmpeg(url('open', 'again'));
    for (const times of [1, 2]) {
      await using publisher = publish(url('open', 'again'));
      await publisher.exited;
      await player.sees(nearlyLast, times);
    }
    const { units } = player;
    const pictures = units.filter(({ kind }) => kind === 'video');
    const times = pictures.map(({ dtsUs }) => dtsUs ?? 0);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    const end = units.findIndex(({ sha256: digest }) => digest === nearlyLast.sha256);
    const again = units.findIndex(({ kind, key }, at) => at > end && kind === 'video' && key);
    const secondTime = units.slice(again);
    assertSameUnits(sent, secondTime, EXACT);
  });

  it('enhanced RTMP: H.265 and Opus of our own publisher to our own player, bit for bit', async (context) => {
    const media = await makeMp4Media({ seconds: 4, video: 'h265', audio: 'opus', bFrames: 2 });
    const player = new SourceAttempt(context, url('open', 'hevc'));
    await using publishing = new Publishing(
      { targetUri: server('open'), targetStreamName: 'hevc', videoCodecMode: 'enhanced' },
      media.tracks,
    );
    await publishing.accepted;
    const lender = new Lender();
    for (const unit of media.units) {
      publishing.write(lender.lend(unit));
      await sleep(2);
    }
    await player.has(98, 180);
    await publishing.stop();
    const sentUnits = media.units.map(({ track, ptsMs, dtsMs, randomAccess, data }) => ({
      kind: track.kind,
      ptsUs: ptsMs * 1000,
      dtsUs: dtsMs * 1000,
      sha256: sha256(data),
      key: randomAccess,
    }));
    const seen = player.sink.units.map(({ kind, ptsUs, dtsUs, data }) => ({
      kind,
      ptsUs,
      dtsUs,
      sha256: sha256(data),
    }));
    assertSameUnits(sentUnits, seen, EXACT);
  });

  it('a stream that has been here is refused, and our publisher says why', async () => {
    await using publishing = new Publishing(
      { targetUri: server('open'), targetStreamName: 'round' },
      [],
      ['box', 'edge'],
    );
    const error = (await publishing.ended) as { code?: string; message: string };
    assert.equal(error.code, 'RTMP_LOOP');
    assert.match(error.message, /has been here before/);
  });
});

/** They all come from one address, as they would in real life. */
class HostileClients {
  readonly #port: number;
  readonly #sockets: Socket[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #mustEnd: Promise<unknown>[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** Asks for the stream, and never reads a byte of it. */
  async playNeverReading(name: string): Promise<void> {
    const socket = this.#open();
    socket.pause();
    await once(socket, 'connect');
    socket.write(
      concat(
        CLIENT_HANDSHAKE,
        serializeMessage(commandMessage(0, 'connect', 1, { app: 'live' }), 3, 128),
        serializeMessage(commandMessage(0, 'createStream', 2, null), 3, 128),
        serializeMessage(commandMessage(1, 'play', 3, null, name, -2000), 3, 128),
      ),
    );
  }

  begin(): void {
    const noise = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 151) >> 3);
    this.#say(noise);
    this.#say(concat(Uint8Array.of(3), noise));
    this.#say(concat(CLIENT_HANDSHAKE, noise));
    this.#say(concat(CLIENT_HANDSHAKE, manyChunkStreams()));
    this.#say(concat(CLIENT_HANDSHAKE, endlessConnect()));
    this.#say(new TextEncoder().encode('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    this.#sayBytewise(CLIENT_HANDSHAKE);
    this.#sayBytewise(new Uint8Array(0));
    // Publishes, and goes without a word.
    const gone = this.#open();
    gone.end(CLIENT_HANDSHAKE.subarray(0, HANDSHAKE_BYTES));
  }

  /** All but the player, which may wait. */
  async areSentAway(): Promise<void> {
    const late = sleep(10_000, 'still connected', { ref: false });
    assert.notEqual(await Promise.race([Promise.all(this.#mustEnd), late]), 'still connected');
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  #say(bytes: Uint8Array): void {
    const socket = this.#open();
    socket.resume();
    socket.write(bytes);
    this.#mustEnd.push(untilClosed(socket));
  }

  /** A byte now and then: slow-loris. */
  #sayBytewise(bytes: Uint8Array): void {
    const socket = this.#open();
    socket.resume();
    let at = 0;
    this.#timers.push(
      setInterval(() => {
        if (at < bytes.length) socket.write(bytes.subarray(at, at + 1));
        at += 1;
      }, 50),
    );
    this.#mustEnd.push(untilClosed(socket));
  }

  #open(): Socket {
    const socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => undefined);
    this.#sockets.push(socket);
    return socket;
  }
}

/** A message begun on each of them. */
function manyChunkStreams(): Uint8Array {
  const begun = Array.from({ length: 65_599 - 64 }, (_, index) =>
    Uint8Array.of(1, index & 0xff, index >> 8, 0, 0, 0, 0, 0xff, 0xff, 20, 0, 0, 0, 0, 0),
  );
  return concat(...begun);
}

/** A connect whose object has no end. */
function endlessConnect(): Uint8Array {
  const entries = Object.fromEntries(
    Array.from({ length: 9_000 }, (_, n) => [`k${n}`, 'x'.repeat(90)]),
  );
  const payload = serializeAmf0('connect', 1, { app: 'live', ...entries });
  return serializeMessage({ typeId: 20, timestampMs: 0, messageStreamId: 0, payload }, 3, 128);
}
