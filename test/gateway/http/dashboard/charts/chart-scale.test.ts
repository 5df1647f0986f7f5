import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  linePaths,
  spanMinutes,
  ticksFor,
} from '../../../../../gateway/http/dashboard/charts/chart-scale.ts';

const FRAME = { left: 0, top: 0, width: 100, height: 50 };

function values(...list: number[]) {
  return list.map((value, at) => ({ atMs: at * 10_000, value }));
}

describe('round numbers beside the line', () => {
  const cases: [string, number[], number[]][] = [
    ['nothing', [], [0, 1]],
    ['zero alone', [0], [0, 1]],
    ['25 fps', [24.8, 25], [0, 10, 20, 30]],
    ['megabits', [3_900], [0, 1_000, 2_000, 3_000, 4_000]],
    ['less than one', [0.3], [0, 0.1, 0.2, 0.3]],
  ];
  for (const [name, list, want] of cases) {
    test(name, () => assert.deepEqual(ticksFor(values(...list)), want));
  }

  test('always few, and never below a value', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: Number.MAX_SAFE_INTEGER, noNaN: true }), (max) => {
        const ticks = ticksFor(values(max));
        assert.ok(ticks.length >= 2 && ticks.length <= 6, String(ticks));
        assert.ok((ticks.at(-1) ?? 0) >= max * 0.999);
      }),
    );
  });
});

describe('the line', () => {
  test('ends at the right, its greatest value at the top', () => {
    assert.deepEqual(linePaths(values(0, 5, 10, 10, 10, 10, 0), 10, FRAME), [
      'M0.0 50.0L16.7 25.0L33.3 0.0L50.0 0.0L66.7 0.0L83.3 0.0L100.0 50.0',
    ]);
  });

  test('is broken where samples are missing; one alone is a dot', () => {
    const points = [0, 10_000, 100_000].map((atMs) => ({ atMs, value: 1 }));
    assert.deepEqual(linePaths(points, 1, FRAME), ['M0.0 0.0L10.0 0.0', 'M100.0 0.0h0.1']);
    assert.deepEqual(linePaths([], 1, FRAME), []);
  });

  test('says how long it is', () => {
    assert.equal(spanMinutes(values(1)), 1);
    assert.equal(
      spanMinutes([
        { atMs: 0, value: 1 },
        { atMs: 1_800_000, value: 1 },
      ]),
      30,
    );
  });
});
