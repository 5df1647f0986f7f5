import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnsupportedError } from '../../../codecs/errors.ts';
import type { OnvifProfile } from '../../../drivers/onvif/onvif-client.ts';
import { chooseProfile, type ProfileRule } from '../../../drivers/onvif/profile-choice.ts';

const profile = (
  token: string,
  codec: string | undefined,
  height: number,
  kbps = 0,
): OnvifProfile => ({
  token,
  name: token,
  codec,
  width: (height * 16) / 9,
  height,
  fps: 25,
  kbps,
});
const CAMERA = [
  profile('jpeg', 'jpeg', 1080),
  profile('sub', 'h264', 360, 512),
  profile('4k', 'h265', 2160, 8000),
  profile('main', 'h264', 1080, 4096),
  profile('mid', 'h264', 720, 2048),
  profile('audio', undefined, 0),
];

test('the profile that a rule chooses', () => {
  const cases: { rule: ProfileRule; want: string; from?: OnvifProfile[] }[] = [
    { rule: 'main', want: 'main' },
    { rule: 'sub', want: 'sub' },
    { rule: { maxHeight: 720 }, want: 'mid' },
    { rule: { maxKbps: 1000 }, want: 'sub' },
    { rule: { maxHeight: 100 }, want: 'sub' },
    { rule: { codec: 'h265' }, want: '4k' },
    { rule: {}, want: 'main' },
    { rule: 'main', want: '4k', from: [profile('4k', 'h265', 2160), profile('jpeg', 'jpeg', 720)] },
    {
      rule: 'main',
      want: 'first',
      from: [profile('first', 'h264', 0), profile('second', 'h264', 0)],
    },
  ];
  for (const { rule, want, from } of cases) {
    assert.equal(chooseProfile(from ?? CAMERA, rule).token, want, JSON.stringify(rule));
  }
});

test('nothing that fits is an UnsupportedError that names what there is', () => {
  assert.throws(() => chooseProfile([profile('a', undefined, 0)], 'main'), UnsupportedError);
  assert.throws(() => chooseProfile([], 'sub'), /no profile with video/);
  assert.throws(
    () => chooseProfile([profile('4k', 'h265', 2160)], { codec: 'h264' }),
    /no h264 profile, only h265/,
  );
});
