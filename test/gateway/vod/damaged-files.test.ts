/** Files that are damaged anywhere: something is read or refused in words, and it ends. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError, UnsupportedError } from '../../../codecs/errors.ts';
import { Recordings } from '../../../gateway/recording/recordings.ts';
import { Board } from '../../../gateway/report/board.ts';
import type { FileRanges } from '../../../gateway/vod/file-ranges.ts';
import { FlvFile } from '../../../gateway/vod/flv-file.ts';
import { Mp3File } from '../../../gateway/vod/mp3-file.ts';
import { Mp4File } from '../../../gateway/vod/mp4-file.ts';
import type { VodFile } from '../../../gateway/vod/vod-file.ts';
import {
  FIRST_MOOF,
  FRAGMENTED_MOOV,
  MFRA,
  PLAIN_MOOV,
  SECOND_MOOF,
} from '../../codecs/mp4/ffmpeg-files.ts';
import { MP3_FRAMES } from '../../codecs/mpeg-audio/mp3-fixture.ts';
import { memoryFile } from '../../support/memory-file.ts';
import { cameraUnits, TestStream } from '../../support/vod-units.ts';

/** Of a file of some ten kilobytes none has more. */
const MOST_UNITS = 5_000;
const RUNS = 300;

let dir: string;
let flv: Uint8Array;
let fmp4: Uint8Array;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sluice-damaged-'));
  for (const format of ['flv', 'fmp4'] as const) {
    const recordings = new Recordings({
      dir,
      format,
      maxBytes: 0,
      maxAgeMs: 0,
      board: new Board(),
      log: pino({ level: 'silent' }),
      now: Date.now,
    });
    const stream = new TestStream();
    const recording = recordings.record(stream, 'record');
    stream.write(cameraUnits(40));
    recording[Symbol.dispose]();
    await recordings.close();
  }
  flv = await readFile(join(dir, 'cam.flv'));
  fmp4 = await readFile(join(dir, 'cam.mp4'));
});

after(async () => {
  await rm(dir, { recursive: true });
});

async function useUp(open: (file: FileRanges) => Promise<VodFile>, bytes: Uint8Array) {
  try {
    const file = await open(memoryFile(bytes));
    for (const ms of [0, 700, 1_000_000, 300]) {
      assert.ok(Number.isFinite(await file.seek(ms)));
      let units = 0;
      while (units <= MOST_UNITS && (await file.read()) !== undefined) units += 1;
      assert.ok(units < MOST_UNITS, `more than ${MOST_UNITS} units`);
    }
  } catch (error) {
    const isSaid = error instanceof ParseError || error instanceof UnsupportedError;
    if (!isSaid) throw error;
  }
}

function damaged(good: () => Uint8Array, hot: number) {
  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), fc.nat(255));
  return fc.tuple(fc.array(change, { maxLength: 8 }), fc.nat(9)).map(([changes, cut]) => {
    const length = cut === 0 ? Math.floor(good().length * 0.7) : good().length;
    const bytes = good().slice(0, length);
    for (const [where, isHot, byte] of changes) {
      bytes[Math.floor(where * (isHot ? hot : length - 1))] = byte;
    }
    return bytes;
  });
}

const SAMPLES = new Uint8Array(5000).fill(7);
const cases = [
  { name: 'FLV', open: FlvFile.open, good: () => flv, hot: 600 },
  { name: 'MP3', open: Mp3File.open, good: () => concat(...MP3_FRAMES), hot: 200 },
  {
    name: 'fragmented MP4 of ours',
    open: (file: FileRanges) => Mp4File.open(file, 1e6),
    good: () => fmp4,
    hot: 1500,
  },
  {
    name: 'plain MP4',
    open: (file: FileRanges) => Mp4File.open(file, 1e6),
    good: () => concat(PLAIN_MOOV, SAMPLES),
    hot: PLAIN_MOOV.length,
  },
  {
    name: 'fragmented MP4 of ffmpeg',
    open: (file: FileRanges) => Mp4File.open(file, 1e6),
    good: () => concat(FRAGMENTED_MOOV, FIRST_MOOF, SECOND_MOOF, MFRA),
    hot: FRAGMENTED_MOOV.length,
  },
];

describe('damaged files', () => {
  for (const { name, open, good, hot } of cases) {
    it(name, async () => {
      await useUp(open, good());
      await fc.assert(
        fc.asyncProperty(damaged(good, hot), (bytes) => useUp(open, bytes)),
        { numRuns: RUNS },
      );
    });
  }
});
