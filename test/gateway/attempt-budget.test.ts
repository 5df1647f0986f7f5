import assert from 'node:assert/strict';
import { it, mock } from 'node:test';
import { AttemptBudget } from '../../gateway/attempt-budget.ts';

it('a clock that is set back by hours is not waited for', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { signal } = new AbortController();
    let nowMs = 10 * 3600_000;
    const budget = new AttemptBudget(1, 1, () => nowMs);
    await budget.take(signal);
    nowMs -= 3 * 3600_000;
    let isTaken = false;
    const second = budget.take(signal).then(() => {
      isTaken = true;
    });
    mock.timers.tick(999);
    await Promise.resolve();
    assert.equal(isTaken, false);
    mock.timers.tick(1);
    await Promise.race([second, new Promise(setImmediate)]);
    assert.equal(isTaken, true);
  } finally {
    mock.timers.reset();
  }
});
