import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hub } from '../../../../gateway/hub/hub.ts';
import { ViewerCount } from '../../../../gateway/viewers/hls/viewer-count.ts';

test('whoever asks counts once, and no more 15 s after', () => {
  const hub = new Hub(0, () => 0);
  const stream = hub.open('cam');
  const count = new ViewerCount(hub, 'cam');
  for (const nowMs of [0, 1_000, 2_000]) count.asked('a', nowMs);
  count.asked('b', 10_000);
  assert.equal(stream.viewers, 2);
  count.look(17_500);
  assert.equal(stream.viewers, 1);
  count[Symbol.dispose]();
  assert.equal(stream.viewers, 0);
});

test('the viewers of other protocols are left alone', () => {
  const hub = new Hub(0, () => 0);
  const stream = hub.open('cam');
  stream.viewers = 5;
  const count = new ViewerCount(hub, 'cam');
  count.asked('a', 0);
  assert.equal(stream.viewers, 6);
  count.look(60_000);
  assert.equal(stream.viewers, 5);
});

test('they stay when the stream goes and comes back', () => {
  const hub = new Hub(0, () => 0);
  const before = hub.open('cam');
  const count = new ViewerCount(hub, 'cam');
  count.asked('a', 0);
  hub.remove('cam');
  count.look(1_000);
  assert.equal(before.viewers, 0);
  const after = hub.open('cam');
  count.look(2_000);
  assert.equal(after.viewers, 1);
});

test('not more are remembered than there is room for', () => {
  const hub = new Hub(0, () => 0);
  const stream = hub.open('cam');
  const count = new ViewerCount(hub, 'cam');
  for (let n = 0; n < 3_000; n += 1) count.asked(`${n}`, 0);
  assert.equal(stream.viewers, 2_000);
});
