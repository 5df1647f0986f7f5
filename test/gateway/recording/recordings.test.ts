import assert from 'node:assert/strict';
import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { pino } from 'pino';
import { parseRecordedMetadata } from '../../../codecs/flv/recorded-metadata.ts';
import { flvTags } from '../../../codecs/flv/tag.ts';
import type { VideoTrack } from '../../../codecs/track.ts';
import { Recordings, type RecordingsContext } from '../../../gateway/recording/recordings.ts';
import { Board } from '../../../gateway/report/board.ts';
import { VodLibrary } from '../../../gateway/vod/vod-library.ts';
import { AUDIO_TRACK, G711_TRACK, OTHER_VIDEO_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { until } from '../../support/until.ts';
import { cameraUnits, readLines, TestStream, unitLine } from '../../support/vod-units.ts';

let dir: string;
let board: Board;
let log: string[];
let opened: Recordings[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-recordings-'));
  board = new Board();
  log = [];
  opened = [];
});

afterEach(async () => {
  for (const recordings of opened) await recordings.close();
  await rm(dir, { recursive: true, force: true });
});

function open(options: Partial<RecordingsContext> = {}): Recordings {
  const recordings = new Recordings({
    dir,
    format: 'flv',
    maxBytes: 0,
    maxAgeMs: 0,
    board,
    log: pino({ level: 'trace' }, { write: (line: string) => void log.push(line) }),
    now: Date.now,
    ...options,
  });
  opened.push(recordings);
  return recordings;
}

/** So many pictures, in a file that is closed. */
async function record(
  type: 'record' | 'append',
  pictures: number,
  options: Partial<RecordingsContext> = {},
  stream = new TestStream(),
): Promise<void> {
  const recordings = open(options);
  const recording = recordings.record(stream, type);
  stream.write(cameraUnits(pictures, { fromUs: 7_000_000 }));
  recording[Symbol.dispose]();
  await recordings.close();
}

async function lines(name: string): Promise<string[]> {
  const file = await new VodLibrary([dir]).open(name);
  try {
    return await readLines(file);
  } finally {
    await file.close();
  }
}

function wanted(pictures: number, fromUs = 0): string[] {
  return [...cameraUnits(pictures, { fromUs: 7_000_000 })].map((unit) =>
    unitLine(unit, 7_000_000 - fromUs),
  );
}

