import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawActsAtOnce, drawSoon } from '../../../../gateway/http/dashboard/draw-pace.ts';

test('floods are drawn ten times a second; what somebody does is, at once, and meets what is newest', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 1_000;
  t.mock.method(performance, 'now', () => nowMs);
  const pass = (ms: number) => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };
  const drawn: string[] = [];
  const page = new EventTarget();
  drawActsAtOnce(page);
  page.addEventListener('keydown', () => {
    drawn.push('the handler');
    drawSoon(() => drawn.push('what it changed'));
  });

  drawSoon(() => drawn.push('first'));
  pass(0);
  assert.deepEqual(drawn.splice(0), ['first']);
  pass(10);
  drawSoon(() => drawn.push('a message'));
  pass(89);
  assert.deepEqual(drawn.splice(0), []);
  page.dispatchEvent(new Event('keydown'));
  assert.deepEqual(drawn.splice(0), ['a message', 'the handler']);
  await Promise.resolve();
  assert.deepEqual(drawn.splice(0), ['what it changed']);
  pass(1);
  assert.deepEqual(drawn.splice(0), [], 'it was drawn already');
  drawSoon(() => drawn.push('a message after that'));
  pass(98);
  assert.deepEqual(drawn.splice(0), []);
  pass(1);
  assert.deepEqual(drawn.splice(0), ['a message after that']);
});
