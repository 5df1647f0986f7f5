import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cutter, MAX_SEGMENT_BYTES } from '../../../../gateway/viewers/hls/cutter.ts';

/** Pictures from 40 ms on, until the first cut of this kind; its time in ms. */
function firstCut(
  cutter: Cutter,
  kind: 'part' | 'segment',
  isKeyframe: (ms: number) => boolean,
): number {
  for (let ms = 40; ms < 30_000; ms += 40) {
    if (cutter.decide(ms * 1000, isKeyframe(ms), 0) === kind) return ms;
  }
  return Number.NaN;
}

const never = () => false;
const everySecond = (ms: number) => ms % 1000 === 0;

function begun(): Cutter {
  const cutter = new Cutter();
  cutter.beginSegment(0);
  return cutter;
}

test('nothing is told before the first part and the first segment are whole', () => {
  const cutter = begun();
  assert.deepEqual([cutter.partTargetUs, cutter.targetDurationS], [undefined, undefined]);
});

test('a part has ten pictures of 40 ms', () => {
  assert.equal(firstCut(begun(), 'part', never), 400);
});

test('the first segment ends with its GOP, later ones after two seconds', () => {
  const cutter = begun();
  assert.equal(firstCut(cutter, 'segment', everySecond), 1000);
  cutter.segmentEnded(1_000_000);
  cutter.beginSegment(0);
  assert.equal(firstCut(cutter, 'segment', everySecond), 2000);
});

test('a keyframe that comes a little early ends the segment; too early, it does not', () => {
  const cutter = begun();
  cutter.segmentEnded(2_000_000);
  assert.equal(
    firstCut(cutter, 'segment', (ms) => ms === 1800 || ms === 1920),
    1920,
  );
});

test('without keyframes a segment ends after ten seconds, or where its rounded length would be too long', () => {
  assert.equal(firstCut(begun(), 'segment', never), 10_000);
  const cutter = begun();
  cutter.segmentEnded(2_000_000);
  cutter.beginSegment(0);
  assert.equal(firstCut(cutter, 'segment', never), 2480);
});

test('a segment that is too large ends at the next picture', () => {
  assert.equal(begun().decide(40_000, false, MAX_SEGMENT_BYTES + 1), 'segment');
});

for (const [durationS, target] of [
  [0.5, 2],
  [1, 2],
  [1.5, 3],
  [2.04, 2],
  [2.2, 2],
  [2.4, 3],
  [3.499999, 4],
  [4.2, 4],
  [10, 10],
] as const) {
  test(`a first segment of ${durationS} s: the target is ${target} s`, () => {
    const cutter = begun();
    cutter.segmentEnded(durationS * 1_000_000);
    assert.equal(cutter.targetDurationS, target);
    cutter.segmentEnded(9_000_000);
    assert.equal(cutter.targetDurationS, target);
  });
}

for (const [durationMs, targetMs] of [
  [400, 450],
  [417, 450],
  [375, 393],
  [286, 300],
  [1000, 1048],
] as const) {
  test(`a first part of ${durationMs} ms: the target is ${targetMs} ms`, () => {
    const cutter = begun();
    cutter.partEnded(durationMs * 1000);
    assert.equal(cutter.partTargetUs, targetMs * 1000);
    cutter.partEnded(9_000_000);
    assert.equal(cutter.partTargetUs, targetMs * 1000);
  });
}
