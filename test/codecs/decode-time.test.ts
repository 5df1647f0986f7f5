import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeHints } from '../../codecs/decode-hints.ts';
import { type DecodeHints, DecodeTimer } from '../../codecs/decode-time.ts';
import type { VideoTrack } from '../../codecs/track.ts';
import { DECODE_TIME_FIXTURES, type DecodeTimeFixture } from './decode-time-fixtures.ts';
import { H265_DECODE_TIME_FIXTURES } from './h265/decode-time-fixtures.ts';

interface Picture {
  readonly ptsUs: number;
  readonly dtsUs: number;
  readonly randomAccess: boolean;
}

function picturesOf(fixture: DecodeTimeFixture): Picture[] {
  return fixture.times.split(',').map((entry) => {
    const [pts = Number.NaN, dts = Number.NaN] = entry
      .replace('K', '')
      .trim()
      .split(' ')
      .map(Number);
    const us = (ticks: number) => Math.round((ticks * 1e6) / fixture.timeBase);
    return { ptsUs: us(pts), dtsUs: us(dts), randomAccess: entry.endsWith('K') };
  });
}

const FIXTURES: readonly (DecodeTimeFixture & { readonly vps?: Uint8Array })[] = [
  ...DECODE_TIME_FIXTURES,
  ...H265_DECODE_TIME_FIXTURES,
];

function hintsOf({ vps, sps, pps }: (typeof FIXTURES)[number]): DecodeHints {
  const track: VideoTrack =
    vps === undefined
      ? { kind: 'video', codec: 'h264', sps, pps }
      : { kind: 'video', codec: 'h265', vps, sps, pps };
  const hints = decodeHints(track);
  assert.ok(hints);
  return hints;
}

/** How many places these pictures are reordered by in truth: the encoder may state more than it uses. */
function depthOf(pictures: readonly Picture[]): number {
  const depths = pictures.map(
    ({ ptsUs }, index) => pictures.slice(0, index).filter((other) => other.ptsUs > ptsUs).length,
  );
  return Math.max(...depths);
}

function fixtureNamed(name: string): DecodeTimeFixture {
  const fixture = FIXTURES.find((candidate) => candidate.name === name);
  assert.ok(fixture, name);
  return fixture;
}

const FRAME_US = 40_000;
const EPOCH_US = 1_700_000_000_000_000;
/** Frame numbers of three mini-GOPs with a pyramid of three B-frames. */
const PYRAMID = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11];

describe('decoding times of real streams', () => {
  for (const fixture of FIXTURES) {
    test(`${fixture.name}: equal to the encoder's`, () => {
      const hints = hintsOf(fixture);
      assert.equal(hints.reorderDepth, fixture.reorderDepth);
      const timer = new DecodeTimer(hints);
      for (const [index, { ptsUs, dtsUs, randomAccess }] of picturesOf(fixture).entries()) {
        const actual = timer.push(ptsUs, randomAccess);
        // Before `reorderDepth` pictures came the times are extrapolated and rounded.
        const toleranceUs = index < fixture.reorderDepth ? fixture.reorderDepth : 0;
        assert.ok(Math.abs(actual - dtsUs) <= toleranceUs, `${index}: ${actual}, not ${dtsUs}`);
      }
      assert.equal(timer.faults, 0);
      assert.equal(timer.rebases, 0);
    });

    test(`${fixture.name}: learned when the SPS does not state the reordering`, () => {
      const timer = new DecodeTimer();
      const pictures = picturesOf(fixture);
      const depth = depthOf(pictures);
      const shown = pictures.map(({ ptsUs }) => ptsUs).sort((a, b) => a - b);
      let lastGrowth = 0;
      let lastWrong = 0;
      for (const [index, { ptsUs, randomAccess }] of pictures.entries()) {
        const depthBefore = timer.reorderDepth;
        const dtsUs = timer.push(ptsUs, randomAccess);
        if (timer.reorderDepth > depthBefore) lastGrowth = index;
        if (index >= depth && dtsUs !== shown[index - depth]) lastWrong = index;
      }
      assert.equal(timer.reorderDepth, depth);
      // Wrong only until the shown order has caught up with what was sent before the depth was known.
      const sentUs = Math.max(...pictures.slice(0, lastGrowth + 1).map(({ ptsUs }) => ptsUs));
      const caughtUp = depth + shown.findIndex((ptsUs) => ptsUs > sentUs + FRAME_US);
      assert.ok(lastWrong < caughtUp, `wrong at ${lastWrong}, caught up at ${caughtUp}`);
      assert.ok(timer.faults < caughtUp, `${timer.faults} faults`);
    });

    test(`${fixture.name}: never past the presentation time when pictures are lost`, () => {
      fc.assert(
        fc.property(fc.array(fc.boolean(), { minLength: 40, maxLength: 80 }), (kept) => {
          const timer = new DecodeTimer(hintsOf(fixture));
          // The first one stays: before it nothing can be decoded.
          const survivors = picturesOf(fixture).filter((_, index) => index === 0 || kept[index]);
          let previousUs = Number.NEGATIVE_INFINITY;
          for (const { ptsUs, randomAccess } of survivors) {
            const dtsUs = timer.push(ptsUs, randomAccess);
            assert.ok(dtsUs > previousUs && dtsUs <= ptsUs);
            previousUs = dtsUs;
          }
        }),
        { numRuns: 50, seed: 1 },
      );
    });
  }
});

