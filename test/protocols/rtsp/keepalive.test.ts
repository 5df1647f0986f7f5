import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  KeepaliveHabit,
  keepaliveIntervalMs,
  keepaliveMethod,
  type SessionEnd,
} from '../../../protocols/rtsp/keepalive.ts';

/** Sessions that die every minute: mediamtx#1066, #842, #2908; yellowstone#34; media-stream-library-js#100, PR#1173. */
test('a keepalive goes out early enough', () => {
  assert.equal(keepaliveIntervalMs(60_000), 30_000);
  assert.equal(keepaliveIntervalMs(10_000), 5000);
  assert.equal(keepaliveIntervalMs(8000), 3000);
  assert.equal(keepaliveIntervalMs(4000), 1000);
});

const methods = [
  [undefined, 'OPTIONS'],
  ['', 'OPTIONS'],
  ['OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN', 'OPTIONS'],
  ['OPTIONS, GET_PARAMETER, SET_PARAMETER', 'GET_PARAMETER'],
  ['options,get_parameter', 'GET_PARAMETER'],
  ['DESCRIBE SETUP SET_PARAMETER', 'SET_PARAMETER'],
  ['OPTIONS,SET_PARAMETER', 'OPTIONS'],
] as const;

for (const [offered, want] of methods) {
  test(`keeps alive with ${want} where Public is ${JSON.stringify(offered)}`, () => {
    assert.equal(keepaliveMethod(offered), want);
  });
}

const END: SessionEnd = {
  method: 'GET_PARAMETER',
  timeoutMs: 60_000,
  ageMs: 200_000,
  sinceKeepaliveMs: 12_000,
  isAnswered: true,
};

const ends: readonly (readonly [string, Partial<SessionEnd>, string | undefined])[] = [
  ['long after its timeout', {}, undefined],
  ['at its timeout (go2rtc PR#2409)', { ageMs: 60_500 }, 'OPTIONS'],
  ['a little before its timeout', { ageMs: 56_000 }, 'OPTIONS'],
  ['with the next sweep after its timeout', { ageMs: 72_000 }, 'OPTIONS'],
  ['before its first keepalive', { ageMs: 60_000, sinceKeepaliveMs: undefined }, undefined],
  ['early', { ageMs: 40_000 }, undefined],
  [
    'by hanging up on the keepalive (SharpRTSP#63)',
    { ageMs: 30_100, sinceKeepaliveMs: 100, isAnswered: false },
    'OPTIONS',
  ],
  ['just after a keepalive it answered', { ageMs: 30_100, sinceKeepaliveMs: 100 }, undefined],
  ['by OPTIONS, at its timeout', { method: 'OPTIONS', ageMs: 60_000 }, 'SET_PARAMETER'],
  ['by SET_PARAMETER', { method: 'SET_PARAMETER', ageMs: 60_000 }, 'GET_PARAMETER'],
];

for (const [name, end, want] of ends) {
  test(`a session that ends ${name}: next time ${want ?? 'the same'}`, () => {
    const habit = new KeepaliveHabit();
    assert.equal(habit.learn({ ...END, ...end }), want !== undefined);
    assert.equal(habit.method, want);
  });
}
