import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertSameUnits, type CodedUnit, compareUnits } from './compare-units.ts';

const FRAME_US = 40_000;

/** IDR every fourth picture; with B-frames' order: I P b b. */
function video(count: number): CodedUnit[] {
  const ahead = [2, 4, 1, 1];
  return Array.from({ length: count }, (_, index) => ({
    kind: 'video',
    ptsUs: (index + (ahead[index % 4] ?? 0)) * FRAME_US,
    dtsUs: index * FRAME_US,
    sha256: `v${index}`,
    key: index % 4 === 0,
  }));
}

function audio(count: number): CodedUnit[] {
  return Array.from({ length: count }, (_, index) => {
    const ptsUs = index * 21_333;
    return { kind: 'audio', ptsUs, dtsUs: ptsUs, sha256: `a${index}`, key: true };
  });
}

/** As the far end has it: from `start` on, another clock. */
function seenFrom(units: readonly CodedUnit[], start: number, shiftUs: number): CodedUnit[] {
  return units.slice(start).map((unit) => ({
    ...unit,
    ptsUs: unit.ptsUs + shiftUs,
    dtsUs: (unit.dtsUs ?? 0) + shiftUs,
  }));
}

function changed(
  units: readonly CodedUnit[],
  index: number,
  change: Partial<CodedUnit>,
): CodedUnit[] {
  return units.map((unit, at) => (at === index ? { ...unit, ...change } : unit));
}

const SENT = [...video(12), ...audio(20)];
const VIDEO = seenFrom(video(12), 4, 7_000_000);
const AUDIO = seenFrom(audio(20), 9, 7_000_000);

describe('compareUnits', () => {
  it('begins at the first random access unit both have, whatever the clock', () => {
    assert.deepEqual(compareUnits(SENT, [...AUDIO, ...VIDEO]), {
      video: 8,
      audio: 11,
      audioDelayUs: 0,
    });
  });

  it('ignores what the far end has before that', () => {
    const seen = seenFrom(video(12), 2, 0);
    assert.deepEqual(compareUnits(SENT, seen), { video: 8, audio: 0, audioDelayUs: undefined });
  });

  it('ignores what the camera has sent since', () => {
    assert.deepEqual(compareUnits(SENT, VIDEO.slice(0, 3)), {
      video: 3,
      audio: 0,
      audioDelayUs: undefined,
    });
  });

  it('tells how late audio is against video', () => {
    const result = compareUnits(SENT, [...VIDEO, ...seenFrom(audio(20), 9, 7_030_000)]);
    assert.deepEqual(result, { video: 8, audio: 11, audioDelayUs: 30_000 });
  });

  it('takes the longest run when a test picture repeats itself', () => {
    const loop = (from: number) => `v${from % 4}`;
    const sent = video(12).map((unit, index) => ({ ...unit, sha256: loop(index) }));
    const unique = changed(sent, 11, { sha256: 'end' });
    assert.deepEqual(compareUnits(unique, seenFrom(unique, 4, 0)), {
      video: 8,
      audio: 0,
      audioDelayUs: undefined,
    });
  });

  const differences: Array<[string, CodedUnit[], RegExp]> = [
    ['a lost unit', VIDEO.toSpliced(3, 1), /unit 3 is another one: sent units 3 to 3 are missing/],
    ['a repeated unit', VIDEO.toSpliced(3, 0, VIDEO[1]!), /repeats, or brings late, sent unit 1/],
    ['a changed bit', changed(VIDEO, 5, { sha256: 'x' }), /unit 5 .*sent v9, the far end has x/],
    ['swapped units', [...AUDIO.slice(0, 2), AUDIO[3]!, AUDIO[2]!], /audio, .*unit 2 is another/],
    [
      'a late PTS',
      changed(VIDEO, 2, { ptsUs: VIDEO[2]!.ptsUs + 1001, dtsUs: VIDEO[2]!.dtsUs! + 1001 }),
      /unit 2 has a PTS 1001 us late/,
    ],
    ['an early PTS', changed(AUDIO, 2, { ptsUs: AUDIO[2]!.ptsUs - 2000 }), /a PTS 2000 us early/],
    [
      'a wrong DTS',
      changed(VIDEO, 1, { dtsUs: VIDEO[1]!.ptsUs }),
      /unit 1 has a PTS−DTS that is wrong: 160000 us early/,
    ],
    ['more than was sent', [...VIDEO, VIDEO[0]!], /unit 8 was seen, but the camera sent only 8/],
    ['nothing in common', changed(VIDEO.slice(0, 1), 0, { sha256: 'x' }), /none of the 1 units/],
    ['no random access unit', VIDEO.slice(1, 4), /none of the 3 units seen is a random access/],
    ['nothing at all', [], /only 0 units compared, 1 wanted/],
  ];
  for (const [name, seen, words] of differences) {
    it(`reports ${name}`, () => {
      const result = compareUnits(SENT, seen);
      assert.match(typeof result === 'string' ? result : 'no difference', words);
    });
  }

  it('lets a PTS be off by the tolerance, and a DTS be unknown', () => {
    const seen = changed(VIDEO, 2, { ptsUs: VIDEO[2]!.ptsUs + 1000, dtsUs: undefined });
    assert.equal(typeof compareUnits(SENT, seen), 'object');
  });
});

describe('assertSameUnits', () => {
  it('throws the words', () => {
    assert.throws(() => assertSameUnits(SENT, VIDEO, { fewest: 9 }), /only 8 units compared, 9/);
    assert.equal(assertSameUnits(SENT, VIDEO, { fewest: 8 }).video, 8);
  });
});
