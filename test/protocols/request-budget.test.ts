import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestBudget } from '../../protocols/request-budget.ts';

test('as often as a slider is dragged, and not on and on', () => {
  let nowMs = 0;
  const budget = new RequestBudget(() => nowMs);
  const ask = (count: number, everyMs: number) => {
    for (let asked = 0; asked < count; asked += 1, nowMs += everyMs) budget.take();
  };
  ask(300, 50);
  assert.throws(() => ask(200, 50), /on and on/);
  nowMs += 30_000;
  ask(200, 0);
  nowMs += 100;
  ask(1_000, 100);
  assert.throws(() => ask(3, 0), /on and on/);
});