describe('a recording in FLV', () => {
  it('is played as it came, to the bit and the millisecond', async () => {
    await record('record', 60);
    assert.deepEqual(await lines('flv:cam'), wanted(60));
  });

  it('that is gone on with without sound still says that there is some', async () => {
    await record('record', 20);
    const recordings = open();
    const stream = new TestStream('cam', [VIDEO_TRACK]);
    const recording = recordings.record(stream, 'append');
    stream.write(cameraUnits(20, { audio: undefined }));
    recording[Symbol.dispose]();
    await recordings.close();
    const file = await readFile(join(dir, 'cam.flv'));
    assert.equal(file[4], 5);
  });

  it('is sought with its sound, also with what came late', async () => {
    const recordings = open();
    const stream = new TestStream('cam', [VIDEO_TRACK]);
    const recording = recordings.record(stream, 'record');
    const units = [...cameraUnits(60)];
    stream.write(units.filter(({ track, dtsUs }) => track.kind === 'video' || dtsUs > 1_000_000));
    recording[Symbol.dispose]();
    await recordings.close();
    await record('record', 60, {}, new TestStream('whole'));
    const wants = {
      cam: units.map((unit) => unitLine(unit)),
      whole: wanted(60),
    };
    for (const [name, want] of Object.entries(wants)) {
      const vod = await new VodLibrary([dir]).open(`flv:${name}`);
      assert.equal(await vod.seek(1700), 1600);
      assert.deepEqual(await readLines(vod), want.slice(80), name);
      await vod.close();
    }
  });

  it('knows its duration and the places of its keyframes when it is closed', async () => {
    await record('record', 60);
    const file = await readFile(join(dir, 'cam.flv'));
    const [first] = flvTags(file);
    const metadata = parseRecordedMetadata(first!.body);
    assert.equal(metadata?.durationMs, 59 * 40 + 20);
    assert.deepEqual(
      metadata.keyframes.map(({ timeMs }) => timeMs),
      [0, 400, 800, 1200, 1600, 2000],
    );
    for (const { position } of metadata.keyframes) {
      assert.equal(file[position], 9);
      assert.equal(file[position + 11], 0x17);
    }
  });

  it('stops at parameter sets that cannot be read, and nothing else does', async () => {
    const recordings = open();
    const damaged: VideoTrack = { ...VIDEO_TRACK, sps: VIDEO_TRACK.sps.subarray(0, 5) };
    const stream = new TestStream('cam', [damaged]);
    recordings.record(stream, 'record');
    stream.write(cameraUnits(30, { video: damaged, audio: undefined }));
    await until(() => board.recordings.get('cam')?.state === 'stopped');
    assert.equal(board.recordings.get('cam')?.code, 'codec');
    const other = new TestStream('other');
    recordings.record(other, 'record');
    other.write(cameraUnits(30));
    await recordings.close();
    assert.equal((await lines('flv:other')).length, 60);
  });

  it('can be read while it is written', async () => {
    const recordings = open();
    await recordings.start();
    const stream = new TestStream();
    recordings.record(stream, 'record');
    stream.write(cameraUnits(60));
    await until(() => (board.recordings.get('cam')?.bytes ?? 0) > 33_000);
    await until(() => log.some((line) => line.includes('Recording.')));
    const units = [...cameraUnits(60)].map((unit) => unitLine(unit));
    for (;;) {
      const seen = await lines('flv:cam').catch(() => []);
      if (seen.length === units.length) {
        assert.deepEqual(seen, units);
        return;
      }
    }
  });

  it('begins with the first picture that decoding may start at', async () => {
    const recordings = open();
    const stream = new TestStream();
    const recording = recordings.record(stream, 'record');
    const units = [...cameraUnits(40)];
    stream.write(units.slice(3));
    recording[Symbol.dispose]();
    await recordings.close();
    const from = units.findIndex(({ dtsUs }) => dtsUs === 400_000);
    assert.deepEqual(
      await lines('flv:cam'),
      units.slice(from).map((unit) => unitLine(unit, 400_000)),
    );
  });

  it('of one who has gone before it began is told of no more', async () => {
    await record('record', 20);
    assert.equal(board.recordings.size, 0);
  });

  it('leaves the older one alone until there is something to replace it with', async () => {
    await record('record', 20);
    const recordings = open();
    const stream = new TestStream();
    const recording = recordings.record(stream, 'record');
    stream.write([...cameraUnits(5)].slice(1));
    recording[Symbol.dispose]();
    await recordings.close();
    assert.deepEqual(await lines('flv:cam'), wanted(20));
    await record('record', 30);
    assert.deepEqual(await lines('flv:cam'), wanted(30));
    assert.deepEqual(await readdir(dir), ['cam.flv']);
  });
});

