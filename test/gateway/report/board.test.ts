import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Board } from '../../../gateway/report/board.ts';
import type { StreamStatus } from '../../../gateway/report/status.ts';

const FIRST = '2026-11-25T12:00:00.000Z';
const STATUS: StreamStatus = {
  state: 'online',
  code: 'ok',
  reason: 'Pictures are arriving.',
  since: FIRST,
  lastFrameAt: FIRST,
  attempts: 0,
  nextRetryAt: null,
};

test('the time of the last frame is known at once, and told once a minute', () => {
  const board = new Board();
  board.setStreamStatus('yard', STATUS);
  const told: (string | null)[] = [];
  board.on('stream', ({ status }, part) => {
    if (part === 'status') told.push(status.lastFrameAt);
  });
  const after = (seconds: number) => new Date(Date.parse(FIRST) + seconds * 1000).toISOString();
  for (const seconds of [10, 59.9, 60, 70, 119, 120, 121]) {
    board.touchStream('yard', after(seconds));
    assert.equal(board.streams.get('yard')?.status.lastFrameAt, after(seconds));
  }
  assert.deepEqual(told, [after(60), after(120)]);
  board.touchStream('unknown', after(200));
  assert.equal(told.length, 2);
  // The clock was three hours ahead.
  for (const seconds of [-10_800, -10_790, -10_740]) board.touchStream('yard', after(seconds));
  assert.deepEqual(told.slice(2), [after(-10_800), after(-10_740)]);
});
