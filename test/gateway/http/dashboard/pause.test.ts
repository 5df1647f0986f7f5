import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { pause } from '../../../../gateway/http/dashboard/pause.ts';

test('a pause that is over leaves nothing at the signal', async () => {
  const { signal } = new AbortController();
  for (let round = 0; round < 3; round += 1) await pause(0, signal);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a pause ends when the signal aborts, and does not begin behind that', async () => {
  const controller = new AbortController();
  const paused = pause(60_000, controller.signal);
  controller.abort();
  await paused;
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  await pause(60_000, controller.signal);
});
