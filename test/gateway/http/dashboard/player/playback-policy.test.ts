import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Playback,
  PlaybackPolicy,
} from '../../../../../gateway/http/dashboard/player/playback-policy.ts';

function made() {
  const clock = { nowMs: 100_000 };
  const policy = new PlaybackPolicy(() => clock.nowMs);
  const advise = (playback: Partial<Playback>) =>
    policy.advise({ ranges: [[1, 11]], currentS: 10.6, isSeeking: false, rate: 1, ...playback });
  return { clock, policy, advise };
}

describe('how near to live', () => {
  const cases: [string, Partial<Playback>, number, number | undefined][] = [
    ['in time: as it is', {}, 1, undefined],
    ['nothing is there', { ranges: [] }, 1, undefined],
    ['a little late: a little faster', { currentS: 10.2 }, 1.1, undefined],
    ['later: faster', { currentS: 9.6 }, 1.25, undefined],
    ['far too late: it jumps', { currentS: 9 }, 1.25, 10.6],
    ['while it jumps it does not jump', { currentS: 9, isSeeking: true }, 1.25, undefined],
    ['the first picture: to where something is', { ranges: [[1, 1.04]], currentS: 0 }, 1.1, 1],
    [
      'a hole: over it',
      {
        ranges: [
          [1, 5],
          [6, 6.1],
        ],
        currentS: 4.9,
      },
      1.1,
      6,
    ],
    ['ahead of all there is', { currentS: 60 }, 1, 10.6],
    ['hurries until it is in time', { currentS: 10.5, rate: 1.25 }, 1.1, undefined],
    ['in time again', { currentS: 10.61, rate: 1.1 }, 1, undefined],
  ];
  for (const [name, playback, rate, seekToS] of cases) {
    test(name, () => {
      const advice = made().advise(playback);
      assert.equal(advice.rate, rate);
      assert.equal(advice.seekToS, seekToS);
    });
  }

  test('a slow machine does not jump for ever', () => {
    const { clock, advise } = made();
    assert.equal(advise({ currentS: 8 }).seekToS, 10.6);
    clock.nowMs += 4_000;
    assert.equal(advise({ currentS: 8 }).seekToS, undefined);
    clock.nowMs += 1_000;
    assert.equal(advise({ currentS: 8 }).seekToS, 10.6);
  });

  test('what was seen goes', () => {
    const { advise } = made();
    assert.equal(advise({ ranges: [[1, 11]], currentS: 10.6 }).removeBeforeS, undefined);
    assert.equal(advise({ ranges: [[1, 12.4]], currentS: 12 }).removeBeforeS, 7);
  });

  test('each time it stood still more is kept, bounded; when it did not for long, less', () => {
    const { clock, policy, advise } = made();
    for (let n = 0; n < 20; n += 1) policy.stalled();
    assert.equal(policy.targetS, 2);
    clock.nowMs += 30_000;
    advise({});
    assert.equal(policy.targetS, 1.9);
    for (let n = 0; n < 40; n += 1) {
      clock.nowMs += 30_000;
      advise({});
    }
    assert.equal(policy.targetS, 0.4);
  });
});