describe('decoding times where the SPS says little or wrong', () => {
  test('a VUI frame rate of 90 000 is not believed: 25 fps before the first times are known', () => {
    const timer = new DecodeTimer({ fps: 90_000, reorderDepth: 2 });
    assert.equal(timer.push(1_000_000, true), 1_000_000 - 2 * FRAME_US);
  });

  test('a wrong VUI frame rate is corrected while the first pictures come', () => {
    const timer = new DecodeTimer({ fps: 100, reorderDepth: 2 });
    const times = PYRAMID.map((n) => timer.push(n * FRAME_US, n === 0));
    assert.deepEqual(times.slice(0, 5), [-20_000, -10_000, 0, FRAME_US, 2 * FRAME_US]);
    assert.equal(timer.faults, 0);
  });

  test('stated one, in truth two: learned with at most two faults', () => {
    const timer = new DecodeTimer({ fps: 25, reorderDepth: 1 });
    const times = PYRAMID.map((n) => timer.push(n * FRAME_US, n === 0));
    assert.equal(timer.reorderDepth, 2);
    assert.ok(timer.faults <= 2, `${timer.faults}`);
    assert.deepEqual(
      times.slice(5),
      [3, 4, 5, 6, 7, 8, 9, 10].map((n) => n * FRAME_US),
    );
  });

  test('stated two, in truth none: early, but even and never late', () => {
    const timer = new DecodeTimer({ fps: 25, reorderDepth: 2 });
    const times = [0, 1, 2, 3, 4].map((n) => timer.push(n * FRAME_US, n === 0));
    assert.deepEqual(
      times,
      [-2, -1, 0, 1, 2].map((n) => n * FRAME_US),
    );
  });

  test('a new SPS changes the depth from there on', () => {
    const timer = new DecodeTimer({ fps: 25, reorderDepth: 0 });
    for (let n = 0; n < 20; n += 1) timer.push(n * FRAME_US, n % 10 === 0);
    timer.setHints({ fps: 25, reorderDepth: 2 });
    const times = PYRAMID.map((n) => timer.push((20 + n) * FRAME_US, n === 0));
    for (const [index, n] of PYRAMID.entries()) {
      assert.ok(times[index]! <= (20 + n) * FRAME_US, `${index}`);
      assert.ok(index === 0 || times[index]! > times[index - 1]!, `${index}`);
    }
    assert.equal(times.at(-1), (20 + PYRAMID.length - 1 - 2) * FRAME_US);
  });
});

