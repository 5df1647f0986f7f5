import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { SilentAudio } from '../../../gateway/proxypublish/silent-audio.ts';

function follow(silence: SilentAudio, ...dtsUs: number[]): number[] {
  const times: number[] = [];
  for (const us of dtsUs) silence.follow(us, ({ dtsUs }: AccessUnit) => times.push(dtsUs));
  return times;
}

test('frames up to the time of each picture, none ahead of it', () => {
  const silence = new SilentAudio();
  assert.deepEqual(follow(silence, 5_000_000), [5_000_000]);
  assert.deepEqual(follow(silence, 5_040_000), [5_023_220]);
  assert.deepEqual(follow(silence, 5_080_000), [5_046_440, 5_069_660]);
});

test('after a day the times are exact', () => {
  const silence = new SilentAudio();
  let frames = 0;
  let last = 0;
  const pictures = 86_400 * 25;
  for (let picture = 0; picture <= pictures; picture += 1) {
    silence.follow(picture * 40_000, ({ dtsUs }) => {
      frames += 1;
      last = dtsUs;
    });
  }
  assert.equal(frames, Math.floor((86_400 * 44_100) / 1024) + 1);
  assert.equal(last, Math.round(((frames - 1) * 1024 * 1_000_000) / 44_100));
});

test('pictures out of order change nothing', () => {
  const silence = new SilentAudio();
  follow(silence, 0, 40_000);
  assert.deepEqual(follow(silence, 20_000, 30_000), []);
});

for (const [name, jumpUs] of [
  ['forwards', 3_600_000_000],
  ['backwards', -3_600_000_000],
] as const) {
  test(`a jump ${name} is followed at once, with one frame`, () => {
    const silence = new SilentAudio();
    follow(silence, 0, 40_000);
    assert.deepEqual(follow(silence, jumpUs), [jumpUs]);
    assert.deepEqual(follow(silence, jumpUs + 40_000), [jumpUs + 23_220]);
  });
}
