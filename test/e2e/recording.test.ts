/**
 * Recording and playing of files by the whole gateway: publishers that say `record` and `append`, a power cut, a full disk; ffmpeg,
 * rtmpdump and curl's way of asking for ranges as players. Bit by bit what was published.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RecordingStatus } from '../../gateway/report/status.ts';
import { lineOfUnit, play } from '../support/ffprobe.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { whyNot } from '../support/network-namespace.ts';
import { Publishing } from '../support/publishing.ts';
import { Lender, makeTestMedia, type TestMedia } from '../support/test-media.ts';

const run = promisify(execFile);

const SECONDS = 6;
/** How much faster than a camera the test sends. */
const SPEED = 6;
/** All that ffprobe and rtmpdump want to buffer: a file comes as fast as they take it. */
const BUFFER_ALL = ['-rtmp_buffer', '600000'];
/** Less than a GOP. */
const FIRST_UNITS = 20;
/** Nothing for so long on a busy machine: nothing more comes. */
const STILL_MS = 2_500;
const PATIENCE_MS = 45_000;
const TEST_MS = 90_000;
const options = { timeout: TEST_MS };

let folder: string;
let camera: TestMedia;
let gateway: GatewayProcess;
let rtmpPort: number;

before(
  async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-recording-'));
    rtmpPort = await freePort();
    [camera, gateway] = await Promise.all([
      makeTestMedia({ seconds: SECONDS, bFrames: 2 }),
      GatewayProcess.start(await yaml(rtmpPort, join(folder, 'recordings'), 'flv')),
      makeFiles(),
    ]);
  },
  { timeout: TEST_MS },
);

after(async () => {
  await gateway?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function yaml(port: number, dir: string, format: 'flv' | 'fmp4'): Promise<string> {
  return `mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
acceptors: [{ protocol: rtmp, listen: "127.0.0.1:${port}" }]
recording: { dir: "${dir}", format: ${format} }
vod: { dir: "${folder}/media" }`;
}

/** With B-frames and an edit list; the same in fragments; sound alone. */
async function makeFiles(): Promise<void> {
  const at = (name: string) => join(folder, 'media', name);
  const plain = at('plain.mp4');
  await run('mkdir', [at('')]);
  await run('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${SECONDS}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${SECONDS}`],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-threads', '1'],
    ...['-bf', '2', '-g', '25', '-sc_threshold', '0', '-c:a', 'aac', plain],
  ]);
  const copy = ['-v', 'error', '-i', plain, '-c', 'copy'];
  await run('ffmpeg', [...copy, '-movflags', 'frag_keyframe+empty_moov', at('fragments.mp4')]);
  await run('ffmpeg', [...copy, at('plain.flv')]);
  await run('ffmpeg', ['-v', 'error', '-i', plain, '-vn', '-c:a', 'libmp3lame', at('song.mp3')]);
  await writeFile(join(folder, 'secret.mp4'), await readFile(plain));
}

interface PublishOptions {
  /** Asked before each unit: the rest is not sent. */
  readonly isEnough?: () => boolean;
  /** Awaited behind the first pictures. */
  readonly isReady?: () => Promise<unknown>;
}

/** Publishes the camera's units, and goes when they are sent. */
async function publish(
  port: number,
  name: string,
  type: 'record' | 'append',
  { isEnough = () => false, isReady }: PublishOptions = {},
): Promise<void> {
  const target = { targetUri: `rtmp://127.0.0.1:${port}/live`, targetStreamName: name };
  const publishing = new Publishing({ ...target, targetStreamType: type }, camera.tracks);
  await publishing.accepted;
  const lender = new Lender();
  const startedAt = performance.now();
  const beginMs = camera.units[0]!.dtsMs;
  for (const [index, unit] of camera.units.entries()) {
    if (index === FIRST_UNITS) await isReady?.();
    const aheadMs = (unit.dtsMs - beginMs) / SPEED - (performance.now() - startedAt);
    if (aheadMs > 5) await sleep(aheadMs);
    if (isEnough()) break;
    publishing.write(lender.lend(unit));
  }
  publishing.sink?.stop();
  await publishing.stop().catch((error: unknown) => {
    if (!isEnough()) throw error;
  });
}

