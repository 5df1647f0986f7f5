import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mock, test } from 'node:test';
import { SharedSnapshot } from '../../gateway/shared-snapshot.ts';

test('one request for all who ask within a second, also when it fails', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let taken = 0;
  const shared = new SharedSnapshot(async () => {
    taken += 1;
    if (taken === 2) throw new Error('busy');
    return Uint8Array.of(taken);
  }, new AbortController().signal);
  const [a, b] = await Promise.all([shared.get(), shared.get()]);
  assert.equal(a, b);
  mock.timers.tick(999);
  assert.deepEqual(await shared.get(), Uint8Array.of(1));
  mock.timers.tick(1);
  const failed = shared.get();
  await assert.rejects(failed, /busy/);
  await assert.rejects(shared.get(), /busy/);
  mock.timers.tick(1_000);
  assert.deepEqual(await shared.get(), Uint8Array.of(3));
  assert.equal(taken, 3);
  mock.timers.reset();
});

test('the service stops: so does the request', async () => {
  const stopping = new AbortController();
  const shared = new SharedSnapshot(
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    stopping.signal,
  );
  const asked = shared.get();
  stopping.abort(new Error('over'));
  await assert.rejects(asked, /over/);
});

test('a camera that takes too long is left, and nothing stays at the service’s signal', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const stopping = new AbortController();
  const shared = new SharedSnapshot(
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    stopping.signal,
  );
  const asked = shared.get();
  assert.equal(getEventListeners(stopping.signal, 'abort').length, 1);
  mock.timers.tick(5_000);
  await assert.rejects(asked, { name: 'TimeoutError' });
  assert.equal(getEventListeners(stopping.signal, 'abort').length, 0);
  mock.timers.reset();
});