describe('append', () => {
  it('goes on behind what is there, with times that go on', async () => {
    await record('append', 30);
    await record('append', 20);
    await record('append', 20);
    // The last sound was at 1180: behind it by a picture.
    const [first, second] = [1180 + 40, 1180 + 40 + 780 + 40];
    assert.deepEqual(await lines('flv:cam'), [
      ...wanted(30),
      ...wanted(20, first * 1000),
      ...wanted(20, second * 1000),
    ]);
    const [tag] = flvTags(await readFile(join(dir, 'cam.flv')));
    const metadata = parseRecordedMetadata(tag!.body);
    assert.equal(metadata?.durationMs, second + 780);
    assert.equal(metadata.keyframes.length, 7);
  });

  it('cuts off what a crash has torn', async () => {
    await record('append', 30);
    await appendFile(join(dir, 'cam.flv'), Buffer.from('0900100000000000000000170100', 'hex'));
    assert.deepEqual(await lines('flv:cam'), wanted(30));
    await record('append', 20);
    assert.deepEqual(await lines('flv:cam'), [...wanted(30), ...wanted(20, 1_220_000)]);
  });

  it('finds the keyframes of what a crash left between two tags', async () => {
    const path = join(dir, 'cam.flv');
    await record('append', 30);
    const [before] = flvTags(await readFile(path));
    await record('append', 20);
    // The crash: onMetaData is as it was, and behind it there is more.
    const left = await readFile(path);
    left.set(before!.body, 13 + 11);
    await writeFile(path, left);
    await record('append', 20);
    const [tag] = flvTags(await readFile(path));
    assert.equal(parseRecordedMetadata(tag!.body)?.keyframes.length, 7);
  });

  it('goes on with a file that was cut at any byte', async () => {
    await record('append', 12);
    const whole = await readFile(join(dir, 'cam.flv'));
    const all = wanted(12);
    for (let cut = whole.length - 1; cut > whole.length - 200; cut -= 3) {
      await writeFile(join(dir, 'cam.flv'), whole.subarray(0, cut));
      await record('append', 1);
      const seen = await lines('flv:cam');
      const kept = seen.length - 2;
      assert.deepEqual(seen.slice(0, kept), all.slice(0, kept), `cut at ${cut}`);
      assert.ok(kept >= all.length - 4);
      assert.match(seen[kept]!, /^video .* key/);
    }
  });

  it('takes a file that was emptied for a new one', async () => {
    await record('append', 12);
    await truncate(join(dir, 'cam.flv'), 0);
    await record('append', 12);
    assert.deepEqual(await lines('flv:cam'), wanted(12));
  });

  it('leaves what is no FLV file as it is, and says so', async () => {
    await writeFile(join(dir, 'cam.flv'), 'a shopping list');
    await symlink('/etc/hostname', join(dir, 'cam-2.flv'));
    await record('append', 12);
    assert.equal(await readFile(join(dir, 'cam.flv'), 'utf8'), 'a shopping list');
    assert.deepEqual(await lines('flv:cam-3'), wanted(12));
    assert.ok(log.some((line) => line.includes('it is no FLV file')));
    assert.ok(log.some((line) => line.includes('it is a symbolic link')));
  });

  it('patches the duration of a file that another program has written', async () => {
    // As ffmpeg has it: no room for an index, but a duration.
    const script = Buffer.from(
      `02000a6f6e4d65746144617461080000000100086475726174696f6e00${'00'.repeat(8)}000009`,
      'hex',
    );
    const tag = Buffer.concat([
      Buffer.from(`12${hex24(script.length)}00000000000000`, 'hex'),
      script,
      u32(11 + script.length),
    ]);
    await writeFile(
      join(dir, 'cam.flv'),
      Buffer.concat([Buffer.from('464c5601050000000900000000', 'hex'), tag]),
    );
    await record('append', 12);
    const [first] = flvTags(await readFile(join(dir, 'cam.flv')));
    assert.equal(parseRecordedMetadata(first!.body)?.durationMs, 460);
    assert.deepEqual(await lines('flv:cam'), wanted(12));
  });

  it('has no index where other parameter sets came, and is played all the same', async () => {
    const stream = new TestStream();
    const recordings = open();
    const recording = recordings.record(stream, 'append');
    const units = [
      ...cameraUnits(20),
      ...cameraUnits(20, { fromUs: 800_000, video: OTHER_VIDEO_TRACK }),
    ];
    stream.write(units);
    recording[Symbol.dispose]();
    await recordings.close();
    const file = await new VodLibrary([dir]).open('flv:cam');
    assert.equal(await file.seek(1300), 1200);
    const unit = await file.read();
    assert.deepEqual(unit?.track, OTHER_VIDEO_TRACK);
    assert.equal(await file.seek(500), 400);
    await file.close();
  });
});