async function statusOf(box: GatewayProcess, name: string): Promise<RecordingStatus | undefined> {
  const statuses = (await box.api('recordings')) as RecordingStatus[];
  return statuses.find(({ stream }) => stream === name);
}

/** The file is closed, too: it says how long it is. */
async function closed(path: string, isClosed: (bytes: Buffer) => boolean): Promise<Buffer> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; ) {
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    if (isClosed(bytes)) return bytes;
    await sleep(50);
  }
  throw new Error(`${path} was not closed`);
}

/** FLV: the duration in onMetaData is not 0. */
function hasDuration(bytes: Buffer): boolean {
  const at = bytes.indexOf('\0\bduration\0', 0, 'latin1');
  return at !== -1 && bytes.readDoubleBE(at + 11) > 0;
}

/** What was published, as ffprobe has it: from the first unit on, times in milliseconds. */
function sent(kind: 'video' | 'audio'): string[] {
  const first = camera.units.findIndex(
    ({ track, randomAccess }) => track.kind === 'video' && randomAccess,
  );
  const fromMs = camera.units[first]!.dtsMs;
  return camera.units
    .slice(first)
    .filter(({ track, dtsMs }) => track.kind === kind && dtsMs >= fromMs)
    .map((unit) => lineOfUnit(unit, fromMs));
}

async function played(url: string, kind: 'video' | 'audio', ...args: string[]): Promise<string[]> {
  const packets = await play(url, ...args).packets;
  return packets.filter((line) => line.startsWith(kind));
}

/** Bytes and kind of each, without its times. */
function contents(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/pts=\S+ dts=\S+ /, ''));
}

function times(lines: readonly string[]): { pts: number[]; dts: number[] } {
  const of = (name: string) =>
    lines.map((line) => Number(new RegExp(`${name}=(-?\\d+)`).exec(line)?.[1]));
  return { pts: of('pts'), dts: of('dts') };
}

/** The same bytes in the same order, and times that differ by one number, to a millisecond. */
function assertSame(got: readonly string[], want: readonly string[]): void {
  assert.deepEqual(contents(got), contents(want));
  const [ours, theirs] = [times(got), times(want)];
  for (const kind of ['pts', 'dts'] as const) {
    const shift = (ours[kind][0] ?? 0) - (theirs[kind][0] ?? 0);
    for (const [index, ms] of ours[kind].entries()) {
      const errorMs = ms - (theirs[kind][index] ?? 0) - shift;
      assert.ok(Math.abs(errorMs) <= 1, `${kind} of packet ${index} is ${errorMs} ms off`);
    }
  }
}

