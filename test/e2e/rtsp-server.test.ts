/**
 * The RTSP server with real publishers and players: ffmpeg publishes over TCP and UDP; ffmpeg, GStreamer, our own puller and
 * `sluice relay` play. What one sends the others get, bit for bit and in time, B-frames included.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { annexBNalUnits } from '../../codecs/annex-b.ts';
import { concat } from '../../codecs/bytes.ts';
import { nalUnits } from '../../codecs/nal-units.ts';
import type { SourceDescription } from '../../drivers/catalog.ts';
import { assertSameUnits, type CodedUnit, type SeenUnit } from '../support/compare-units.ts';
import { FfmpegSender, MediaFolder } from '../support/ffmpeg-media.ts';
import { type FileUnit, fileUnits, withoutSets } from '../support/file-units.ts';
import { sha256 } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RelayProcess } from '../support/relay-process.ts';
import { RtspClient } from '../support/rtsp-client.ts';
import { SourceAttempt } from '../support/source-attempt.ts';
import { until } from '../support/until.ts';
import { untilClosed } from '../support/until-closed.ts';

const run = promisify(execFile);
const GST_PLAYER = fileURLToPath(
  new URL('../../../test/support/gst-rtsp-player.py', import.meta.url),
);
const GST_PUBLISHER = fileURLToPath(
  new URL('../../../test/support/gst-rtsp-publisher.py', import.meta.url),
);
const LOGIN = { username: 'viewer', password: 'p w' };
const PICTURES = 50;
const FRAMES = 60;
/** As long as the last of the players needs on a busy machine. */
const MEDIA_S = 20;
/** Beside this, what sender reports correct when they come. */
const LIP_SYNC_US = 25_000;
const START_CODE = Uint8Array.of(0, 0, 0, 1);

const folder = await MediaFolder.make();
let gateway: GatewayProcess;
let sent: { readonly h264: FileUnit[]; readonly h265: FileUnit[] };
const publishers: FfmpegSender[] = [];
const port = { open: 0, closed: 0, rtmp: 0 };

async function encode(name: string, encoder: readonly string[], hasAudio: boolean) {
  const file = join(folder.path, name);
  const sound = ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${MEDIA_S}`];
  await run('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${MEDIA_S}`],
    ...(hasAudio ? [...sound, '-c:a', 'aac', '-ac', '2'] : []),
    ...['-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '2', '-g', '25', ...encoder, file],
  ]);
  return file;
}

before(async () => {
  const [h264, h265, ...ports] = await Promise.all([
    encode('h264.mp4', ['-c:v', 'libx264', '-x264-params', 'repeat-headers=1:scenecut=0'], true),
    encode(
      'h265.mp4',
      ['-c:v', 'libx265', '-x265-params', 'repeat-headers=1:scenecut=0:log-level=none'],
      false,
    ),
    ...[freePort(), freePort(), freePort()],
  ]);
  [port.open = 0, port.closed = 0, port.rtmp = 0] = ports;
  sent = { h264: await fileUnits(h264), h265: await fileUnits(h265) };
  const login = `{ username: ${LOGIN.username}, password: "${LOGIN.password}" }`;
  gateway = await GatewayProcess.start(`acceptors:
  - { protocol: rtsp, listen: "127.0.0.1:${port.open}" }
  - { protocol: rtsp, listen: "127.0.0.1:${port.closed}", publish: ${login}, play: ${login} }
  - { protocol: rtmp, listen: "127.0.0.1:${port.rtmp}" }
`);
  const publish = (file: string, transport: string, url: string) =>
    publishers.push(new FfmpegSender(file, ['-f', 'rtsp', '-rtsp_transport', transport, url]));
  publish(h264, 'tcp', open('live/over-tcp'));
  publish(h264, 'udp', `rtsp://viewer:p%20w@127.0.0.1:${port.closed}/over-udp`);
  publish(h265, 'tcp', open('hevc'));
  // Who asks for them earlier waits for ten seconds, and on a busy machine ffmpeg may take longer.
  for (const name of ['over-tcp', 'over-udp', 'hevc']) {
    await gateway.until(`${name} is online`, async () => {
      return (await gateway.stream(name))?.status?.state === 'online';
    });
  }
});

