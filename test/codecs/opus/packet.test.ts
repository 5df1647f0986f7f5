import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import { isOpusStereo, opusPacketSamples } from '../../../codecs/opus/packet.ts';
import { hex } from '../../support/hex.ts';

describe('how long an Opus packet plays', () => {
  for (const [name, packet, samples] of [
    ['libopus 1.3 at 16 kbit/s: hybrid, 20 ms', hex`788201b7`, 960],
    ['SILK, 10 ms', hex`00`, 480],
    ['SILK, 60 ms, stereo', hex`1c`, 2880],
    ['hybrid, 10 ms, two frames', hex`61`, 960],
    ['CELT, 2.5 ms', hex`80`, 120],
    ['CELT, 20 ms, two frames of two sizes', hex`fe`, 1920],
    ['CELT, 5 ms, twenty-four frames', hex`8b 18`, 5760],
    ['CELT, 20 ms, three frames with padding and of two sizes', hex`fb c3`, 2880],
  ] as const) {
    test(name, () => assert.equal(opusPacketSamples(packet), samples));
  }

  for (const [name, packet] of [
    ['nothing', hex``],
    ['no frame count', hex`fb`],
    ['no frames', hex`fb 00`],
    ['more than 120 ms', hex`fb 07`],
  ] as const) {
    test(`${name} is refused`, () =>
      assert.throws(() => opusPacketSamples(packet), { name: 'ParseError' }));
  }

  test('arbitrary bytes give at most 120 ms, or a ParseError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3 }), (packet) => {
        try {
          const samples = opusPacketSamples(packet);
          assert.ok(samples >= 120 && samples <= 5760);
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }),
    );
  });
});

test('stereo is one bit', () => {
  assert.equal(isOpusStereo(hex`7c`), true);
  assert.equal(isOpusStereo(hex`78`), false);
  assert.equal(isOpusStereo(hex``), false);
});
