/** MPEG-TS from ffmpeg by every way it can send: what leaves it arrives, bit for bit and in time. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { adtsFrames } from '../../codecs/aac/adts.ts';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { annexBNalUnits } from '../../codecs/annex-b.ts';
import { nalUnits } from '../../codecs/nal-units.ts';
import type { Track } from '../../codecs/track.ts';
import { TsDemuxer } from '../../protocols/mpegts/demuxer.ts';
import { TsMuxer } from '../../protocols/mpegts/muxer.ts';
import { assertSameUnits } from '../support/compare-units.ts';
import { flvUnits, sha256 } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import {
  codecNames,
  MediaFolder,
  MpegtsSender,
  packetTimes,
  type SentPacket,
} from '../support/mpegts-sender.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';
import type { RecordedUnit } from '../support/recording-sink.ts';
import { SourceAttempt } from '../support/source-attempt.ts';
import { until } from '../support/until.ts';

const SECONDS = 6;
/** As /proc/net/tcp has it. */
const TCP_LISTEN = '0A';
const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-g', '25', '-threads', '1'];
const H265 = [
  '-c:v',
  'libx265',
  '-preset',
  'ultrafast',
  '-x265-params',
  'bframes=2:keyint=25:log-level=error:pools=1',
];
const AAC = ['-c:a', 'aac', '-b:a', '96k', '-ac', '2'];
const GROUP = '239.255.78.2';
/** What counts for a whole run: the last pictures may wait in the sender when it stops. */
const MOST = 0.9;

let folder: MediaFolder;
const files: Record<string, string> = {};

before(async () => {
  folder = await MediaFolder.make();
  const encode = async (name: string, video: readonly string[], audio: readonly string[]) => {
    files[name] = await folder.encode(`${name}.mkv`, { video, audio, seconds: SECONDS });
  };
  await encode('h264-aac', H264, AAC);
  await encode('h264-ac3', H264, ['-c:a', 'ac3', '-b:a', '128k', '-ac', '2']);
  await encode('h264-opus', H264, ['-c:a', 'libopus']);
  await encode('h265-mp3', H265, ['-c:a', 'libmp3lame', '-b:a', '64k']);
});

after(() => folder[Symbol.asyncDispose]());

interface Way {
  readonly output: readonly string[];
  readonly source: string;
  readonly interface?: string;
}

interface Case {
  readonly name: string;
  readonly media: string;
  readonly codecs: readonly [video: string, audio: string];
  /** What ffmpeg writes to, and what we read from. */
  readonly way: (port: number) => Way;
}

const ADDRESS = '127.0.0.1';
const udp =
  (extra: readonly string[] = []) =>
  (port: number) => ({
    output: [...extra, '-f', 'mpegts', `udp://${ADDRESS}:${port}?pkt_size=1316`],
    source: `udp://@${ADDRESS}:${port}`,
  });
const multicast = (port: number) => ({
  output: ['-f', 'mpegts', `udp://${GROUP}:${port}?pkt_size=1316&localaddr=127.0.0.1`],
  source: `udp://${ADDRESS}@${GROUP}:${port}`,
  interface: 'lo',
});
const tcp = (port: number) => ({
  output: ['-f', 'mpegts', `tcp://${ADDRESS}:${port}?listen=1`],
  source: `tcp://${ADDRESS}:${port}`,
});
const rtp = (port: number) => ({
  output: ['-f', 'rtp_mpegts', `rtp://${ADDRESS}:${port}`],
  source: `rtp://@${ADDRESS}:${port}`,
});

/** As a session description of RTP, and not as MPEG-TS: what an RTSP server of MPEG-TS would send. */
const sdp = (port: number) => {
  const file = folder.path(`${port}.sdp`);
  writeFileSync(file, `v=0\r\nc=IN IP4 ${ADDRESS}\r\nm=video ${port} RTP/AVP 33\r\n`);
  return { ...rtp(port), source: `sdp://${file}` };
};

const cases: readonly Case[] = [
  { name: 'UDP: H.264 with B-frames, AAC', media: 'h264-aac', codecs: ['h264', 'aac'], way: udp() },
  {
    name: 'multicast of one sender: H.265, MP3',
    media: 'h265-mp3',
    codecs: ['h265', 'mp3'],
    way: multicast,
  },
  { name: 'TCP: H.264, AC-3', media: 'h264-ac3', codecs: ['h264', 'ac3'], way: tcp },
  { name: 'RTP: H.265, MP3', media: 'h265-mp3', codecs: ['h265', 'mp3'], way: rtp },
  { name: 'LATM', media: 'h264-aac', codecs: ['h264', 'aac'], way: udp(['-mpegts_flags', 'latm']) },
  {
    name: 'packets of 192 bytes',
    media: 'h264-ac3',
    codecs: ['h264', 'ac3'],
    way: udp(['-mpegts_m2ts_mode', '1']),
  },
  { name: 'a session of RTP', media: 'h264-aac', codecs: ['h264', 'aac'], way: sdp },
  { name: 'Opus', media: 'h264-opus', codecs: ['h264', 'opus'], way: tcp },
];

