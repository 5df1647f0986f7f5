import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { it } from 'node:test';
import { SnapshotTurns } from '../../../../../gateway/http/dashboard/wall/snapshot-turns.ts';

it('so many at a time, failures included; who gives up is passed over', async () => {
  const turns = new SnapshotTurns(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const givesUp = new AbortController();
  const never = new AbortController().signal;
  const work = (n: number) => () =>
    new Promise<number>((resolve, reject) => {
      begun.push(n);
      ends[n] = () => (n === 0 ? reject(new Error('no picture')) : resolve(n));
    });
  const all = [0, 1, 2, 3].map((n) => turns.take(work(n), n === 2 ? givesUp.signal : never));
  assert.deepEqual(begun, [0, 1]);
  givesUp.abort();
  assert.equal(await all[2], undefined);
  ends[0]?.();
  await assert.rejects(all[0]!, /no picture/);
  assert.deepEqual(begun, [0, 1, 3]);
  ends[1]?.();
  ends[3]?.();
  assert.deepEqual([await all[1], await all[3]], [1, 3]);
  const last = turns.take(work(4), never);
  assert.deepEqual(begun, [0, 1, 3, 4], 'all turns are free again');
  ends[4]?.();
  await last;
});

it('whoever waits for a turn again and again leaves nothing at a signal that lives as long as the page', async () => {
  const turns = new SnapshotTurns(1);
  const { signal } = new AbortController();
  for (let round = 0; round < 3; round += 1) {
    await Promise.all([1, 2, 3].map((n) => turns.take(() => Promise.resolve(n), signal)));
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
