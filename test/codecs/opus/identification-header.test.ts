import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import {
  opusTrack,
  parseOpusIdentificationHeader,
  serializeOpusIdentificationHeader,
} from '../../../codecs/opus/identification-header.ts';
import { hex } from '../../support/hex.ts';

const MAGIC = '4f70757348656164';
/** ffmpeg 5.1.9, libopus, mono. */
const LIBOPUS = hex`${MAGIC} 01 01 3801 80bb0000 0000 00`;

describe('OpusHead', () => {
  test('libopus, mono', () => {
    assert.deepEqual(parseOpusIdentificationHeader(LIBOPUS), {
      channels: 1,
      preSkip: 312,
      inputSampleRate: 48_000,
      outputGain: 0,
      mappingFamily: 0,
    });
    assert.deepEqual(opusTrack(LIBOPUS), {
      kind: 'audio',
      codec: 'opus',
      config: LIBOPUS,
      sampleRate: 48_000,
      channels: 1,
    });
  });

  test('5.1 with its table; a gain below zero; an input of 16 kHz', () => {
    const bytes = hex`${MAGIC} 01 06 0000 803e0000 00ff 01 04 02 000401020305`;
    assert.deepEqual(parseOpusIdentificationHeader(bytes), {
      channels: 6,
      preSkip: 0,
      inputSampleRate: 16_000,
      outputGain: -256,
      mappingFamily: 1,
    });
  });

  for (const [name, bytes] of [
    ['nothing', hex``],
    ['another magic', hex`4f70757354616773 01 01 3801 80bb0000 0000 00`],
    ['a version of the future', hex`${MAGIC} 10 01 3801 80bb0000 0000 00`],
    ['no channels', hex`${MAGIC} 01 00 3801 80bb0000 0000 00`],
    ['three channels without a table', hex`${MAGIC} 01 03 3801 80bb0000 0000 00`],
    ['a table cut short', hex`${MAGIC} 01 03 3801 80bb0000 0000 01 02 01 0001`],
  ] as const) {
    test(`${name} is refused`, () =>
      assert.throws(() => parseOpusIdentificationHeader(bytes), { name: 'ParseError' }));
  }

  test('what is written is read again', () => {
    for (const channels of [1, 2] as const) {
      const track = opusTrack(serializeOpusIdentificationHeader(channels));
      assert.equal(track.channels, channels);
      assert.equal(parseOpusIdentificationHeader(track.config).preSkip, 0);
    }
  });

  test('arbitrary bytes give a value or a ParseError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.boolean(), (rest, isMagic) => {
        try {
          parseOpusIdentificationHeader(isMagic ? Uint8Array.of(...hex`${MAGIC}`, ...rest) : rest);
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }),
    );
  });
});
