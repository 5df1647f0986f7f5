import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppendQueue } from '../../../../../gateway/http/dashboard/player/append-queue.ts';
import type { Initialization } from '../../../../../gateway/http/dashboard/player/live-remuxer.ts';

const MB = 1024 * 1024;

const INIT: Initialization = {
  type: 'video/mp4; codecs="avc1.42c01e"',
  kinds: 'video',
  bytes: Uint8Array.of(1, 2, 3),
  leftOut: [],
};

function made() {
  const controller = new AbortController();
  return { controller, queue: new AppendQueue(controller.signal) };
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  return settled;
}

describe('what waits for the browser', () => {
  test('what waits is handed over at once, but never across an initialization', async () => {
    const { queue } = made();
    queue.pushInit(INIT);
    queue.pushMedia([Uint8Array.of(1), Uint8Array.of(2)]);
    queue.pushMedia([Uint8Array.of(3)]);
    queue.pushInit(INIT);
    queue.pushMedia([Uint8Array.of(4)]);
    assert.deepEqual(await queue.next(), { kind: 'init', initialization: INIT });
    assert.deepEqual(await queue.next(), { kind: 'media', bytes: Uint8Array.of(1, 2, 3) });
    assert.equal((await queue.next()).kind, 'init');
    assert.deepEqual(await queue.next(), { kind: 'media', bytes: Uint8Array.of(4) });
    assert.equal(queue.byteLength, 0);
  });

  test('no more than a bounded piece at once, but always one', async () => {
    const { queue } = made();
    for (let n = 0; n < 3; n += 1) queue.pushMedia([new Uint8Array(0.6 * MB)]);
    queue.pushMedia([new Uint8Array(2 * MB)]);
    const lengths: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const item = await queue.next();
      lengths.push(item.kind === 'media' ? item.bytes.length : 0);
    }
    const piece = Math.floor(0.6 * MB);
    assert.deepEqual(lengths, [piece, piece, piece, 2 * MB]);
  });

  test('whoever takes waits for what comes', async () => {
    const { queue } = made();
    const next = queue.next();
    assert.equal(await isSettled(next), false);
    queue.pushMedia([Uint8Array.of(7)]);
    assert.deepEqual(await next, { kind: 'media', bytes: Uint8Array.of(7) });
  });

  test('whoever fills waits while it is full: the connection is held back', async () => {
    const { queue } = made();
    for (let n = 0; n < 7; n += 1) queue.pushMedia([new Uint8Array(MB)]);
    assert.equal(await isSettled(queue.drained()), true);
    queue.pushMedia([new Uint8Array(MB)]);
    const drained = queue.drained();
    assert.equal(await isSettled(drained), false);
    await queue.next();
    assert.equal(await isSettled(drained), true);
  });

  test('the end of an attempt ends all waiting', async () => {
    const { queue, controller } = made();
    const next = queue.next();
    controller.abort(new Error('over'));
    await assert.rejects(next, /over/);
    await assert.rejects(queue.next(), /over/);
    for (let n = 0; n < 9; n += 1) queue.pushMedia([new Uint8Array(MB)]);
    await queue.drained();
  });
});
