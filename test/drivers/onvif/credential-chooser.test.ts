import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthenticationError } from '../../../codecs/errors.ts';
import {
  CredentialChooser,
  HOLD_MS,
  MAX_REFUSALS,
} from '../../../drivers/onvif/credential-chooser.ts';

const A = { username: 'admin', password: 'a' };
const B = { username: 'admin', password: 'b' };

function setUp(...candidates: { username: string; password: string }[]) {
  const clock = { nowMs: 0 };
  return { clock, chooser: new CredentialChooser(candidates, () => clock.nowMs) };
}

test('in order, then what was refused least often', () => {
  const { chooser } = setUp(A, B);
  assert.equal(chooser.next(), A);
  assert.equal(chooser.refused(A), true);
  assert.equal(chooser.hasUntried, true);
  assert.equal(chooser.next(), B);
  assert.equal(chooser.refused(B), true);
  assert.equal(chooser.hasUntried, false);
  assert.equal(chooser.next(), A);
});

test('what worked is used again', () => {
  const { chooser } = setUp(A, B);
  chooser.refused(A);
  chooser.worked(B);
  assert.equal(chooser.next(), B);
});

test('after three refusals nothing is tried for ten minutes, then once', () => {
  const { clock, chooser } = setUp(A);
  for (let i = 1; i < MAX_REFUSALS; i += 1) assert.equal(chooser.refused(A), true);
  assert.equal(chooser.refused(A), false);
  assert.throws(() => chooser.next(), AuthenticationError);
  clock.nowMs = HOLD_MS - 1;
  assert.throws(() => chooser.next(), AuthenticationError);
  clock.nowMs = HOLD_MS;
  assert.equal(chooser.next(), A);
  assert.equal(chooser.refused(A), false);
  assert.throws(() => chooser.next(), AuthenticationError);
});

test('other credentials end the hold; the same ones do not', () => {
  const { chooser } = setUp(A);
  for (let i = 0; i < MAX_REFUSALS; i += 1) chooser.refused(A);
  chooser.replace([{ ...A }]);
  assert.throws(() => chooser.next(), AuthenticationError);
  chooser.replace([B]);
  assert.equal(chooser.next(), B);
});

test('without credentials nothing is counted', () => {
  const { chooser } = setUp();
  for (let i = 0; i < 9; i += 1) assert.equal(chooser.refused(undefined), true);
  assert.equal(chooser.next(), undefined);
});