describe('recording', { concurrency: true }, () => {
  test('record writes what was published, and closes it with its duration', options, async () => {
    const path = join(folder, 'recordings', 'hall.flv');
    await publish(rtmpPort, 'hall', 'record');
    await closed(path, hasDuration);
    for (const kind of ['video', 'audio'] as const) {
      const got = await played(path, kind);
      assertSame(got, sent(kind));
      // What is said twice is played twice.
      const again = await played(`rtmp://127.0.0.1:${rtmpPort}/live/flv:hall`, kind, ...BUFFER_ALL);
      assertSame(again, got);
    }
    const { stdout } = await run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'format=duration',
      '-of',
      'csv=p=0',
      path,
    ]);
    assert.ok(Math.abs(Number(stdout) - SECONDS) < 0.3, stdout);
    await publish(rtmpPort, 'hall', 'record');
    await closed(path, hasDuration);
    assertSame(await played(path, 'video'), sent('video'));
  });

  test('append twice is one file without a break', options, async () => {
    const path = join(folder, 'recordings', 'yard.flv');
    await publish(rtmpPort, 'yard', 'append');
    const { length } = await closed(path, hasDuration);
    await publish(rtmpPort, 'yard', 'append');
    await closed(path, (bytes) => bytes.length > 1.9 * length && hasDuration(bytes));
    await gateway.until(
      'it is closed',
      async () => (await statusOf(gateway, 'yard')) === undefined,
    );
    const video = await played(path, 'video');
    const want = sent('video');
    assert.deepEqual(contents(video), contents([...want, ...want]));
    const { dts } = times(video);
    const steps = dts.slice(1).map((ms, index) => ms - dts[index]!);
    assert.ok(
      steps.every((ms) => ms > 0 && ms <= 250),
      `${Math.max(...steps)} ms`,
    );
    assert.deepEqual(
      await readdir(join(folder, 'recordings')).then((names) =>
        names.filter((name) => name.startsWith('yard')),
      ),
      ['yard.flv'],
    );
  });

  test(
    'a power cut leaves a file that is played, and append goes on with it',
    options,
    async () => {
      const port = await freePort();
      const dir = join(folder, 'cut');
      const path = join(dir, 'gate.mp4');
      const box = await GatewayProcess.start(await yaml(port, dir, 'fmp4'));
      try {
        let isCut = false;
        const publishing = publish(port, 'gate', 'append', { isEnough: () => isCut });
        await closed(path, (bytes) => bytes.length > 250_000);
        await box.kill();
        isCut = true;
        await publishing.catch(() => undefined);
        const before = contents(await played(path, 'video'));
        const want = contents(sent('video'));
        assert.ok(before.length > 25, `${before.length} pictures`);
        // ffprobe shows what there is of a picture that was torn.
        const whole = before.slice(0, before.at(-1) === want[before.length - 1] ? undefined : -1);
        assert.deepEqual(whole, want.slice(0, whole.length));
        await box.startAgain();
        await publish(port, 'gate', 'append');
        await closed(path, (bytes) => bytes.subarray(-12, -8).toString() === 'mfro');
        const video = await played(path, 'video');
        // Of a fragment that was torn, the pictures that are whole had been played, too.
        const kept = video.length - want.length;
        assert.ok(kept > 0 && kept <= before.length);
        assert.deepEqual(contents(video), [...want.slice(0, kept), ...want]);
        const { dts } = times(video);
        assert.ok(dts.every((ms, index) => index === 0 || ms > dts[index - 1]!));
      } finally {
        await box.stop();
      }
    },
  );

  const noNamespace = whyNot(async () => {});
  test('a full disk stops the recording, and live goes on', options, async (context) => {
    const reason = await noNamespace;
    if (reason !== undefined) {
      context.skip(reason);
      return;
    }
    const port = await freePort();
    const tmpfs = { path: join(folder, 'small'), bytes: 400 * 1024 };
    const box = await GatewayProcess.start(await yaml(port, tmpfs.path, 'flv'), { tmpfs });
    try {
      const live = new Watching(`rtmp://127.0.0.1:${port}/live/full`, join(folder, 'live.flv'));
      await publish(port, 'full', 'record', { isReady: () => live.hasBegun() });
      await live.end();
      const want = contents(sent('video'));
      const watched = contents(await played(live.path, 'video'));
      assert.ok(watched.length > want.length - FIRST_UNITS);
      assert.deepEqual(watched, want.slice(want.length - watched.length));
      assert.match(box.log, /recording has stopped: The disk is full/);
      const saved = join(folder, 'full.flv');
      const bytes = await box.until('it is closed', async () => {
        const response = await fetch(`${box.url}/vod/full.flv`);
        const whole = Buffer.from(await response.arrayBuffer());
        return hasDuration(whole) && whole;
      });
      await writeFile(saved, bytes);
      const recorded = contents(await played(saved, 'video'));
      assert.ok(recorded.length > 25 && recorded.length < want.length, `${recorded.length}`);
      assert.deepEqual(recorded, want.slice(0, recorded.length));
    } finally {
      await box.stop();
    }
  });
});