describe('a recording in fragmented MP4', () => {
  const mp4 = { format: 'fmp4' } as const;
  /** Behind the last sound, which plays 1024 samples. */
  const END_US = (29 * 40 + 20) * 1000 + (1024 / 48) * 1000;

  it('is played as it came, and sought with its index', async () => {
    await record('record', 60, mp4);
    assert.deepEqual(await lines('mp4:cam'), wanted(60));
    const bytes = await readFile(join(dir, 'cam.mp4'));
    assert.equal(bytes.subarray(-12, -8).toString(), 'mfro');
    const file = await new VodLibrary([dir]).open('mp4:cam');
    assert.equal(file.durationMs, 59 * 40 + 20);
    for (const [ms, want] of [
      [0, 0],
      [1999, 1600],
      [2000, 2000],
      [399, 0],
      [9999, 2000],
    ] as const) {
      assert.equal(await file.seek(ms), want);
      const from = wanted(60).findIndex((line) => line.startsWith(`video dts=${want} `));
      assert.deepEqual(await readLines(file, 20), wanted(60).slice(from, from + 20));
    }
    await file.close();
  });

  it('is gone on with', async () => {
    await record('append', 30, mp4);
    await record('append', 20, mp4);
    assert.deepEqual(await lines('mp4:cam'), [...wanted(30), ...wanted(20, END_US)]);
    assert.deepEqual(await readdir(dir), ['cam.mp4']);
    const file = await new VodLibrary([dir]).open('mp4:cam');
    assert.equal(await file.seek(1700), Math.round(END_US / 1000) + 400);
    await file.close();
  });

  it('loses no whole fragment in a crash, and is gone on with', async () => {
    await record('append', 30, mp4);
    const whole = await readFile(join(dir, 'cam.mp4'));
    const lastMoof = whole.lastIndexOf('moof') - 4;
    const before = wanted(30).filter((line) => Number(/dts=(\d+)/.exec(line)?.[1]) < 800);
    for (const cut of [lastMoof, lastMoof + 7, lastMoof + 100, whole.lastIndexOf('mfra') - 5]) {
      await writeFile(join(dir, 'cam.mp4'), whole.subarray(0, cut));
      assert.deepEqual((await lines('mp4:cam')).slice(0, before.length), before);
      await record('append', 10, mp4);
      const seen = await lines('mp4:cam');
      assert.deepEqual(seen.slice(0, before.length), before, `cut at ${cut}`);
      assert.equal(seen.length, before.length + 20);
    }
  });

  it('that is being gone on with does not say that it ends where it ended', async () => {
    await record('append', 30, mp4);
    const path = join(dir, 'cam.mp4');
    const { size } = await stat(path);
    const recordings = open(mp4);
    await recordings.start();
    const stream = new TestStream();
    recordings.record(stream, 'append');
    stream.write(cameraUnits(60));
    // A fragment a second at least.
    for (let now = 0; now <= size; now = (await stat(path)).size);
    const file = await new VodLibrary([dir]).open('mp4:cam');
    assert.ok(file.durationMs > 59 * 40, `${file.durationMs}`);
    await file.close();
  });

  it('is another file when the tracks change, and that is gone on with', async () => {
    const stream = new TestStream();
    const recordings = open(mp4);
    const recording = recordings.record(stream, 'append');
    stream.write(cameraUnits(20));
    await until(() => board.recordings.get('cam')?.state === 'recording');
    stream.write(cameraUnits(20, { fromUs: 800_000, video: OTHER_VIDEO_TRACK }));
    await until(() => board.recordings.get('cam')?.file === 'cam-2.mp4');
    stream.write(cameraUnits(20, { fromUs: 1_600_000, video: OTHER_VIDEO_TRACK }));
    recording[Symbol.dispose]();
    await recordings.close();
    assert.equal((await lines('mp4:cam')).length, 40);
    assert.equal((await lines('mp4:cam-2')).length, 80);
    const again = new TestStream('cam', [OTHER_VIDEO_TRACK, AUDIO_TRACK]);
    const more = open(mp4);
    const second = more.record(again, 'append');
    again.write(cameraUnits(20, { video: OTHER_VIDEO_TRACK }));
    second[Symbol.dispose]();
    await more.close();
    assert.equal((await lines('mp4:cam-2')).length, 120);
    assert.ok(log.some((line) => line.includes('has other tracks')));
  });

  it('leaves out what MP4 has no form for, and says so', async () => {
    const stream = new TestStream('cam', [VIDEO_TRACK, G711_TRACK]);
    const recordings = open(mp4);
    const recording = recordings.record(stream, 'record');
    stream.write(cameraUnits(20, { audio: G711_TRACK }));
    await until(() => board.recordings.get('cam')?.state === 'recording');
    assert.match(board.recordings.get('cam')?.reason ?? '', /Left out: audio G\.711/);
    recording[Symbol.dispose]();
    await recordings.close();
    assert.equal((await lines('mp4:cam')).length, 20);
  });
});