after(async () => {
  for (const publisher of publishers) await publisher[Symbol.asyncDispose]();
  await gateway.stop();
  await folder[Symbol.asyncDispose]();
});

function open(name: string): string {
  return `rtsp://127.0.0.1:${port.open}/${name}`;
}

function closed(name: string): string {
  return `rtsp://127.0.0.1:${port.closed}/${name}`;
}

/** GStreamer makes its times from arrivals as well, which a busy machine and a GOP at once upset: bits and order only. */
function assertGStreamerGot(from: readonly CodedUnit[], seen: readonly SeenUnit[]) {
  assertSameUnits(from, seen, { fewest: PICTURES, toleranceUs: Number.POSITIVE_INFINITY });
}

function assertArrived(from: readonly CodedUnit[], seen: readonly SeenUnit[], fewest: number) {
  const { audioDelayUs } = assertSameUnits(from, seen, { fewest });
  assert.ok(Math.abs(audioDelayUs ?? 0) <= LIP_SYNC_US, `sound is ${audioDelayUs} us late`);
}

/** Our own puller. */
async function pull(
  context: TestContext,
  url: string,
  description: Partial<SourceDescription>,
  frames = FRAMES,
): Promise<SeenUnit[]> {
  const attempt = new SourceAttempt(context, url, description);
  await attempt.has(PICTURES, frames);
  await attempt.stop();
  assert.equal(attempt.driver.stats.lostPackets, 0);
  return attempt.sink.units.map(({ data, ...unit }) => ({ ...unit, sha256: sha256(data) }));
}

/** ffmpeg's demuxer. It knows no decoding times, and gives NAL units behind start codes. */
async function probe(transport: string, url: string): Promise<SeenUnit[]> {
  const entries = 'packet=codec_type,pts_time,data_hash';
  const show = ['-show_entries', entries, '-show_data_hash', 'sha256', '-of', 'json'];
  const input = [
    '-rtsp_transport',
    transport,
    '-read_intervals',
    `%+#${2 * (PICTURES + FRAMES)}`,
    url,
  ];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...show, ...input], { timeout: 30_000 });
  const { packets } = JSON.parse(stdout) as { packets: ProbedPacket[] };
  // Its parser loses the time of the very first picture.
  const timed = packets.filter(({ pts_time }) => pts_time !== undefined);
  assert.ok(packets.length - timed.length <= 1);
  return timed.map(({ codec_type, pts_time, data_hash }) => ({
    kind: codec_type,
    ptsUs: Math.round(Number(pts_time) * 1_000_000),
    sha256: data_hash.replace('SHA256:', ''),
  }));
}

interface ProbedPacket {
  readonly codec_type: 'video' | 'audio';
  readonly pts_time?: string;
  readonly data_hash: string;
}

/** ffmpeg leaves zeros of start codes where they are (H.264 §B.1, H.265 §B.2). */
function digest(nalUnit: Uint8Array): string {
  return sha256(nalUnit.subarray(0, nalUnit.findLastIndex((byte) => byte !== 0) + 1));
}

function annexB(units: readonly FileUnit[]): CodedUnit[] {
  return units.map((unit) => {
    if (unit.kind === 'audio') return unit;
    const parts = [...nalUnits(unit.data)].flatMap((nalUnit) => [START_CODE, nalUnit]);
    return { ...unit, sha256: sha256(concat(...parts)) };
  });
}

async function playWithGStreamer(...args: readonly string[]): Promise<SeenUnit[]> {
  const command = [GST_PLAYER, ...args.slice(0, 3), String(PICTURES), ...args.slice(3)];
  const { stdout } = await run('/usr/bin/python3', command, { timeout: 30_000 });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line): SeenUnit => JSON.parse(line));
}

