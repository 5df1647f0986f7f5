import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import { MAX_SPS_BYTES, parseSps, type SequenceParameterSet } from '../../../codecs/h265/sps.ts';
import { hex, toHex } from '../../support/hex.ts';
import {
  FIELDS_SPS,
  GSTREAMER_SPS,
  MAIN,
  MAIN_10_SPS,
  MAIN_12_SPS,
  MAIN_422_10,
  MAIN_444_SPS,
  MONOCHROME_SPS,
  TWO_SUB_LAYERS,
} from './streams.ts';

/** Expectations are ffprobe's. */
const real: readonly { name: string; sps: Uint8Array; want: Partial<SequenceParameterSet> }[] = [
  {
    name: 'Main, 1920×1080 within 1088, two reordered',
    sps: MAIN.sps,
    want: {
      profileSpace: 0,
      highTier: false,
      profileIdc: 1,
      compatibilityFlags: 0x6000_0000,
      constraintFlagsHigh: 0x9000,
      constraintFlagsLow: 0,
      levelIdc: 120,
      id: 0,
      maxSubLayersMinus1: 0,
      temporalIdNesting: true,
      chromaFormatIdc: 1,
      bitDepthLuma: 8,
      bitDepthChroma: 8,
      width: 1920,
      height: 1080,
      maxNumReorderPics: 2,
      fps: 25,
      fieldSequence: false,
    },
  },
  {
    name: 'Main 10, 1278×718 at 29.97 fps, none reordered',
    sps: MAIN_10_SPS,
    want: {
      profileIdc: 2,
      bitDepthLuma: 10,
      bitDepthChroma: 10,
      width: 1278,
      height: 718,
      maxNumReorderPics: 0,
      fps: 30_000 / 1001,
    },
  },
  {
    name: '4:2:2 with 10 bits, one reordered',
    sps: MAIN_422_10.sps,
    want: { profileIdc: 4, chromaFormatIdc: 2, bitDepthLuma: 10, width: 640, maxNumReorderPics: 1 },
  },
  {
    name: '4:4:4: a window in steps of one sample',
    sps: MAIN_444_SPS,
    want: { profileIdc: 4, chromaFormatIdc: 3, bitDepthLuma: 8, width: 642, height: 362, fps: 50 },
  },
  {
    name: '12 bits',
    sps: MAIN_12_SPS,
    want: { profileIdc: 4, chromaFormatIdc: 1, bitDepthLuma: 12, bitDepthChroma: 12, width: 642 },
  },
  {
    name: 'grey',
    sps: MONOCHROME_SPS,
    want: { profileIdc: 4, chromaFormatIdc: 0, width: 642, height: 362 },
  },
  {
    name: 'coded in fields',
    sps: FIELDS_SPS,
    want: { fieldSequence: true, width: 704, height: 576, fps: 25 },
  },
  {
    name: 'two sub-layers, aspect ratio, overscan, colours and chroma location before the timing',
    sps: TWO_SUB_LAYERS.sps,
    want: {
      maxSubLayersMinus1: 1,
      temporalIdNesting: false,
      levelIdc: 153,
      width: 640,
      height: 360,
      maxNumReorderPics: 2,
      fps: 25,
    },
  },
  {
    name: 'by GStreamer, with an aspect ratio of its own',
    sps: GSTREAMER_SPS,
    want: { levelIdc: 63, width: 320, height: 240, maxNumReorderPics: 2, fps: 25 },
  },
];

describe('SPS of real encoders', () => {
  for (const { name, sps, want } of real) {
    test(name, () => {
      const before = toHex(sps);
      const parsed = parseSps(sps);
      for (const [key, value] of Object.entries(want)) {
        assert.deepEqual(parsed[key as keyof SequenceParameterSet], value, key);
      }
      assert.equal(toHex(sps), before);
    });
  }
});

/** Writes bit fields; `ue` as H.265 §9.2 has it. */
class Bits {
  #bits = '';

  u(width: number, value: number): this {
    this.#bits += value.toString(2).padStart(width, '0');
    return this;
  }

  ue(value: number): this {
    const code = (value + 1).toString(2);
    this.#bits += '0'.repeat(code.length - 1) + code;
    return this;
  }

