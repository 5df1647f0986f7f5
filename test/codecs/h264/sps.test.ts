import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_SPS_BYTES, parseSps, type SequenceParameterSet } from '../../../codecs/h264/sps.ts';
import { hex, toHex } from '../../support/hex.ts';

/** Made 2026-11-24 with ffmpeg 5.1.9 and libx264 164; expectations are ffprobe's. */
const real: readonly { name: string; sps: Uint8Array; want: Partial<SequenceParameterSet> }[] = [
  {
    name: 'High, 1920×1080 cropped from 1088, two reordered',
    sps: hex`67640028acd940780227e5c044000003000400000300c83c60c658`,
    want: {
      profileIdc: 100,
      constraintFlags: 0,
      levelIdc: 40,
      id: 0,
      chromaFormatIdc: 1,
      bitDepthLuma: 8,
      bitDepthChroma: 8,
      log2MaxFrameNum: 4,
      picOrderCntType: 0,
      log2MaxPicOrderCntLsb: 6,
      maxNumRefFrames: 4,
      frameMbsOnly: true,
      width: 1920,
      height: 1080,
      fps: 25,
      fixedFrameRate: false,
      maxNumReorderFrames: 2,
    },
  },
  {
    name: 'Constrained Baseline: picture order count type 2, none reordered',
    sps: hex`6742c028d900780227e5c044000003000400000300c83c60c920`,
    want: {
      profileIdc: 66,
      constraintFlags: 0xc0,
      picOrderCntType: 2,
      log2MaxPicOrderCntLsb: undefined,
      width: 1920,
      height: 1080,
      maxNumReorderFrames: 0,
    },
  },
  {
    name: 'Main, 1278×718 at 29.97 fps',
    sps: hex`674d401feca02802df55808800001f480007530078c18cb0`,
    want: { profileIdc: 77, levelIdc: 31, width: 1278, height: 718, fps: 30_000 / 1001 },
  },
  {
    name: 'High 10',
    sps: hex`676e0028a6cd940780227e5c0440000003004000000c83c60c6580`,
    want: { profileIdc: 110, bitDepthLuma: 10, bitDepthChroma: 10, width: 1920, height: 1080 },
  },
  {
    name: 'High 4:2:2, 1918×1078: crop units of one line',
    sps: hex`677a0028bcd940780227a8bc0440000003004000000c83c60c6580`,
    want: { profileIdc: 122, chromaFormatIdc: 2, width: 1918, height: 1078 },
  },
  {
    name: 'High 4:4:4 Predictive: crop units of one sample',
    sps: hex`67f40028919b280f0044f2c6e022000003000200000300641e30632c`,
    want: { profileIdc: 244, chromaFormatIdc: 3, width: 1916, height: 1076 },
  },
  {
    name: 'grey, 100×98',
    sps: hex`6764000af3651cfe363f016c800000030080000019078912cb`,
    want: { chromaFormatIdc: 0, width: 100, height: 98 },
  },
  {
    name: 'interlaced, 704×572: crop units of four lines',
    sps: hex`6764001eacd940b024fd6022000003000200000300643e28532c`,
    want: { frameMbsOnly: false, width: 704, height: 572, fps: 25 },
  },
  {
    name: 'VUI with aspect ratio, overscan, colours, chroma location and HRD before the timing',
    sps: hex`6764001eacd940a02ff9701e7010101b700000030010000003032604000f424001e84a4c30078b16cb`,
    want: { width: 640, height: 360, fps: 25, maxNumReorderFrames: 2 },
  },
  {
    name: 'CBR with HRD',
    sps: hex`6764001eacd940a02ff9701100000300010000030032604000f424001e84e4c30078b16cb0`,
    want: { width: 640, height: 360, fps: 25, maxNumReorderFrames: 2 },
  },
  {
    name: '4K',
    sps: hex`6742c033da00f0010fb011000003000100000300320f1832a0`,
    want: { levelIdc: 51, width: 3840, height: 2160 },
  },
  {
    name: 'High 10 Intra: nothing stated about reordering',
    sps: hex`676e101ea6cb81405ff2e0220000030002000003006408`,
    want: { profileIdc: 110, constraintFlags: 0x10, width: 640, height: 360, fps: 25 },
  },
];