describe('files for players', { concurrency: true }, () => {
  for (const [name, file] of [
    ['mp4:plain', 'plain.mp4'],
    ['mp4:fragments', 'fragments.mp4'],
    ['mp3:song', 'song.mp3'],
  ] as const) {
    test(`${name} over RTMP is what is in the file`, options, async () => {
      const url = `rtmp://127.0.0.1:${rtmpPort}/live/${name}`;
      const [got, want] = await Promise.all([
        play(url, ...BUFFER_ALL).packets,
        play(join(folder, 'media', file)).packets,
      ]);
      for (const kind of ['video', 'audio']) {
        const of = (lines: string[]) => lines.filter((line) => line.startsWith(kind));
        assertSame(of(got), of(want));
      }
      assert.ok(got.length > 100);
    });
  }

  test(
    'rtmpdump plays, goes on with a download that was cut, and takes a part',
    options,
    async () => {
      const dump = async (name: string, ...args: string[]) => {
        const path = join(folder, `${name}.flv`);
        const from = ['-q', '-r', `rtmp://127.0.0.1:${rtmpPort}/live/`, '-y', 'flv:plain'];
        // 2: not all of it, which is what was asked for.
        await run('rtmpdump', [...from, ...args, '-o', path]).catch((error) => {
          if (error.code !== 2) throw error;
        });
        return path;
      };
      const whole = await readFile(await dump('whole'));
      await writeFile(
        join(folder, 'cut.flv'),
        whole.subarray(0, tagEndNear(whole, whole.length / 2)),
      );
      assert.deepEqual(await readFile(await dump('cut', '--resume')), whole);
      const part = await played(await dump('part', '-A', '2', '-B', '4'), 'video');
      const all = await played(join(folder, 'whole.flv'), 'video');
      assert.deepEqual(contents(part), contents(all.slice(50, 100)));
    },
  );

  test('ffmpeg seeks over RTMP and HTTP', options, async () => {
    const all = contents(await played(join(folder, 'media', 'plain.mp4'), 'video'));
    for (const url of [
      `rtmp://127.0.0.1:${rtmpPort}/live/mp4:plain`,
      `${gateway.url}/vod/plain.mp4`,
    ]) {
      const saved = join(folder, `sought-${url.slice(0, 4)}.mp4`);
      // Not BUFFER_ALL: on a busy machine the file would be at its end before ffmpeg seeks.
      await run('ffmpeg', ['-v', 'error', '-ss', '3.5', '-i', url, '-c', 'copy', '-an', saved]);
      assert.deepEqual(contents(await played(saved, 'video')), all.slice(75), url);
    }
  });

  test('HTTP gives ranges of a file, and of nothing else', options, async () => {
    const bytes = await readFile(join(folder, 'media', 'plain.mp4'));
    const url = `${gateway.url}/vod/plain.mp4`;
    const response = await fetch(url, { headers: { range: 'bytes=1000-1999' } });
    assert.equal(response.status, 206);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes.subarray(1000, 2000));
    for (const path of ['../secret.mp4', '..%2fsecret.mp4', '%2e%2e/secret.mp4', '', 'none.mp4']) {
      const answer = await rawGet(new URL(gateway.url), `/vod/${path}`);
      assert.match(answer, /^HTTP\/1\.1 404 /, path);
    }
  });
});

/** A player of what is live, that keeps what it sees. */
class Watching {
  readonly path: string;
  readonly #program: ChildProcess;

  constructor(url: string, path: string) {
    this.path = path;
    this.#program = spawn('rtmpdump', ['-q', '-v', '-r', url, '-o', path], { stdio: 'ignore' });
  }

  async hasBegun(): Promise<void> {
    while ((await this.#byteLength()) === 0) await sleep(20);
  }

  /** When nothing comes any more. */
  async end(): Promise<void> {
    for (let before = -1, now = 0; before !== now; now = await this.#byteLength()) {
      before = now;
      await sleep(STILL_MS);
    }
    this.#program.kill('SIGINT');
    await once(this.#program, 'exit');
  }

  async #byteLength(): Promise<number> {
    return await stat(this.path).then(
      ({ size }) => size,
      () => 0,
    );
  }
}

/** As it stands, where `fetch` would tidy the path up. */
async function rawGet({ hostname, port }: URL, path: string): Promise<string> {
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

/** rtmpdump cuts nowhere else. */
function tagEndNear(flv: Buffer, position: number): number {
  let at = 13;
  while (at < position) at += 11 + flv.readUIntBE(at + 1, 3) + 4;
  return at;
}
