import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeasuringSink } from '../../../gateway/probe/measuring-sink.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../support/units.ts';

const FRAME_MS = 40;

interface Source {
  readonly frames: number;
  readonly gop: number;
  /** Stamped time per real time. */
  readonly rate?: number;
  /** PTS − DTS in frames, for the n-th picture. */
  readonly reorder?: (n: number) => number;
  readonly arrivalJitterMs?: (n: number) => number;
}

/** 25 pictures a second on our clock, after 300 ms. */
function measure({ frames, gop, rate = 1, reorder, arrivalJitterMs }: Source) {
  let nowMs = 1_000;
  let firstUnits = 0;
  const sink = new MeasuringSink(
    () => nowMs,
    () => {
      firstUnits += 1;
    },
  );
  sink.start([VIDEO_TRACK, AUDIO_TRACK]);
  for (let n = 0; n < frames; n += 1) {
    nowMs = 1_300 + n * FRAME_MS + (arrivalJitterMs?.(n) ?? 0);
    const dtsUs = Math.round(n * FRAME_MS * 1000 * rate);
    const ptsUs = dtsUs + (reorder?.(n) ?? 0) * FRAME_MS * 1000;
    sink.write(videoUnit({ dtsUs, ptsUs, randomAccess: n % gop === 0, byteLength: 1000 }));
    sink.write(audioUnit({ dtsUs, byteLength: 100 }));
  }
  assert.equal(firstUnits, 1);
  return sink.read();
}

test('rates, GOP and start of a camera that is well', () => {
  const measured = measure({ frames: 251, gop: 50 });
  assert.deepEqual(measured.video, {
    units: 251,
    bytes: 251_000,
    keyframes: 6,
    bFrames: 0,
    trackChanges: 0,
    fps: 25,
    longestGopMs: 2000,
    reorderMs: 0,
  });
  assert.deepEqual(measured.audio, { units: 251, bytes: 25_100 });
  assert.equal(measured.firstUnitMs, 300);
  assert.equal(measured.mediaMs, 10_000);
  assert.equal(measured.clockPercent, 0);
});

test('B-frames are those shown before what came before them', () => {
  // I P B B P B B …, decoded in this order.
  const reorder = (n: number) => (n === 0 ? 1 : n % 3 === 1 ? 3 : 0);
  const { video } = measure({ frames: 100, gop: 100, reorder });
  assert.equal(video?.bFrames, 66);
  assert.equal(video?.reorderMs, 120);
});

test('a clock that stamps 25 and ships 21 runs 16 % fast; jitter and bursts do not look like one', () => {
  assert.equal(measure({ frames: 251, gop: 50, rate: 25 / 21 }).clockPercent, 19);
  assert.equal(measure({ frames: 251, gop: 50, rate: 0.84 }).clockPercent, -16);
  const arrivalJitterMs = (n: number) => (n % 50 === 0 ? 150 : n % 7);
  const percent = measure({ frames: 251, gop: 50, arrivalJitterMs }).clockPercent;
  assert.ok(percent !== undefined && Math.abs(percent) < 0.5, `${percent} %`);
});

test('one keyframe gives no GOP, and a second of media no clock', () => {
  const { video, clockPercent } = measure({ frames: 25, gop: 1000 });
  assert.equal(video?.longestGopMs, undefined);
  assert.equal(clockPercent, undefined);
});

test('changes of the parameter sets are counted, and the last ones kept', () => {
  const sink = new MeasuringSink(
    () => 0,
    () => undefined,
  );
  sink.start([VIDEO_TRACK]);
  for (const track of [VIDEO_TRACK, OTHER_VIDEO_TRACK, OTHER_VIDEO_TRACK, VIDEO_TRACK]) {
    sink.write(videoUnit({ track }));
  }
  assert.equal(sink.read().video?.trackChanges, 2);
  assert.deepEqual(sink.read().tracks, [VIDEO_TRACK]);
});

test('nothing came: nothing is claimed', () => {
  const sink = new MeasuringSink(
    () => 5,
    () => undefined,
  );
  assert.deepEqual(sink.read(), {
    tracks: [],
    firstUnitMs: undefined,
    mediaMs: 0,
    video: undefined,
    audio: undefined,
    clockPercent: undefined,
  });
});