for (const { name, media, codecs, way } of cases) {
  test(name, async (context) => {
    const port = await freePort();
    const { output, source, ...description } = way(port);
    const input = files[media] ?? '';
    const file = folder.path(`${port}.ts`);
    const isServer = source.startsWith('tcp');
    const first = isServer ? undefined : new SourceAttempt(context, source, description);
    if (first !== undefined) await listens(first);
    await using sender = new MpegtsSender([input], output, file);
    if (isServer) await listening(port);
    const attempt = first ?? new SourceAttempt(context, source, description);
    assert.equal(await sender.ended, 0, sender.errors);
    const times = { video: await packetTimes(file, 'v:0'), audio: await packetTimes(file, 'a:0') };
    await arrived(attempt, times.video.length - 1);
    await attempt.stop();

    assert.deepEqual(
      attempt.sink.tracks?.map(({ codec }) => codec),
      codecs,
    );
    assert.equal(attempt.driver.stats.lostPackets, 0);
    assert.equal(attempt.driver.stats.damagedUnits, 0);
    assertSameTimes(attempt.sink.video, times.video);
    assertSameTimes(attempt.sink.audio, times.audio);
    await assertSameBytes(attempt.sink.video, file, codecs[0]);
    // ffmpeg takes nothing out of LATM; the frames are those of the input.
    await assertSameBytes(attempt.sink.audio, name === 'LATM' ? input : file, codecs[1]);
  });
}

/** H.264 with AAC goes out in http-play.test.ts. */
const outAgain = [
  ['h264-ac3', 'h264', 'ac3'],
  ['h264-opus', 'h264', 'opus'],
  ['h265-mp3', 'hevc', 'mp3'],
] as const;

test('what ffmpeg muxes, demuxed and muxed again, is the same to it', async () => {
  await Promise.all(outAgain.map(([media, ...codecs]) => checkOutAgain(media, codecs)));
});

async function checkOutAgain(media: string, codecs: readonly string[]): Promise<void> {
  const before = await folder.remux(files[media] ?? '', `${media}-before.ts`);
  const after = folder.path(`${media}-after.ts`);
  await writeFile(after, muxedAgain(await readFile(before)));
  assert.deepEqual(await codecNames(after), codecs);
  for (const [index, stream] of ['v:0', 'a:0'].entries()) {
    const name = (codecs[index] ?? '').replace('hevc', 'h265');
    assert.deepEqual(await sentPieces(after, name), await sentPieces(before, name), media);
    const [times, wanted] = [await packetTimes(after, stream), await packetTimes(before, stream)];
    assert.equal(times.length, wanted.length, media);
    const shiftUs = times[0]!.dtsUs - wanted[0]!.dtsUs;
    for (const [at, { ptsUs, dtsUs }] of times.entries()) {
      const errorsUs = [ptsUs - wanted[at]!.ptsUs - shiftUs, dtsUs - wanted[at]!.dtsUs - shiftUs];
      // A tick of 90 kHz and what rounding makes of it.
      const isExact = errorsUs.every((us) => Math.abs(us) <= 23);
      assert.ok(isExact, `${media} ${stream} ${at}: ${errorsUs} us off`);
    }
  }
}

function muxedAgain(bytes: Uint8Array): Uint8Array {
  const muxer = new TsMuxer();
  const frames: Uint8Array[] = [];
  const sink = {
    start: (tracks: readonly Track[]) => muxer.start(tracks),
    write: (unit: AccessUnit) => frames.push(muxer.frame(unit) ?? assert.fail('not carried')),
    stop: () => undefined,
  };
  const demuxer = new TsDemuxer({ sink, now: () => 0, program: undefined });
  demuxer.push(bytes, 0, bytes.length);
  demuxer.flush();
  return Buffer.concat(frames);
}

/** Every unit has the times of the packet that ffprobe reads in its place, counted from the first that came. */
function assertSameTimes(units: readonly RecordedUnit[], packets: readonly SentPacket[]): void {
  const from = packets.findIndex(({ dtsUs }) => Math.abs(dtsUs - (units[0]?.dtsUs ?? 0)) <= 1000);
  assert.notEqual(from, -1, `the first unit, at ${units[0]?.dtsUs} us, was never sent`);
  assert.ok(units.length > MOST * packets.length, `${units.length} of ${packets.length} came`);
  for (const [index, { ptsUs, dtsUs }] of units.entries()) {
    const sent = packets[from + index];
    assert.ok(sent !== undefined, `unit ${index} is one too many`);
    const errorsUs = [ptsUs - sent.ptsUs, dtsUs - sent.dtsUs];
    assert.ok(
      errorsUs.every((us) => Math.abs(us) <= 1000),
      `unit ${index} is ${errorsUs} us off`,
    );
  }
}