  /** Behind the NAL unit header, with its stop bit and emulation prevention. */
  nalUnit(): Uint8Array {
    const padded = `${this.#bits}1`.replace(/^.*$/, (bits) =>
      bits.padEnd(Math.ceil(bits.length / 8) * 8, '0'),
    );
    const bytes = (padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
    const escaped: number[] = [];
    let zeros = 0;
    for (const byte of bytes) {
      if (zeros === 2 && byte <= 3) {
        escaped.push(3);
        zeros = 0;
      }
      escaped.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return concat(hex`4201`, Uint8Array.from(escaped));
  }
}

/** Up to the coding tools: 64×64, 4:2:0, 8 bits. */
function begin({ subLayers = 1, reorder = [0] } = {}): Bits {
  const bits = new Bits()
    .u(4, 0)
    .u(3, subLayers - 1)
    .u(1, 1);
  bits.u(8, 1).u(32, 0x6000_0000).u(16, 0x9000).u(32, 0).u(8, 30);
  if (subLayers > 1) {
    for (let n = 1; n < subLayers; n += 1) bits.u(2, n === 1 ? 3 : 0);
    bits
      .u(2 * (9 - subLayers), 0)
      .u(32, 0)
      .u(32, 0)
      .u(24, 0)
      .u(8, 30);
  }
  bits.ue(0).ue(1).ue(64).ue(64).u(1, 0).ue(0).ue(0).ue(4);
  bits.u(1, reorder.length > 1 ? 1 : 0);
  for (const depth of reorder) bits.ue(4).ue(depth).ue(0);
  return bits;
}

/** From the block sizes on; `lists` and `sets` write what encoders rarely do. */
function finish(bits: Bits, { lists = false, sets = (b: Bits): Bits => b.ue(0) } = {}): Uint8Array {
  bits.ue(0).ue(3).ue(0).ue(3).ue(0).ue(0);
  bits.u(1, lists ? 1 : 0);
  if (lists) {
    bits.u(1, 1);
    for (let sizeId = 0; sizeId < 4; sizeId += 1) {
      for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
        if (matrixId % 2 === 1) bits.u(1, 0).ue(1);
        else {
          bits.u(1, 1);
          if (sizeId > 1) bits.ue(8);
          for (let n = 0; n < Math.min(64, 16 << (2 * sizeId)); n += 1) bits.ue(n % 5);
        }
      }
    }
  }
  bits.u(2, 0).u(1, 1).u(8, 0x77).ue(0).ue(0).u(1, 0); // PCM
  sets(bits);
  bits.u(1, 1).ue(2).u(9, 3).u(9, 5); // two long-term pictures, 8 bits of POC and a flag
  bits.u(2, 0).u(1, 1); // VUI
  bits.u(5, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 1).u(32, 1001).u(32, 60_000);
  return bits.nalUnit();
}

describe('what the encoders at hand do not write', () => {
  test('each sub-layer its reordering: the highest counts', () => {
    const sps = parseSps(finish(begin({ subLayers: 3, reorder: [0, 1, 3] })));
    assert.equal(sps.maxNumReorderPics, 3);
    assert.equal(sps.fps, 60_000 / 1001);
  });

  test('scaling lists, PCM and long-term pictures before the VUI', () => {
    assert.equal(parseSps(finish(begin(), { lists: true })).fps, 60_000 / 1001);
  });

  /** Tenda CP3PRO (moonfire-nvr#333). */
  test('reference picture sets, one predicted from another', () => {
    const sets = (bits: Bits): Bits => {
      bits.ue(3);
      bits.ue(2).ue(1).ue(0).u(1, 1).ue(1).u(1, 1).ue(0).u(1, 0);
      bits.u(1, 1).u(1, 1).ue(0).u(1, 1).u(2, 0b01).u(2, 0b00).u(1, 1); // keeps three of three and the reference itself
      return bits.u(1, 1).u(1, 0).ue(1).u(1, 1).u(1, 1).u(1, 1).u(1, 1);
    };
    assert.equal(parseSps(finish(begin(), { sets })).fps, 60_000 / 1001);
  });
});

describe('damage', () => {
  test('a VUI cut short is taken as absent, the size stays', () => {
    const cut = parseSps(MAIN.sps.subarray(0, MAIN.sps.length - 9));
    assert.deepEqual([cut.width, cut.height, cut.fps], [1920, 1080, undefined]);
  });

  for (const [name, sps] of [
    ['nothing', hex``],
    ['a PPS', MAIN.pps],
    ['of a further layer (nuh_layer_id 1)', MAIN.sps.with(1, 0x09)],
    ['eight sub-layers', MAIN.sps.with(2, 0x0f)],
    ['cut before its size', MAIN.sps.subarray(0, 16)],
    ['too long', concat(MAIN.sps, new Uint8Array(MAX_SPS_BYTES))],
  ] as const) {
    test(`refused: ${name}`, () => assert.throws(() => parseSps(sps), ParseError));
  }

  test('a window larger than the picture, a size of zero', () => {
    const bits = () => new Bits().u(8, 1).u(8, 1).u(32, 0).u(48, 0).u(8, 30).ue(0).ue(1);
    assert.throws(() => parseSps(bits().ue(0).ue(64).u(1, 0).nalUnit()), /nothing of the picture/);
    const windowed = bits().ue(64).ue(64).u(1, 1).ue(16).ue(16).ue(0).ue(0).nalUnit();
    assert.throws(() => parseSps(windowed), /nothing of the picture/);
  });

  test('arbitrary bytes give a value or a ParseError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          parseSps(concat(hex`4201`, bytes));
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }),
    );
  });
});
