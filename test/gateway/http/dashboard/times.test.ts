import assert from 'node:assert/strict';
import { it } from 'node:test';
import { durationWords, relativeWords } from '../../../../gateway/http/dashboard/times.ts';

const durations: [number, string][] = [
  [-1, '0 s'],
  [0, '0 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [3_661, '1 h 1 min'],
  [90_000, '1 d 1 h'],
  [86_401, '1 d'],
];
for (const [seconds, want] of durations) {
  it(`${seconds} s is ${want}`, () => assert.equal(durationWords(seconds, 'en'), want));
}

it('the past, the future, and in Chinese', () => {
  assert.match(relativeWords(0, 12_000, 'en'), /12 sec\. ago/);
  assert.equal(relativeWords(1_000, 0, 'en'), 'now');
  assert.match(relativeWords(300_000, 0, 'en'), /in 5 min/);
  assert.match(relativeWords(0, 7_200_000, 'zh'), /2.*小时前/);
});
