import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ClientsRetained } from '../../../gateway/report/clients-retained.ts';

it('so many topics, and what is cleared makes room', () => {
  const retained = new ClientsRetained();
  for (let n = 0; n < 1_000; n += 1) assert.ok(retained.accepts(`t/${n}`, 1));
  assert.ok(!retained.accepts('more', 1));
  assert.ok(retained.accepts('t/7', 2), 'another payload of a topic that is held');
  assert.ok(retained.accepts('more', 0), 'nothing to be held');
  assert.ok(retained.accepts('t/7', 0));
  assert.ok(retained.accepts('more', 1));
  assert.ok(!retained.accepts('t/7', 1));
});

it('so many bytes, however often a topic is another', () => {
  const retained = new ClientsRetained();
  const large = 256 * 1024 - 10;
  for (let times = 0; times < 100; times += 1) assert.ok(retained.accepts('a', large));
  let held = 1;
  while (retained.accepts(`${held}`, large)) held += 1;
  assert.equal(held, 16);
  assert.ok(retained.accepts('a', 10));
  assert.ok(retained.accepts('next', large - 10));
});
