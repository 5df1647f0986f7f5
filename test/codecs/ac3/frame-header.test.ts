import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ac3Track, ac3Units, isAc3, parseAc3Header } from '../../../codecs/ac3/frame-header.ts';
import { ParseError } from '../../../codecs/errors.ts';
import { bits, number } from '../../support/bits.ts';
import { hex } from '../../support/hex.ts';

/** ffmpeg 5.1.9, ac3 and eac3, 2026-11-24; frame lengths by ffprobe. */
const cases = [
  {
    name: 'AC-3, 48 kHz, mono, 96 kbit/s',
    bytes: hex`0b77e59a0c402f84`,
    want: ['ac3', 48_000, 1, 384, 1536],
  },
  {
    name: 'AC-3, 44.1 kHz, stereo, 128 kbit/s: a short frame',
    bytes: hex`0b77a8e6504043e1`,
    want: ['ac3', 44_100, 2, 556, 1536],
  },
  {
    name: 'AC-3, 44.1 kHz, stereo, 128 kbit/s: a long frame',
    bytes: hex`0b77a8e6514043e1`,
    want: ['ac3', 44_100, 2, 558, 1536],
  },
  {
    name: 'AC-3, 32 kHz, 5.1, 192 kbit/s',
    bytes: hex`0b77013f9440ebf8`,
    want: ['ac3', 32_000, 6, 1152, 1536],
  },
  {
    name: 'AC-3 at half the rate (bsid 9)',
    bytes: hex`0b7700000c4a2f84`.map((byte, at) => (at === 5 ? 9 << 3 : byte)),
    want: ['ac3', 24_000, 1, 384, 1536],
  },
  {
    name: 'E-AC-3, 48 kHz, mono, 64 kbit/s',
    bytes: hex`0b77007f3287c000`,
    want: ['eac3', 48_000, 1, 256, 1536],
  },
  {
    name: 'E-AC-3, 48 kHz, 5.1, 192 kbit/s',
    bytes: hex`0b77017f3f87c000`,
    want: ['eac3', 48_000, 6, 768, 1536],
  },
  {
    name: 'E-AC-3, 44.1 kHz, stereo, 96 kbit/s',
    bytes: hex`0b7700cf7487c000`,
    want: ['eac3', 44_100, 2, 416, 1536],
  },
  {
    name: 'E-AC-3 with one block a frame',
    bytes: enhanced({ fscod: 0, code: 0 }),
    want: ['eac3', 48_000, 2, 64, 256],
  },
  {
    name: 'E-AC-3 at 16 kHz',
    bytes: enhanced({ fscod: 3, code: 2 }),
    want: ['eac3', 16_000, 2, 64, 1536],
  },
] as const;

interface Enhanced {
  readonly type?: number;
  readonly substream?: number;
  readonly fscod?: number;
  readonly code?: number;
  readonly frameBytes?: number;
}

function enhanced(fields: Enhanced): Uint8Array {
  const { type = 0, substream = 0, fscod = 0, code = 3, frameBytes = 64 } = fields;
  const head = [number(0x0b77, 16), number(type, 2), number(substream, 3)];
  const size = number(frameBytes / 2 - 1, 11);
  const frame = new Uint8Array(frameBytes);
  frame.set(bits(...head, size, number(fscod, 2), number(code, 2), '010 0', number(16, 5)));
  return frame;
}

describe('AC-3 headers', () => {
  for (const { name, bytes, want } of cases) {
    test(name, () => {
      assert.ok(isAc3(bytes));
      const header = parseAc3Header(bytes);
      const { codec, sampleRate, channels, frameBytes, samplesPerFrame } = header;
      assert.deepEqual([codec, sampleRate, channels, frameBytes, samplesPerFrame], want);
      assert.deepEqual(ac3Track(header), { kind: 'audio', codec, sampleRate, channels });
    });
  }

  for (const [name, bytes] of [
    ['nothing', hex``],
    ['seven bytes', hex`0b77e59a0c402f`],
    ['no sync word', hex`770be59a0c402f84`],
    ['a reserved rate', hex`0b77e59acc402f84`],
    ['a reserved frame size', hex`0b77e59a26402f84`],
    ['a bit stream of the future', hex`0b77e59a0c882f84`],
    ['a reserved rate of E-AC-3', enhanced({ fscod: 3, code: 3 })],
    ['a reserved stream type of E-AC-3', enhanced({ type: 3 })],
    ['an E-AC-3 frame of two bytes', hex`0b7700003287c000`],
  ] as const) {
    test(`${name} is refused`, () =>
      assert.throws(() => parseAc3Header(bytes), { name: 'ParseError' }));
  }

  test('arbitrary bytes give a frame that is as long as its header, or a ParseError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 10 }), (rest) => {
        try {
          const { frameBytes, channels } = parseAc3Header(Uint8Array.of(0x0b, 0x77, ...rest));
          assert.ok(frameBytes >= 8 && channels >= 1 && channels <= 6);
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }),
    );
  });
});

describe('walking AC-3 frames', () => {
  const independent = enhanced({ frameBytes: 32 });
  const dependent = enhanced({ frameBytes: 16, type: 1 });
  const second = enhanced({ frameBytes: 16, substream: 1 });
  const all = Uint8Array.from([independent, dependent, second, independent].flatMap((f) => [...f]));

  test('a unit is a frame and those of the same time', () => {
    const units = [...ac3Units(all)];
    assert.deepEqual(
      units.map(({ length }) => length),
      [64, 32],
    );
    assert.ok(units.every(({ buffer }) => buffer === all.buffer));
    assert.deepEqual([...ac3Units(hex``)], []);
  });

  test('a frame cut short, and junk between frames, throw and say where', () => {
    assert.throws(() => [...ac3Units(all.subarray(0, 60))], { name: 'ParseError', offset: 0 });
    const junk = all.slice();
    junk[64] = 0;
    assert.throws(() => [...ac3Units(junk)], { name: 'ParseError', offset: 64 });
  });
});
