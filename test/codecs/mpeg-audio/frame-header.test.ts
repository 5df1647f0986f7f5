import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import {
  isMpegAudio,
  mpegAudioFrames,
  parseMpegAudioHeader,
} from '../../../codecs/mpeg-audio/frame-header.ts';
import { hex } from '../../support/hex.ts';

/** The first header of each: ffmpeg 5.1.9, libmp3lame and mp2, 2026-11-24; frame lengths by ffprobe. */
const cases = [
  {
    name: 'MPEG-1 layer III, 44.1 kHz, mono, 32 kbit/s',
    bytes: hex`fffb10c4`,
    want: [1, 3, 44_100, 1, 104, 1152],
  },
  {
    name: 'the same with padding',
    bytes: hex`fffb12c4`,
    want: [1, 3, 44_100, 1, 105, 1152],
  },
  {
    name: 'MPEG-2 layer III, 22.05 kHz, joint stereo, 24 kbit/s',
    bytes: hex`fff33060`,
    want: [2, 3, 22_050, 2, 78, 576],
  },
  {
    name: 'MPEG-2.5 layer III, 8 kHz, mono, 16 kbit/s',
    bytes: hex`ffe328c4`,
    want: [2.5, 3, 8000, 1, 144, 576],
  },
  {
    name: 'MPEG-1 layer II, 48 kHz, mono, 64 kbit/s',
    bytes: hex`fffd44c4`,
    want: [1, 2, 48_000, 1, 192, 1152],
  },
  {
    name: 'MPEG-2 layer II, 24 kHz, mono, 32 kbit/s',
    bytes: hex`fff544c4`,
    want: [2, 2, 24_000, 1, 192, 1152],
  },
  {
    // By the formula of ISO/IEC 11172-3 §2.4.3.1: (12 · 384000 / 44100 + 1) · 4
    name: 'MPEG-1 layer I, 44.1 kHz, stereo, 384 kbit/s, padding',
    bytes: hex`ffffc204`,
    want: [1, 1, 44_100, 2, 420, 384],
  },
  {
    name: 'MPEG-1 layer III, 48 kHz, stereo, 320 kbit/s, with a checksum',
    bytes: hex`fffae400`,
    want: [1, 3, 48_000, 2, 960, 1152],
  },
] as const;

describe('MPEG audio headers', () => {
  for (const { name, bytes, want } of cases) {
    test(name, () => {
      assert.ok(isMpegAudio(bytes));
      const header = parseMpegAudioHeader(bytes);
      const { version, layer, sampleRate, channels, frameBytes, samplesPerFrame } = header;
      assert.deepEqual([version, layer, sampleRate, channels, frameBytes, samplesPerFrame], want);
    });
  }

  test('a checksum makes the header longer', () => {
    assert.equal(parseMpegAudioHeader(hex`fffae400`).headerBytes, 6);
    assert.equal(parseMpegAudioHeader(hex`fffbe400`).headerBytes, 4);
  });

  for (const [name, bytes] of [
    ['nothing', hex``],
    ['three bytes', hex`fffb10`],
    ['no sync word', hex`ff1b10c4`],
    ['ADTS', hex`fff14c80`],
    ['a reserved version', hex`ffeb10c4`],
    ['a reserved sampling rate', hex`fffb1cc4`],
    ['a reserved bit rate', hex`fffbf0c4`],
    ['free format', hex`fffb00c4`],
  ] as const) {
    test(`${name} is refused`, () =>
      assert.throws(() => parseMpegAudioHeader(bytes), { name: 'ParseError' }));
  }

  test('arbitrary bytes give a frame that is longer than its header, or a ParseError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), (rest) => {
        try {
          const { frameBytes, headerBytes } = parseMpegAudioHeader(Uint8Array.of(0xff, ...rest));
          assert.ok(frameBytes > headerBytes);
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }),
    );
  });
});

describe('walking MPEG audio frames', () => {
  /** Two frames of 24 bytes: MPEG-2 layer III, 8 kbit/s at 24 kHz. */
  const frame = new Uint8Array(24).fill(0x5a);
  frame.set(hex`fff314c4`);
  const two = new Uint8Array(48);
  two.set(frame);
  two.set(frame, 24);

  test('frames with their headers; views', () => {
    const frames = [...mpegAudioFrames(two)];
    assert.deepEqual(frames, [frame, frame]);
    assert.ok(frames.every(({ buffer }) => buffer === two.buffer));
    assert.deepEqual([...mpegAudioFrames(hex``)], []);
  });

  test('a frame cut short, and junk between frames, throw and say where', () => {
    assert.throws(() => [...mpegAudioFrames(two.subarray(0, 47))], { offset: 24 });
    const junk = two.slice();
    junk[24] = 0;
    assert.throws(() => [...mpegAudioFrames(junk)], { name: 'ParseError', offset: 24 });
  });
});