/** What ffmpeg itself finds in the file, and where the units lie in it. */
async function assertSameBytes(
  units: readonly RecordedUnit[],
  file: string,
  codec: string,
): Promise<void> {
  const sent = await sentPieces(file, codec);
  const got = units
    .flatMap(({ data }) => (codec.startsWith('h26') ? [...nalUnits(data)] : [data]))
    .map(sha256);
  const from = sent.indexOf(got[0] ?? '');
  assert.notEqual(from, -1, `the first piece of ${codec} was never sent`);
  // Parameter sets and delimiters repeat: the first place may not be the right one.
  const starts = sent.flatMap((hash, at) => (hash === got[0] ? [at] : []));
  const isSame = starts.some((start) => got.every((hash, index) => hash === sent[start + index]));
  assert.ok(
    isSame,
    `${codec}: ${got.length} pieces of ${sent.length} came, and not as they were sent`,
  );
}

async function sentPieces(file: string, codec: string): Promise<string[]> {
  switch (codec) {
    case 'h264':
      return Array.from(annexBNalUnits(await folder.elementary(file, '0:v', 'h264')), sha256);
    case 'h265':
      return Array.from(annexBNalUnits(await folder.elementary(file, '0:v', 'hevc')), sha256);
    case 'aac':
      return Array.from(adtsFrames(await folder.elementary(file, '0:a', 'adts')), sha256);
    default:
      return await folder.packetHashes(file, '0:a');
  }
}

/** What is sent earlier is lost. */
async function listens({ log }: SourceAttempt): Promise<void> {
  await until(() => log.some((line) => line.includes('listening')));
}

async function arrived({ sink, driver, log }: SourceAttempt, pictures: number): Promise<void> {
  await until(() => sink.video.length >= pictures).catch((cause: unknown) => {
    const what = `${sink.video.length} of ${pictures} pictures`;
    throw new Error(`${what}, ${JSON.stringify(driver.stats)}\n${log.join('')}`, { cause });
  });
}

/** Connecting would be the one connection that it takes. */
async function listening(port: number): Promise<void> {
  const address = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 ${TCP_LISTEN} `;
  await until(() => readFileSync('/proc/net/tcp', 'latin1').includes(address));
}

test('the programme that was asked for, of two', async (context) => {
  const port = await freePort();
  const input = files['h264-aac'] ?? '';
  const other = files['h265-mp3'] ?? '';
  const attempt = new SourceAttempt(context, `udp://@${ADDRESS}:${port}`, { program: 2 });
  await listens(attempt);
  const options = [
    ...['-map', '1', '-program', 'title=one:program_num=1:st=0:st=1'],
    ...['-program', 'title=two:program_num=2:st=2:st=3'],
  ];
  const file = folder.path('two.ts');
  const output = ['-f', 'mpegts', `udp://${ADDRESS}:${port}?pkt_size=1316`];
  await using sender = new MpegtsSender([input, other], output, file, options);
  assert.equal(await sender.ended, 0, sender.errors);
  const times = { video: await packetTimes(file, 'v:1'), audio: await packetTimes(file, 'a:1') };
  await arrived(attempt, times.video.length - 1);
  assert.deepEqual(
    attempt.sink.tracks?.map(({ codec }) => codec),
    ['h265', 'mp3'],
  );
  assertSameTimes(attempt.sink.video, times.video);
  assertSameTimes(attempt.sink.audio, times.audio);
});

test('sluice relay: from UDP to nginx, what a player gets is what was sent', async () => {
  const port = await freePort();
  await using nginx = await NginxRtmp.start();
  const target = `${nginx.url('record')}/encoder`;
  const source = `udp://@${ADDRESS}:${port}`;
  const relay = spawn(process.execPath, ['dist/gateway/main.js', 'relay', source, target], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const output of [relay.stdout, relay.stderr]) output.on('data', (text) => (log += text));
  await once(relay.stdout, 'data');
  const file = folder.path('relayed.ts');
  const output = ['-f', 'mpegts', `udp://${ADDRESS}:${port}?pkt_size=1316`];
  await using sender = new MpegtsSender([files['h264-aac'] ?? ''], output, file, [], 1);
  assert.equal(await sender.ended, 0, sender.errors);
  const exited = once(relay, 'exit');
  relay.kill('SIGTERM');
  await exited;
  const recorded = await nginx.recorded('encoder');
  const sent = flvUnits(await folder.elementary(file, '0', 'flv'));
  const { video, audio } = assertSameUnits(sent, flvUnits(recorded), { fewest: 300 });
  assert.ok(video > 100 && audio > 200, `${video} pictures, ${audio} sounds\n${log}`);
});
