import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SessionClock } from '../../../protocols/rtmp/session-clock.ts';
import { audioUnit, videoUnit } from '../../support/units.ts';

test('the first unit is at 0, and all others are rounded from there', () => {
  const clock = new SessionClock();
  const times = [1_000_400, 1_033_733, 1_067_066, 1_100_400].map((dtsUs) =>
    clock.timestampMs(videoUnit({ dtsUs }), true),
  );
  assert.deepEqual(times, [0, 33, 67, 100]);
  assert.equal(clock.clampedUnits, 0);
});

test('audio from before the first picture has no place', () => {
  const clock = new SessionClock();
  clock.timestampMs(videoUnit({ dtsUs: 1_000_000 }), true);
  assert.equal(clock.timestampMs(audioUnit({ dtsUs: 979_000 }), true), undefined);
  assert.equal(clock.timestampMs(audioUnit({ dtsUs: 1_000_100 }), true), 0);
});

test('video and audio go backwards on their own: being behind the other is fine', () => {
  const clock = new SessionClock();
  clock.timestampMs(videoUnit({ dtsUs: 0 }), true);
  clock.timestampMs(videoUnit({ dtsUs: 80_000 }), true);
  assert.equal(clock.timestampMs(audioUnit({ dtsUs: 40_000 }), true), 40);
  assert.equal(clock.clampedUnits, 0);
});

test('a time that goes back is held at the last one, and counted', () => {
  const clock = new SessionClock();
  const times = [0, 40_000, 39_000, 20_000, 80_000].map((dtsUs) =>
    clock.timestampMs(videoUnit({ dtsUs, randomAccess: false }), true),
  );
  assert.deepEqual(times, [0, 40, 40, 40, 80]);
  assert.equal(clock.clampedUnits, 2);
});

test('a clock that steps back is followed from the next random access point on, audio with it', () => {
  const clock = new SessionClock();
  const at = (dtsUs: number, randomAccess: boolean) =>
    clock.timestampMs(videoUnit({ dtsUs, randomAccess }), true);
  assert.deepEqual([at(3_600_000_000, true), at(3_610_000_000, false)], [0, 10_000]);
  assert.deepEqual(
    [at(40_000, false), at(80_000, true), at(120_000, false)],
    [10_000, 10_000, 10_040],
  );
  assert.equal(clock.timestampMs(audioUnit({ dtsUs: 130_000 }), true), 10_050);
});

test('without video, audio follows a clock that steps back', () => {
  const clock = new SessionClock();
  const times = [5_000_000, 8_000_000, 1_000, 22_000].map((dtsUs) =>
    clock.timestampMs(audioUnit({ dtsUs }), false),
  );
  assert.deepEqual(times, [0, 3000, 3000, 3021]);
});

test('far-end PTS are exact to a millisecond, and timestamps never go back', () => {
  const times = fc.array(fc.tuple(fc.nat(100_000), fc.integer({ min: -90_000, max: 200_000 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(fc.nat(1e12), times, (startUs, steps) => {
      const clock = new SessionClock();
      let dtsUs = startUs;
      let last = 0;
      for (const [stepUs, compositionUs] of steps) {
        const unit = videoUnit({ dtsUs, ptsUs: dtsUs + compositionUs });
        const timestampMs = clock.timestampMs(unit, true) ?? Number.NaN;
        const ptsMs = timestampMs + clock.compositionTimeMs(unit);
        assert.ok(timestampMs >= last);
        assert.ok(Math.abs(ptsMs - (unit.ptsUs - startUs) / 1000) <= 0.5);
        last = timestampMs;
        dtsUs += stepUs;
      }
    }),
  );
});
