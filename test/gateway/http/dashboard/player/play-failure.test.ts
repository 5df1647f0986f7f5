import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterMs } from '../../../../../gateway/http/dashboard/player/play-failure.ts';

test('it is tried again soon, then less and less often, for ever', () => {
  const waits = [1, 2, 3, 4, 5, 6, 1000].map((failures) => retryAfterMs('ended', failures));
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
});

test('a login is not asked for again at once', () => {
  assert.equal(retryAfterMs('login', 1), 15_000);
});
