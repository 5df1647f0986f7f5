import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RetryPace } from '../../../../gateway/http/dashboard/retry-pace.ts';

it('waits longer each time, half a minute at most; anew where a connection held', () => {
  const pace = new RetryPace(() => 1);
  const waits = [0, 0, 0, 0, 0, 0, 0].map((heldMs) => pace.next(heldMs));
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  assert.equal(pace.next(60_000), 1_000);
});

it('a broker that takes pages only to send them away is asked less and less', () => {
  const pace = new RetryPace(() => 1);
  assert.deepEqual([pace.next(50), pace.next(50), pace.next(50)], [1_000, 2_000, 4_000]);
});

it('pages that lost the same broker do not come back at the same moment', () => {
  assert.equal(new RetryPace(() => 0).next(0), 500);
});