describe('the RTSP server', { concurrency: true }, () => {
  describe('published by ffmpeg over TCP', { concurrency: true }, () => {
    test('arrives at our own puller, over TCP', async (context) => {
      const seen = await pull(context, open('over-tcp'), { transport: 'tcp' });
      assertArrived(sent.h264, seen, PICTURES + FRAMES);
    });

    test('… over UDP', async (context) => {
      const seen = await pull(context, open('live/over-tcp'), { transport: 'udp' });
      assertArrived(sent.h264, seen, PICTURES + FRAMES);
    });

    for (const transport of ['tcp', 'udp']) {
      test(`… at ffmpeg, over ${transport}`, async () => {
        const seen = await probe(transport, open('live/over-tcp'));
        assertArrived(annexB(sent.h264), seen, PICTURES);
      });

      test(`… at GStreamer, over ${transport}`, async () => {
        const seen = await playWithGStreamer(open('over-tcp'), transport, 'h264');
        assertGStreamerGot(withoutSets(sent.h264, 'h264'), seen);
      });
    }

    test('… at a RTMP player', async (context) => {
      const url = `rtmp://127.0.0.1:${port.rtmp}/live/over-tcp`;
      const seen = await pull(context, url, {});
      assertArrived(sent.h264, seen, PICTURES + FRAMES);
    });

    test('is told with its publisher and its tracks', async () => {
      const stream = await gateway.until('the stream is online', async () => {
        const entry = await gateway.stream('over-tcp');
        return entry?.status?.state === 'online' && entry;
      });
      assert.match(JSON.stringify(stream), /RTSP publisher at 127\.0\.0\.1/);
    });
  });

  describe('published by ffmpeg over UDP, with a login', { concurrency: true }, () => {
    test('arrives at our own puller', async (context) => {
      const seen = await pull(context, closed('over-udp'), {
        transport: 'tcp',
        credentials: LOGIN,
      });
      assertArrived(sent.h264, seen, PICTURES + FRAMES);
    });

    test('… at GStreamer', async () => {
      const { username, password } = LOGIN;
      const seen = await playWithGStreamer(closed('over-udp'), 'udp', 'h264', username, password);
      assertGStreamerGot(withoutSets(sent.h264, 'h264'), seen);
    });

    test('… through `sluice relay`, which publishes it to another name', async (context) => {
      const source = `rtsp://viewer:p%20w@127.0.0.1:${port.closed}/live/over-udp`;
      await using _ = new RelayProcess(source, `rtmp://127.0.0.1:${port.rtmp}/live/relayed`);
      await gateway.until('the relayed stream is online', async () => {
        return (await gateway.stream('relayed'))?.status?.state === 'online';
      });
      const seen = await pull(context, open('relayed'), { transport: 'tcp' });
      assertArrived(sent.h264, seen, PICTURES + FRAMES);
    });

    for (const [name, login] of [
      ['a wrong password', 'viewer:wrong@'],
      ['no password', ''],
    ] as const) {
      test(`${name} is refused`, async () => {
        const url = `rtsp://${login}127.0.0.1:${port.closed}/over-udp`;
        await assert.rejects(run('ffprobe', ['-v', 'error', url], { timeout: 20_000 }), /401/);
      });
    }

    test('who may not publish is refused', async () => {
      const input = ['-v', 'error', '-re', '-i', join(folder.path, 'h264.mp4'), '-c', 'copy'];
      const url = `rtsp://viewer:wrong@127.0.0.1:${port.closed}/another`;
      await assert.rejects(
        run('ffmpeg', [...input, '-f', 'rtsp', url], { timeout: 20_000 }),
        /401/,
      );
      assert.equal(await gateway.stream('another'), undefined);
    });
  });

  describe('H.265', { concurrency: true }, () => {
    test('arrives at our own puller', async (context) => {
      const seen = await pull(context, open('hevc'), { transport: 'tcp' }, 0);
      assertArrived(sent.h265, seen, PICTURES);
    });

    test('… at ffmpeg', async () => {
      const input = ['-v', 'error', '-rtsp_transport', 'udp', '-i', open('hevc')];
      const output = ['-frames:v', String(PICTURES), '-c', 'copy', '-f', 'hevc', '-'];
      const { stdout } = await run('ffmpeg', [...input, ...output], {
        ...{ encoding: 'buffer', timeout: 30_000, maxBuffer: 16 * 1024 * 1024 },
      });
      const seen = [...annexBNalUnits(stdout)].map(digest);
      const all = sent.h265.flatMap(({ data }) => [...nalUnits(data)].map(digest));
      const from = all.findIndex((_, at) => seen.every((each, n) => each === all[at + n]));
      assert.ok(
        seen.length >= PICTURES && from !== -1,
        `${seen.length} NAL units, others than sent`,
      );
    });

    test('… at GStreamer', async () => {
      const seen = await playWithGStreamer(open('hevc'), 'tcp', 'h265');
      assertGStreamerGot(withoutSets(sent.h265, 'h265'), seen);
    });
  });

  describe('others', { concurrency: true }, () => {
    /** What ffmpeg finds, and that it can decode it: it says nothing. */
    const decoded = async (url: string) => {
      const entries = 'stream=codec_name,sample_rate,channels';
      const show = ['-v', 'error', '-show_entries', entries, '-of', 'csv=p=0', url];
      const { stdout } = await run('ffprobe', show, { timeout: 30_000 });
      const decode = ['-v', 'error', '-i', url, '-t', '1', '-f', 'null', '-'];
      const { stderr } = await run('ffmpeg', decode, { timeout: 30_000 });
      assert.equal(stderr, '');
      return stdout.trim().split(/\s+/);
    };

    for (const transport of ['tcp', 'udp']) {
      test(`GStreamer publishes over ${transport}`, async (context) => {
        const url = open(`gst-${transport}`);
        const publisher = spawn('/usr/bin/python3', [GST_PUBLISHER, url, transport]);
        context.after(() => publisher.kill('SIGKILL'));
        await gateway.until('it is online', async () => {
          return (await gateway.stream(`gst-${transport}`))?.status?.state === 'online';
        });
        assert.deepEqual(await decoded(url), ['h264', 'aac,48000,2']);
      });
    }

    const sounds: readonly (readonly [name: string, encoder: readonly string[], want: string])[] = [
      ['pcm_alaw', ['-ar', '8000', '-ac', '1'], 'pcm_alaw,8000,1'],
      ['libopus', ['-ac', '2'], 'opus,48000,2'],
      ['libmp3lame', ['-ac', '2', '-b:a', '320k'], 'mp3,48000,2'],
    ];
    for (const [name, encoder, want] of sounds) {
      test(`sound alone: ${name}`, async (context) => {
        const source = ['-re', '-f', 'lavfi', '-i', 'sine=sample_rate=48000'];
        const target = ['-f', 'rtsp', '-rtsp_transport', 'tcp', open(name)];
        const args = ['-v', 'error', ...source, '-c:a', name, ...encoder, ...target];
        const publisher = spawn('ffmpeg', args);
        context.after(() => publisher.kill('SIGKILL'));
        await gateway.until(
          'it is there',
          async () => await gateway.stream(name.replace('_', '-')),
        );
        assert.deepEqual(await decoded(open(name)), [want]);
      });
    }
  });

  describe('bad clients', { concurrency: true }, () => {
    const says: readonly (readonly [name: string, bytes: () => Uint8Array | string])[] = [
      ['noise', () => randomBytes(64 * 1024)],
      ['HTTP', () => 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['a header that never ends', () => `OPTIONS * RTSP/1.0\r\nX: ${'x'.repeat(256 * 1024)}`],
      [
        'a body as large as memory',
        () => 'ANNOUNCE x RTSP/1.0\r\nContent-Length: 99999999999\r\n\r\n',
      ],
      [
        'frames before anything',
        () => Buffer.alloc(128 * 1024, Buffer.from([0x24, 0, 0xff, 0xff])),
      ],
      [
        'a thousand requests',
        () => 'DESCRIBE rtsp://h/none RTSP/1.0\r\nCSeq: 1\r\n\r\n'.repeat(1000),
      ],
    ];
    for (const [name, bytes] of says) {
      test(`${name}: the connection is ended`, async () => {
        const socket = connect(port.open, '127.0.0.1');
        socket.resume();
        socket.write(bytes());
        await untilClosed(socket);
      });
    }

    test('players that never read disturb nobody', async (context) => {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const client = await RtspClient.open(open('over-tcp'));
          context.after(() => client.close());
          await client.ask('DESCRIBE');
          const Transport = 'RTP/AVP/TCP;unicast;interleaved=0-1';
          await client.ask('SETUP', '/trackID=0', { Transport });
          assert.equal((await client.ask('PLAY')).status, 200);
          await until(() => client.frames.length > 0);
          client.socket.pause();
        }),
      );
      const seen = await pull(context, open('over-tcp'), { transport: 'tcp' });
      assertArrived(sent.h264, seen, PICTURES + FRAMES);
      assert.ok(gateway.isRunning);
    });
  });
});
