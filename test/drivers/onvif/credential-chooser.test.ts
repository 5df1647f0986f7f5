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

test('users of their own for ONVIF and RTSP: each has its own order, one count of refusals', () => {
  const { chooser } = setUp(A, B);
  chooser.worked(A);
  assert.equal(chooser.next('rtsp'), A, 'what ONVIF takes is tried first');
  chooser.refused(A, 'rtsp');
  assert.equal(chooser.next('rtsp'), A, 'it may be out of sessions');
  chooser.refused(A, 'rtsp');
  assert.equal(chooser.next('rtsp'), B);
  chooser.worked(B, 'rtsp');
  assert.equal(chooser.next(), A);
  assert.equal(chooser.next('rtsp'), B);
  chooser.refused(B, 'rtsp');
  chooser.refused(B, 'http');
  assert.equal(chooser.refused(A), false, 'three in all');
});

test('a login that ONVIF takes does not free RTSP of its refusals', () => {
  const { clock, chooser } = setUp(A);
  for (let n = 0; n < MAX_REFUSALS; n += 1) {
    chooser.worked(A);
    chooser.refused(A, 'rtsp');
  }
  assert.throws(() => chooser.next('rtsp'), AuthenticationError);
  clock.nowMs = HOLD_MS;
  chooser.worked(A);
  chooser.refused(A, 'rtsp');
  assert.throws(() => chooser.next(), AuthenticationError);
});

test('a clock that is set back does not make the hold longer', () => {
  const { clock, chooser } = setUp(A);
  clock.nowMs = 1e12;
  for (let n = 0; n < MAX_REFUSALS; n += 1) chooser.refused(A);
  assert.throws(() => chooser.next(), AuthenticationError);
  clock.nowMs = 0;
  assert.equal(chooser.next(), A);
});

test('not sure which device it is: one password only, and what it refused is forgiven', () => {
  let isSure = false;
  const told: boolean[] = [];
  const chooser = new CredentialChooser([A, B], () => 0, {
    isSureOfDevice: () => isSure,
    changed: (isRefusal) => told.push(isRefusal),
  });
  chooser.refused(chooser.next());
  assert.equal(chooser.hasUntried, false);
  isSure = true;
  assert.equal(chooser.hasUntried, true);
  chooser.forgive();
  assert.equal(chooser.next(), A);
  assert.deepEqual(told, [true, false]);
});

test('what is kept, restored; places that are not there are left out', () => {
  const { chooser } = setUp(A, B);
  chooser.worked(B, 'rtsp');
  chooser.refused(A);
  const kept = chooser.toKeep();
  assert.deepEqual(kept, { worked: { rtsp: 1 }, refusals: { onvif: [1, 0] } });
  const again = new CredentialChooser([A, B], () => 0, { kept });
  assert.deepEqual(again.toKeep(), kept);
  const fewer = new CredentialChooser([], () => 0, { kept });
  assert.deepEqual(fewer.toKeep(), { worked: {}, refusals: {} });
});
