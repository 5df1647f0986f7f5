import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EarlyReloads } from '../../../../gateway/viewers/hls/early-reloads.ts';

test('only who was told of the newest segment is early', () => {
  const reloads = new EarlyReloads();
  assert.equal(reloads.isEarly('a', 7), false);
  reloads.told('a', 7);
  assert.equal(reloads.isEarly('a', 7), true);
  assert.equal(reloads.isEarly('b', 7), false);
  assert.equal(reloads.isEarly('a', 8), false);
  reloads.told('b', 8);
  assert.equal(reloads.isEarly('b', 8), true);
  assert.equal(reloads.isEarly('a', 8), false);
});

test('when too many ask, those who came last are never held', () => {
  const reloads = new EarlyReloads();
  for (let n = 0; n < 2_001; n += 1) reloads.told(`viewer ${n}`, 1);
  assert.equal(reloads.isEarly('viewer 1999', 1), true);
  assert.equal(reloads.isEarly('viewer 2000', 1), false);
});