describe('limits of recordings', () => {
  it('deletes the oldest that are finished, and nothing that is not ours', async () => {
    await writeFile(join(dir, 'holiday.flv'), Buffer.alloc(500_000));
    for (const [index, name] of ['old', 'middle', 'young'].entries()) {
      await record('record', 20, {}, new TestStream(name));
      const at = Date.now() / 1000 - 1000 + index * 100;
      await utimes(join(dir, `${name}.flv`), at, at);
    }
    const { size } = await stat(join(dir, 'old.flv'));
    const recordings = open({ maxBytes: size * 2.5 });
    await recordings.start();
    const stream = new TestStream('now');
    recordings.record(stream, 'record');
    stream.write(cameraUnits(20));
    await until(() => log.some((line) => line.includes('"file":"old.flv"')));
    await recordings.close();
    const left = await readdir(dir);
    assert.deepEqual(left.sort(), ['holiday.flv', 'middle.flv', 'now.flv', 'young.flv']);
  });

  it('deletes what is too old', async () => {
    await record('record', 20, {}, new TestStream('old'));
    await record('record', 20, {}, new TestStream('young'));
    const at = Date.now() / 1000 - 3600;
    await utimes(join(dir, 'old.flv'), at, at);
    const recordings = open({ maxAgeMs: 1_800_000 });
    await recordings.start();
    await until(() => log.some((line) => line.includes('deleted')));
    assert.deepEqual(await readdir(dir), ['young.flv']);
  });

  it('stops a recording that is alone too large, in plain words', async () => {
    const recordings = open({ maxBytes: 50_000 });
    await recordings.start();
    const stream = new TestStream();
    recordings.record(stream, 'record');
    stream.write(cameraUnits(20, { pictureBytes: 5_000 }));
    await until(() => board.recordings.get('cam')?.state === 'stopped');
    const status = board.recordings.get('cam');
    assert.equal(status?.code, 'disk-full');
    assert.match(status.reason, /recording\.maxBytes/);
    await recordings.close();
    assert.equal((await lines('flv:cam')).length, 40);
  });

  it('says in plain words why a folder cannot be written', async () => {
    await writeFile(join(dir, 'file'), '');
    const recordings = open({ dir: join(dir, 'file', 'recordings') });
    const stream = new TestStream();
    recordings.record(stream, 'record');
    stream.write(cameraUnits(2));
    await until(() => board.recordings.get('cam')?.state === 'stopped');
    assert.match(board.recordings.get('cam')?.reason ?? '', /cannot be written \(ENOTDIR\)/);
    assert.equal(log.filter((line) => line.includes('recording has stopped')).length, 1);
  });

  it('removes what a crash has left between making a file and naming it', async () => {
    await writeFile(join(dir, '.cam.flv.new'), 'half');
    await open().start();
    assert.deepEqual(await readdir(dir), []);
  });

  it('tells of the same trouble again to who comes anew', async () => {
    await writeFile(join(dir, 'file'), '');
    const recordings = open({ dir: join(dir, 'file', 'recordings') });
    for (const count of [1, 2]) {
      const stream = new TestStream();
      const recording = recordings.record(stream, 'record');
      stream.write(cameraUnits(2));
      await until(() => board.recordings.get('cam')?.state === 'stopped');
      recording[Symbol.dispose]();
      assert.equal(log.filter((line) => line.includes('recording has stopped')).length, count);
    }
  });
});

function hex24(value: number): string {
  return value.toString(16).padStart(6, '0');
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
