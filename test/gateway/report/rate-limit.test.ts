import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RateLimit } from '../../../gateway/report/rate-limit.ts';

it('RateLimit lets a burst pass, then its rate, and counts what it held back', () => {
  let now = 1_000_000;
  const limit = new RateLimit(1, 3, () => now);
  assert.deepEqual([limit.take(), limit.take(), limit.take()], [0, 0, 0]);
  assert.deepEqual([limit.take(), limit.take()], [undefined, undefined]);
  now += 1_000;
  assert.equal(limit.take(), 2);
  assert.equal(limit.take(), undefined);
  // A clock set back earns nothing and takes nothing.
  now -= 3_600_000;
  assert.equal(limit.take(), undefined);
  now += 1_000;
  assert.equal(limit.take(), 2);
  now += 3_600_000;
  assert.deepEqual([limit.take(), limit.take(), limit.take(), limit.take()], [0, 0, 0, undefined]);
});