describe('SPS of real encoders', () => {
  for (const { name, sps, want } of real) {
    test(name, () => {
      const actual = parseSps(sps);
      for (const key of Object.keys(want) as (keyof SequenceParameterSet)[]) {
        assert.equal(actual[key], want[key], key);
      }
    });

    test(`${name}: cut anywhere it throws or is read as far as it goes`, () => {
      for (let length = 0; length < sps.length; length += 1) {
        const cut = sps.subarray(0, length);
        try {
          const { width, height } = parseSps(cut);
          assert.ok(width > 0 && height > 0);
        } catch (error) {
          assert.equal((error as Error).name, 'ParseError', toHex(cut));
        }
      }
    });
  }

  test('a VUI that is cut short is taken as absent', () => {
    const whole = real[0]!.sps;
    const { width, height, fps, maxNumReorderFrames } = parseSps(whole.subarray(0, 16));
    assert.deepEqual([width, height, fps, maxNumReorderFrames], [1920, 1080, undefined, undefined]);
  });
});

describe('syntax that x264 never writes', () => {
  const BASELINE = [u(66, 8), u(0, 8), u(30, 8), ue(0)];
  const HIGH = [u(100, 8), u(0, 8), u(30, 8), ue(0), ue(1), ue(0), ue(0), u(0, 1)];
  const FRAME_NUM = [ue(0)];
  const POC_TYPE_0 = [ue(0), ue(0)];
  const REFS = [ue(1), u(0, 1)];
  const QCIF = [ue(10), ue(8), u(1, 1), u(1, 1), u(0, 1)];
  const NO_VUI = [u(0, 1)];

  test('no VUI at all', () => {
    const sps = parseSps(nalUnit(BASELINE, FRAME_NUM, POC_TYPE_0, REFS, QCIF, NO_VUI));
    assert.deepEqual([sps.width, sps.height], [176, 144]);
    assert.equal(sps.fps, undefined);
    assert.equal(sps.maxNumReorderFrames, undefined);
  });

  test('picture order count type 1 with its cycle', () => {
    const poc1 = [ue(1), u(0, 1), se(-2), se(3), ue(3), se(1), se(-1), se(100)];
    const sps = parseSps(nalUnit(BASELINE, FRAME_NUM, poc1, REFS, QCIF, NO_VUI));
    assert.deepEqual([sps.width, sps.height, sps.picOrderCntType], [176, 144, 1]);
  });

  test('scaling lists: flat, default (first scale 0), and one that ends early', () => {
    const flat = [u(1, 1), ...Array.from({ length: 16 }, () => se(0))];
    const byDefault = [u(1, 1), se(-8)];
    const endsEarly = [u(1, 1), se(2), se(-10)];
    const absent = Array.from({ length: 5 }, () => u(0, 1));
    const matrix = [u(1, 1), ...flat, ...byDefault, ...endsEarly, ...absent];
    const sps = parseSps(nalUnit(HIGH, matrix, FRAME_NUM, POC_TYPE_0, REFS, QCIF, NO_VUI));
    assert.deepEqual([sps.width, sps.height], [176, 144]);
  });

  test('4:4:4 has twelve scaling lists; separate planes crop in single samples', () => {
    const chroma = [u(244, 8), u(0, 8), u(30, 8), ue(0), ue(3), u(1, 1), ue(0), ue(0), u(0, 1)];
    const lists = [u(1, 1), ...Array.from({ length: 12 }, () => [u(1, 1), se(-8)]).flat()];
    const cropped = [ue(10), ue(8), u(1, 1), u(1, 1), u(1, 1), ue(1), ue(0), ue(0), ue(3)];
    const sps = parseSps(nalUnit(chroma, lists, FRAME_NUM, POC_TYPE_0, REFS, cropped, NO_VUI));
    assert.deepEqual([sps.width, sps.height, sps.chromaFormatIdc], [175, 141, 3]);
  });

  test('an extended sample aspect ratio and a bare timing', () => {
    const vui = [u(1, 1), u(1, 1), u(255, 8), u(40, 16), u(33, 16), u(0, 3)];
    const timing = [u(1, 1), u(1, 32), u(30, 32), u(0, 1), u(0, 4)];
    const sps = parseSps(nalUnit(BASELINE, FRAME_NUM, POC_TYPE_0, REFS, QCIF, vui, timing));
    assert.equal(sps.fps, 15);
    assert.equal(sps.fixedFrameRate, false);
  });

  test('a timing of zero states nothing; the fixed rate flag is read', () => {
    const vui = [u(1, 1), u(0, 4), u(1, 1), u(0, 32), u(30, 32), u(1, 1), u(0, 4)];
    const sps = parseSps(nalUnit(BASELINE, FRAME_NUM, POC_TYPE_0, REFS, QCIF, vui));
    assert.equal(sps.fps, undefined);
    assert.equal(sps.fixedFrameRate, true);
  });

  const size = (width: number, height: number) => [
    ue(width),
    ue(height),
    u(1, 1),
    u(1, 1),
    u(0, 1),
  ];
  const bad: readonly [name: string, sps: Uint8Array][] = [
    ['nothing', hex``],
    ['a PPS', hex`68ebe3cb22c0`],
    ['only a header', hex`67`],
    [
      'an id of 32',
      nalUnit([u(66, 8), u(0, 8), u(30, 8), ue(32)], FRAME_NUM, POC_TYPE_0, REFS, QCIF, NO_VUI),
    ],
    ['chroma format 4', nalUnit([u(100, 8), u(0, 8), u(30, 8), ue(0), ue(4)], [u(0, 32)])],
    ['15 bits of luma', nalUnit([u(100, 8), u(0, 8), u(30, 8), ue(0), ue(1), ue(7)], [u(0, 32)])],
    ['picture order count type 3', nalUnit(BASELINE, FRAME_NUM, [ue(3)], REFS, QCIF, NO_VUI)],
    [
      'a cycle of 256',
      nalUnit(BASELINE, FRAME_NUM, [ue(1), u(0, 1), se(0), se(0), ue(256)], [u(0, 32)]),
    ],
    [
      '17 reference frames',
      nalUnit(BASELINE, FRAME_NUM, POC_TYPE_0, [ue(17), u(0, 1)], QCIF, NO_VUI),
    ],
    [
      'a width of 4 billion macroblocks',
      nalUnit(BASELINE, FRAME_NUM, POC_TYPE_0, REFS, size(2 ** 32 - 2, 8), NO_VUI),
    ],
    [
      'a height of 1056 macroblocks',
      nalUnit(BASELINE, FRAME_NUM, POC_TYPE_0, REFS, size(10, 1055), NO_VUI),
    ],
    [
      'more cropped than there is',
      nalUnit(
        BASELINE,
        FRAME_NUM,
        POC_TYPE_0,
        REFS,
        [ue(10), ue(8), u(1, 1), u(1, 1), u(1, 1), ue(44), ue(44), ue(0), ue(0)],
        NO_VUI,
      ),
    ],
    ['too many bytes', new Uint8Array(MAX_SPS_BYTES + 1).fill(0x67)],
  ];
  for (const [name, sps] of bad) {
    test(`${name} is refused`, () => assert.throws(() => parseSps(sps), { name: 'ParseError' }));
  }
});

/** A SPS of these fields, with the stop bit and emulation prevention. */
function nalUnit(...fields: readonly (readonly string[])[]): Uint8Array {
  const bits = `${fields.flat().join('')}1`;
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  const bytes = [0x67];
  for (let at = 0; at < padded.length; at += 8) {
    const byte = Number.parseInt(padded.slice(at, at + 8), 2);
    if (byte <= 3 && bytes.at(-1) === 0 && bytes.at(-2) === 0) bytes.push(3);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function u(value: number, bits: number): string {
  return value.toString(2).padStart(bits, '0');
}

function ue(value: number): string {
  const code = (value + 1).toString(2);
  return '0'.repeat(code.length - 1) + code;
}

function se(value: number): string {
  return ue(value > 0 ? value * 2 - 1 : -value * 2);
}
