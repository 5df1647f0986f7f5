import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVp9FrameSize } from '../../../codecs/vp9/frame-size.ts';
import { bits } from '../../support/bits.ts';
import { hex } from '../../support/hex.ts';

/** libvpx 1.12, 322x180, profile 0. */
const LIBVPX = hex`824983420014100b360638241c184a00`;

test('a keyframe of libvpx', () => {
  assert.deepEqual(parseVp9FrameSize(LIBVPX), { width: 322, height: 180 });
});

test('profiles with more depth, more colour, and RGB', () => {
  const sync = '01001001 10000011 01000010';
  const size = '0000011101111111 0000010000110111';
  for (const [name, text] of [
    ['2: 10 bit', `10 0 1 0 0 10 ${sync} 0 001 0 ${size}`],
    ['1: 4:4:4', `10 1 0 0 0 10 ${sync} 001 0 000 ${size}`],
    ['3: RGB, 12 bit', `10 1 1 0 0 0 10 ${sync} 1 111 0 ${size}`],
  ] as const) {
    assert.deepEqual(parseVp9FrameSize(bits(text)), { width: 1920, height: 1080 }, name);
  }
});

for (const [name, bytes] of [
  ['nothing', hex``],
  ['another marker', hex`424983420014100b36`],
  ['an inter frame', hex`864983420014100b36`],
  ['an existing frame shown again', hex`8a4983420014100b36`],
  ['another sync code', hex`824983430014100b36`],
  ['a size cut short', LIBVPX.subarray(0, 7)],
] as const) {
  test(`${name} is refused`, () => {
    assert.throws(() => parseVp9FrameSize(bytes), { name: 'ParseError' });
  });
}
