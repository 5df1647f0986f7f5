import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeekIndex } from '../../../gateway/vod/seek-index.ts';

describe('SeekIndex', () => {
  it('finds the last place that is not after a time', () => {
    const index = new SeekIndex<{ timeMs: number }>();
    assert.equal(index.at(5), undefined);
    for (const timeMs of [10, 20, 30]) index.add({ timeMs });
    const cases = [
      [0, 10],
      [10, 10],
      [19, 10],
      [20, 20],
      [1e9, 30],
    ] as const;
    for (const [at, want] of cases) assert.equal(index.at(at)?.timeMs, want, `at ${at}`);
  });

  it('takes nothing that goes back', () => {
    const index = new SeekIndex<{ timeMs: number }>();
    for (const timeMs of [10, 5, 10, 11]) index.add({ timeMs });
    assert.deepEqual(
      index.points.map(({ timeMs }) => timeMs),
      [10, 11],
    );
  });

  it('stays bounded and spread over the whole file', () => {
    const index = new SeekIndex<{ timeMs: number }>(100);
    for (let timeMs = 0; timeMs < 1_000_000; timeMs += 100) index.add({ timeMs });
    assert.ok(index.points.length <= 100);
    for (let at = 0; at < 1_000_000; at += 10_000) {
      const { timeMs } = index.at(at)!;
      assert.ok(timeMs <= at && at - timeMs < 1_000_000 / 25, `at ${at}: ${timeMs}`);
    }
  });
});
