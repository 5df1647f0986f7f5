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
  fps = 25,
): OnvifProfile => ({ token, name: token, codec, width: (height * 16) / 9, height, fps, kbps });

const CAMERA = [
  profile('jpeg', 'jpeg', 1080),
  profile('sub', 'h264', 360, 512),
  profile('4k', 'h265', 2160, 8000),
  profile('main', 'h264', 1080, 4096),
  profile('mid', 'h264', 720, 2048),
  profile('audio', undefined, 0),
];
const H265_ONLY = [profile('4k', 'h265', 2160, 8000), profile('small', 'h265', 480, 700)];
/** What they tell is nothing. */
const SILENT = [profile('first', 'h264', 0, 0, 0), profile('second', 'h264', 0, 0, 0)];
const EQUAL = [profile('a', 'h265', 1080, 4000), profile('b', 'h264', 1080, 4000)];
const FRAMES = [profile('slow', 'h264', 1080, 4000, 12), profile('fast', 'h264', 1080, 4000, 25)];
const RATES = [profile('lean', 'h264', 1080, 2000), profile('rich', 'h264', 1080, 6000)];
const HALF_KNOWN = [profile('unknown', 'h264', 0), profile('known', 'h264', 480, 900)];

const cases: readonly { rule: ProfileRule; want: string; from?: OnvifProfile[]; why?: string }[] = [
  { rule: 'main', want: 'main' },
  { rule: 'sub', want: 'sub' },
  { rule: { maxHeight: 720 }, want: 'mid' },
  { rule: { maxHeight: 720, maxKbps: 2047 }, want: 'sub' },
  { rule: { maxKbps: 1000 }, want: 'sub' },
  { rule: { maxHeight: 100 }, want: 'sub', why: 'none is within: the smallest' },
  { rule: { codec: 'h265' }, want: '4k' },
  { rule: {}, want: 'main' },
  { rule: { size: 'main', anyCodec: true }, want: '4k', why: 'nothing is published' },
  { rule: { size: 'sub', anyCodec: true }, want: 'sub' },
  { rule: { maxHeight: 1080, anyCodec: true }, want: 'main' },
  { rule: 'main', want: '4k', from: H265_ONLY, why: 'no H.264: H.265 is better than nothing' },
  { rule: 'sub', want: 'small', from: H265_ONLY },
  { rule: 'main', want: 'first', from: SILENT, why: 'the order of the camera' },
  { rule: 'sub', want: 'first', from: SILENT },
  { rule: { maxHeight: 720, maxKbps: 1 }, want: 'first', from: SILENT, why: 'taken to fit' },
  { rule: { size: 'main', anyCodec: true }, want: 'b', from: EQUAL, why: 'H.264 among equals' },
  { rule: 'main', want: 'fast', from: FRAMES },
  { rule: 'sub', want: 'slow', from: FRAMES },
  { rule: 'main', want: 'rich', from: RATES },
  { rule: 'sub', want: 'lean', from: RATES },
  { rule: 'main', want: 'known', from: HALF_KNOWN, why: 'what is known comes first' },
  { rule: 'sub', want: 'known', from: HALF_KNOWN },
  { rule: { maxHeight: 240 }, want: 'unknown', from: HALF_KNOWN, why: 'it may fit' },
];

for (const { rule, want, from = CAMERA, why = '' } of cases) {
  test(`${JSON.stringify(rule)} chooses ${want}${why === '' ? '' : `: ${why}`}`, () => {
    assert.equal(chooseProfile(from, rule).token, want);
  });
}

test('nothing that can be carried is an UnsupportedError that names what there is, and what to do', () => {
  const failing: readonly [from: OnvifProfile[], rule: ProfileRule, words: RegExp][] = [
    [[profile('a', undefined, 0)], 'main', /no profile with video\. Make one/],
    [[], 'sub', /no profile with video/],
    [
      [profile('a', 'jpeg', 1080), profile('b', 'mpeg4', 480)],
      'main',
      /no h264 or h265 profile, only jpeg, mpeg4\. Set the encoder/,
    ],
    [H265_ONLY, { codec: 'h264' }, /no h264 profile, only h265/],
    [[profile('a', 'jpeg', 1080)], { codec: 'h265', anyCodec: true }, /no h265 profile, only jpeg/],
  ];
  for (const [from, rule, words] of failing) {
    assert.throws(
      () => chooseProfile(from, rule),
      (error) => error instanceof UnsupportedError && words.test(error.message),
    );
  }
});
