import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MotionState } from '../../../drivers/onvif/motion-state.ts';

function track() {
  const told: boolean[] = [];
  const state = new MotionState((isMoving) => told.push(isMoving));
  const take = (detector: string, isMoving: boolean | undefined) =>
    state.take({ detector, isMoving });
  return { told, take };
}

test('the first word is told, whatever it is, then changes only', () => {
  const { told, take } = track();
  take('a', false);
  take('a', false);
  take('a', true);
  take('a', true);
  take('a', false);
  assert.deepEqual(told, [false, true, false]);
});

test('it moves while any of the detectors says so', () => {
  const { told, take } = track();
  take('a s=1', true);
  take('a s=2', true);
  take('a s=1', false);
  take('b', false);
  assert.deepEqual(told, [true]);
  take('a s=2', undefined);
  assert.deepEqual(told, [true, false], 'a detector that is deleted moves no more');
});

test('a detector without a source speaks for those of its topic, and for no other', () => {
  const { told, take } = track();
  take('a s=1', true);
  take('ab s=1', true);
  take('a', false);
  assert.deepEqual(told, [true]);
  take('ab', false);
  assert.deepEqual(told, [true, false]);
});

test('detectors that are made up are not kept without end', () => {
  const { told, take } = track();
  for (let count = 0; count < 1000; count += 1) take(`a s=${count}`, true);
  for (let count = 0; count < 64; count += 1) take(`a s=${count}`, false);
  assert.deepEqual(told, [true, false]);
});
