import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sparklinePoints } from '../../../../../gateway/http/dashboard/parts/sparkline-points.ts';

const cases: [readonly number[], string][] = [
  [[], ''],
  [[5], '0.0,1.0 120.0,1.0'],
  [[0, 10], '0.0,23.0 120.0,1.0'],
  [[0, 0, 0], '0.0,23.0 60.0,23.0 120.0,23.0'],
  [[-5, 10], '0.0,23.0 120.0,1.0'],
];
for (const [values, want] of cases) {
  it(`${JSON.stringify(values)}`, () => assert.equal(sparklinePoints(values, 120, 24), want));
}
