import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawActsAtOnce, drawSoon } from '../../../../gateway/http/dashboard/draw-pace.ts';

/** A window, and an element in it: Node's events do not travel. */
class Page {
  readonly #before = new EventTarget();
  readonly #after = new EventTarget();
  handle: () => void = () => {};

  addEventListener(act: string, listener: () => void, options?: { capture: boolean }): void {
    const part = options?.capture === true ? this.#before : this.#after;
    part.addEventListener(act, listener);
  }

  act(act: string): void {
    this.#before.dispatchEvent(new Event(act));
    this.handle();
    this.#after.dispatchEvent(new Event(act));
  }
}

test('floods are drawn ten times a second; what somebody does, at once, after it was handled', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 1_000;
  t.mock.method(performance, 'now', () => nowMs);
  const pass = (ms: number) => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };
  const drawn: string[] = [];
  const since = () => drawn.splice(0);
  const page = new Page();
  drawActsAtOnce(page);

  drawSoon(() => drawn.push('first'));
  pass(0);
  assert.deepEqual(since(), ['first']);
  pass(10);
  drawSoon(() => drawn.push('a message'));
  pass(89);
  assert.deepEqual(since(), []);
  page.handle = () => drawn.push('handled');
  page.act('input');
  assert.deepEqual(since(), ['handled', 'a message'], 'and not the other way round');
  pass(0);

  page.handle = () => drawSoon(() => drawn.push('what it changed'));
  page.act('input');
  await Promise.resolve();
  assert.deepEqual(since(), ['what it changed']);
  pass(1);
  drawSoon(() => drawn.push('a message after that'));
  pass(98);
  assert.deepEqual(since(), []);
  pass(1);
  assert.deepEqual(since(), ['a message after that']);
});
