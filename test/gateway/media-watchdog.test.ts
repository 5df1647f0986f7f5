import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MediaSigns, MediaWatchdog } from '../../gateway/media-watchdog.ts';

const STALL_MS = 5_000;

/** Looks once a second from 0 on; `signs` says what there is by then. Returns the verdicts, second by second. */
function verdicts(seconds: number, signs: (second: number) => Partial<MediaSigns>): string[] {
  const watchdog = new MediaWatchdog('The camera cam', STALL_MS);
  watchdog.begin(0, 7);
  return Array.from({ length: seconds }, (_, second) => {
    const seen = { units: 7, packets: 0, awaits: undefined, ...signs(second) };
    const verdict = watchdog.look(second * 1_000, seen);
    return verdict.at === 'dead' ? `dead: ${verdict.error.code}` : verdict.at;
  });
}

/** The second of the first verdict of this kind; −1 when there is none. */
function first(all: readonly string[], verdict: string): number {
  return all.indexOf(verdict);
}

test('nothing at all: given up after 20 s', () => {
  const all = verdicts(25, () => ({}));
  assert.equal(first(all, 'dead: no-data'), 20);
});

test('pictures that stop: given up after the stall time', () => {
  const all = verdicts(25, (second) => ({ units: 7 + Math.min(second, 10) }));
  assert.equal(first(all, 'dead: no-data'), 15);
});

test('packets without a keyframe: told after 10 s, given up after 30 s', () => {
  const all = verdicts(40, (second) => ({ packets: second * 10, awaits: 'keyframe' }));
  assert.equal(first(all, 'no-keyframe'), 11);
  assert.equal(first(all, 'dead: no-keyframe'), 31);
});

test('a long GOP that begins in time is no fault', () => {
  const all = verdicts(40, (second) => ({
    packets: second * 10,
    awaits: second % 10 === 9 ? undefined : 'keyframe',
    units: 7 + Math.floor(second / 10),
  }));
  assert.equal(first(all, 'no-keyframe'), -1);
  assert.equal(first(all, 'dead: no-keyframe'), -1);
});

test('no packets: that a keyframe is waited for says nothing', () => {
  const all = verdicts(25, () => ({ awaits: 'keyframe' }));
  assert.equal(first(all, 'no-keyframe'), -1);
  assert.equal(first(all, 'dead: no-data'), 20);
});

test('the camera dies while a keyframe is waited for: that is silence', () => {
  const all = verdicts(25, (second) => ({
    packets: Math.min(second, 8) * 10,
    units: 7 + Math.min(second, 5),
    awaits: second > 5 ? 'keyframe' : undefined,
  }));
  assert.equal(first(all, 'no-keyframe'), -1);
  assert.equal(first(all, 'dead: no-data'), 11);
});

test('a new attempt begins with new patience', () => {
  const watchdog = new MediaWatchdog('The camera cam', STALL_MS);
  watchdog.begin(0, 0);
  assert.equal(watchdog.look(25_000, { units: 0, packets: 0, awaits: undefined }).at, 'dead');
  watchdog.begin(26_000, 0);
  assert.equal(watchdog.look(27_000, { units: 0, packets: 0, awaits: undefined }).at, 'fine');
});