/** There such times end the session: mediamtx#5209, #5226, #995, #2330, #1002, #2053, #5233, PR#5896. */
describe('decoding times of damaged time lines', () => {
  for (const [name, jumpUs] of [
    ['forward an hour', 3_600_000_000],
    ['back an hour', -3_600_000_000],
    ['back to zero', -EPOCH_US],
  ] as const) {
    test(`a jump ${name}: the decoding times go along at once`, () => {
      const timer = new DecodeTimer({ fps: 25, reorderDepth: 2 });
      for (const n of PYRAMID) timer.push(EPOCH_US + n * FRAME_US, n === 0);
      const times = PYRAMID.map((n) => timer.push(EPOCH_US + jumpUs + n * FRAME_US, false));
      assert.deepEqual(
        times,
        PYRAMID.map((_, index) => EPOCH_US + jumpUs + (index - 2) * FRAME_US),
      );
      assert.equal(timer.faults, 0);
      assert.equal(timer.rebases, 1);
    });
  }

  test('set back by three seconds: faults are counted, and no later than the next IDR all is well', () => {
    const timer = new DecodeTimer({ fps: 25, reorderDepth: 0 });
    timer.push(3_000_000, true);
    for (let n = 0; n < 10; n += 1) timer.push(n * FRAME_US, false);
    assert.equal(timer.faults, 10);
    const times = [10, 11, 12].map((n) => timer.push(n * FRAME_US, n === 10));
    assert.deepEqual(
      times,
      [10, 11, 12].map((n) => n * FRAME_US),
    );
    assert.equal(timer.faults, 10);
    assert.equal(timer.rebases, 1);
    assert.equal(timer.reorderDepth, 0);
  });

  test('set back by three seconds in a long stream: recognised at once', () => {
    const timer = new DecodeTimer();
    for (let n = 0; n < 100; n += 1) timer.push(n * FRAME_US, n === 0);
    assert.equal(timer.push(FRAME_US, false), FRAME_US);
    assert.equal(timer.faults, 0);
    assert.equal(timer.reorderDepth, 0);
  });

  test('the same time twice: the second is a step later', () => {
    const timer = new DecodeTimer();
    const times = [0, FRAME_US, FRAME_US, 2 * FRAME_US].map((pts) => timer.push(pts, false));
    assert.deepEqual(times, [0, FRAME_US, FRAME_US + 1000, 2 * FRAME_US]);
    assert.equal(timer.faults, 1);
  });

  test('a stream joined at an open GOP: its leading pictures are late, what follows is right', () => {
    const fixture = fixtureNamed('open GOP with pyramid');
    const pictures = picturesOf(fixture);
    const start = pictures.findIndex(({ randomAccess }, index) => index > 0 && randomAccess);
    assert.ok(pictures[start + 1]!.ptsUs < pictures[start]!.ptsUs, 'has leading pictures');
    const timer = new DecodeTimer(hintsOf(fixture));
    const wrong = pictures
      .slice(start)
      .filter(({ ptsUs, dtsUs, randomAccess }) => timer.push(ptsUs, randomAccess) !== dtsUs);
    assert.ok(timer.faults <= 3, `${timer.faults} faults`);
    assert.ok(wrong.length <= 6, `${wrong.length} wrong`);
  });

  test('H.265 joined at a CRA picture, without its RASL pictures: no fault', () => {
    const fixture = fixtureNamed('H.265, open GOP with pyramid');
    const pictures = picturesOf(fixture);
    const start = pictures.findIndex(({ randomAccess }, index) => index > 0 && randomAccess);
    const first = pictures[start]!;
    const timer = new DecodeTimer(hintsOf(fixture));
    let previousUs = Number.NEGATIVE_INFINITY;
    for (const { ptsUs, randomAccess } of pictures.slice(start)) {
      if (ptsUs < first.ptsUs) continue; // the RASL pictures
      const dtsUs = timer.push(ptsUs, randomAccess);
      assert.ok(dtsUs > previousUs && dtsUs <= ptsUs);
      previousUs = dtsUs;
    }
    assert.equal(timer.faults, 0);
  });

  test('whatever the times: a finite number that rises unless the time line began anew', () => {
    const time = fc.oneof(
      fc.integer({ min: 0, max: 2_000_000 }),
      fc.integer({ min: -EPOCH_US, max: EPOCH_US }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(time, fc.boolean())),
        fc.integer({ min: 0, max: 16 }),
        (pushes, depth) => {
          const timer = new DecodeTimer({ fps: undefined, reorderDepth: depth });
          let previousUs = Number.NEGATIVE_INFINITY;
          for (const [ptsUs, randomAccess] of pushes) {
            const rebasesBefore = timer.rebases;
            const faultsBefore = timer.faults;
            const dtsUs = timer.push(ptsUs, randomAccess);
            assert.ok(Number.isSafeInteger(dtsUs));
            assert.ok(dtsUs > previousUs || timer.rebases > rebasesBefore);
            assert.ok(dtsUs <= ptsUs || timer.faults === faultsBefore + 1);
            assert.ok(timer.reorderDepth <= 16);
            previousUs = dtsUs;
          }
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });
});
