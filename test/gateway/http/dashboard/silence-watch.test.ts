import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SilenceWatch } from '../../../../gateway/http/dashboard/silence-watch.ts';

const S = 1_000;

it('who talks is not asked', () => {
  const watch = new SilenceWatch(0);
  for (let nowMs = 0; nowMs < 100 * S; nowMs += 10 * S) {
    watch.heard(nowMs);
    assert.equal(watch.look(nowMs + 5 * S), 'there');
  }
});

it('who is silent is asked once, and gone without an answer', () => {
  const watch = new SilenceWatch(0);
  assert.equal(watch.look(15 * S), 'there');
  assert.equal(watch.look(20 * S), 'ask');
  assert.equal(watch.look(25 * S), 'there');
  assert.equal(watch.look(50 * S), 'gone');
});

it('who answers is there, also to a page whose timers slept', () => {
  const watch = new SilenceWatch(0);
  assert.equal(watch.look(3_600 * S), 'ask');
  watch.heard(3_601 * S);
  assert.equal(watch.look(3_660 * S), 'ask');
  watch.heard(3_661 * S);
  assert.equal(watch.look(3_670 * S), 'there');
});
