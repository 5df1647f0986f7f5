import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { BusQueue } from '../../../drivers/serial/bus-queue.ts';

/** A queue whose first job holds the bus until `release`, and what was begun after it. */
function heldQueue() {
  const queue = new BusQueue();
  const begun: string[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const first = queue.do('first', 'other', () => held);
  const begin = (name: string) => async () => {
    begun.push(name);
  };
  const releaseFirst = () => {
    release();
    return first;
  };
  return { queue, begun, begin, release: releaseFirst };
}

const replaced = { code: 'PTZ_REPLACED' };

describe('a bus', () => {
  it('serves one at a time, and a failure does not end it', async () => {
    const { queue, begun, begin, release } = heldQueue();
    const failing = queue.do('a', 'other', () => Promise.reject(new Error('x')));
    const next = queue.do('b', 'other', begin('b'));
    assert.deepEqual(begun, []);
    await release();
    await assert.rejects(failing, /x/);
    await next;
    assert.deepEqual(begun, ['b']);
  });

  it('serves stops first', async () => {
    const { queue, begun, begin, release } = heldQueue();
    const jobs = [
      queue.do('a', 'other', begin('a other')),
      queue.do('b', 'motion', begin('b motion')),
      queue.do('c', 'stop', begin('c stop')),
    ];
    await release();
    await Promise.all(jobs);
    assert.deepEqual(begun, ['c stop', 'a other', 'b motion']);
  });

  it('lets a newer motion and a stop take the place of a waiting motion of the same head', async () => {
    const { queue, begun, begin, release } = heldQueue();
    const old = queue.do('a', 'motion', begin('a old'));
    const stopped = queue.do('a', 'motion', begin('a newer'));
    const stop = queue.do('a', 'stop', begin('a stop'));
    const newest = queue.do('a', 'motion', begin('a newest'));
    const other = queue.do('b', 'motion', begin('b'));
    await assert.rejects(old, replaced);
    await assert.rejects(stopped, replaced);
    await release();
    await Promise.all([stop, newest, other]);
    assert.deepEqual(begun, ['a stop', 'b', 'a newest']);
  });

  it('lets heads take turns', async () => {
    const { queue, begun, begin, release } = heldQueue();
    const jobs = [1, 2, 3, 4].map((number) => queue.do('a', 'other', begin(`a${number}`)));
    jobs.push(queue.do('b', 'other', begin('b1')), queue.do('b', 'other', begin('b2')));
    await release();
    await Promise.all(jobs);
    assert.deepEqual(begun, ['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
  });

  it('refuses what would wait too long, but for stops', async () => {
    const { queue, begin, release } = heldQueue();
    const jobs = Array.from({ length: 8 }, () => queue.do('a', 'other', begin('a')));
    await assert.rejects(queue.do('a', 'motion', begin('too many')), { code: 'PTZ_BUSY' });
    jobs.push(queue.do('a', 'stop', begin('stop')), queue.do('b', 'other', begin('b')));
    await release();
    await Promise.all(jobs);
  });

  it('lets go of what its caller gives up', async () => {
    const { queue, begun, begin, release } = heldQueue();
    const controller = new AbortController();
    const given = queue.do('a', 'other', begin('given up'), controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(given, /enough/);
    await assert.rejects(queue.do('a', 'other', begin('late'), controller.signal), /enough/);
    await release();
    await turn();
    assert.deepEqual(begun, []);
  });

  it('goes on for others while what was given up still has the bus', async () => {
    const queue = new BusQueue();
    const controller = new AbortController();
    let release = () => {};
    const running = queue.do(
      'a',
      'other',
      () => new Promise<void>((resolve) => (release = resolve)),
      controller.signal,
    );
    controller.abort(new Error('enough'));
    await assert.rejects(running, /enough/);
    let isServed = false;
    const next = queue.do('b', 'other', async () => {
      isServed = true;
    });
    await turn();
    assert.equal(isServed, false);
    release();
    await next;
  });

  it('rejects all that wait when the line is lost', async () => {
    const { queue, begin, release } = heldQueue();
    const waiting = [queue.do('a', 'stop', begin('a')), queue.do('b', 'other', begin('b'))];
    queue.rejectAll(new Error('gone'));
    for (const job of waiting) await assert.rejects(job, /gone/);
    await release();
    await queue.do('c', 'other', begin('c'));
  });
});
