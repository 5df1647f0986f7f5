import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import { AduReassembler } from '../../../codecs/mpeg-audio/adu.ts';
import { mpegAudioFrames } from '../../../codecs/mpeg-audio/frame-header.ts';
import { hex, toHex } from '../../support/hex.ts';
import { adusOf, MP3_FRAMES, MP3_LEAD_BYTES } from './mp3-fixture.ts';

class Frames {
  readonly frames: Uint8Array[] = [];
  readonly timestamps: number[] = [];
  readonly reassembler = new AduReassembler((frame, timestamp) => {
    this.frames.push(frame);
    this.timestamps.push(timestamp);
  });

  push(adus: readonly Uint8Array[], from = 0): void {
    for (const [n, adu] of adus.entries()) this.reassembler.push(adu, from + n);
  }
}

/** Side information of zeros: no data of its own. */
function isSilent(frame: Uint8Array): boolean {
  return frame.subarray(4, MP3_LEAD_BYTES).every((byte) => byte === 0);
}

// ffmpeg 5.1.9 decodes both to the same samples (2026-11-25).
test('frames become ADUs become the same frames, as far as decoders read them', () => {
  const adus = adusOf(MP3_FRAMES);
  assert.ok(adus.some((adu, n) => adu.length !== MP3_FRAMES[n]?.length));
  const got = new Frames();
  got.push(adus);
  got.reassembler.reset();
  assert.equal(got.frames.length, 16);
  assert.deepEqual(got.timestamps, [...MP3_FRAMES.keys()]);
  for (const [n, frame] of got.frames.entries()) {
    const sent = MP3_FRAMES[n]!;
    assert.equal(frame.length, sent.length);
    assert.deepEqual(frame.subarray(0, MP3_LEAD_BYTES), sent.subarray(0, MP3_LEAD_BYTES));
  }
  assert.deepEqual(adusOf(got.frames).map(toHex), adus.map(toHex));
  const whole = Uint8Array.from(got.frames.flatMap((frame) => [...frame]));
  assert.equal([...mpegAudioFrames(whole)].length, 16);
});

test('a frame leaves when nothing can lie in it any more', () => {
  const got = new Frames();
  got.push(adusOf(MP3_FRAMES));
  // The last frame's data would begin 40 bytes before it: what follows may lie in the one before, too.
  assert.equal(got.frames.length, 14);
});

test('after a loss: silence until there is room for the data, then the same frames', () => {
  const adus = adusOf(MP3_FRAMES);
  const got = new Frames();
  got.push(adus.slice(0, 8));
  got.reassembler.reset();
  assert.equal(got.frames.length, 8);
  got.push(adus.slice(10), 10);
  got.reassembler.reset();
  assert.equal(got.frames.length, 14);
  // Frame 10 has its data 43 bytes before it, in a frame that was lost; frame 11 in frame 10.
  assert.deepEqual(
    got.frames.map(isSilent),
    Array.from({ length: 14 }, (_, n) => n === 8),
  );
  const lead = (frame: Uint8Array) => toHex(frame.subarray(0, MP3_LEAD_BYTES));
  assert.deepEqual(got.frames.slice(9).map(lead), MP3_FRAMES.slice(11).map(lead));
  assert.deepEqual(got.timestamps.slice(8), [10, 11, 12, 13, 14, 15]);
});

for (const [name, adu] of [
  ['nothing', hex``],
  ['no header', hex`00000000 00`],
  ['layer II', hex`fffd44c4 ${'00'.repeat(40)}`],
  ['side information cut short', MP3_FRAMES[0]!.subarray(0, 12)],
  ['more data than there is room for', hex`fff330c4 ${'00'.repeat(196)}`],
] as const) {
  test(`${name} is refused, and changes nothing`, () => {
    const got = new Frames();
    assert.throws(() => got.reassembler.push(adu, 0), ParseError);
    got.push(adusOf(MP3_FRAMES));
    assert.equal(got.frames.length, 14);
  });
}

test('arbitrary ADUs give frames or a ParseError', () => {
  const adu = fc
    .tuple(
      fc.constantFrom('fff330c4', 'fffb1004', 'fff314c4', 'fffa10c4'),
      fc.uint8Array({ maxLength: 90 }),
    )
    .map(([header, rest]) => Uint8Array.from([...hex`${header}`, ...rest]));
  fc.assert(
    fc.property(fc.array(adu, { maxLength: 30 }), (adus) => {
      const got = new Frames();
      let taken = 0;
      for (const bytes of adus) {
        try {
          got.reassembler.push(bytes, 0);
          taken += 1;
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }
      got.reassembler.reset();
      assert.equal(got.frames.length, taken);
    }),
  );
});
