import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_ACCESS_UNIT_BYTES } from '../../codecs/access-unit.ts';
import { concat } from '../../codecs/bytes.ts';
import { PictureAssembler } from '../../codecs/picture-assembler.ts';
import { hex, toHex } from '../support/hex.ts';
import { avcc } from '../support/rtp-packets.ts';
import { VIDEO_TRACK } from '../support/units.ts';
import { MAIN } from './h265/streams.ts';

const START_CODE = hex`000001`;
const AUD = hex`09f0`;
const SEI = hex`060504deadbeef80`;
const IDR = hex`658801020304`;
const SLICE = hex`419a0506`;
const { sps: SPS, pps: PPS } = VIDEO_TRACK;

const H265_AUD = hex`460150`;
const H265_IDR = hex`2601af0102`;
const H265_CRA = hex`2a01af0102`;
const H265_TRAIL = hex`0201d00102`;
const H265_RASL = hex`1201d00102`;
const H265_SUFFIX_SEI = hex`50018405 80`;
const { vps: VPS, sps: SPS_265, pps: PPS_265 } = MAIN;

function h264(...nalUnits: readonly Uint8Array[]): PictureAssembler {
  return filled('h264', nalUnits);
}

function h265(...nalUnits: readonly Uint8Array[]): PictureAssembler {
  return filled('h265', nalUnits);
}

function filled(codec: 'h264' | 'h265', nalUnits: readonly Uint8Array[]): PictureAssembler {
  const pictures = new PictureAssembler(codec);
  for (const nalUnit of nalUnits) pictures.appendNalUnit(nalUnit);
  return pictures;
}

describe('a picture', () => {
  test('of H.264: as it came, with its track', () => {
    const picture = h264(AUD, SPS, PPS, SEI, IDR).finish();
    assert.equal(toHex(picture!.data), toHex(avcc(AUD, SPS, PPS, SEI, IDR)));
    assert.deepEqual(picture?.track, VIDEO_TRACK);
    assert.equal(picture?.randomAccess, true);
  });

  test('of H.265: as it came, with its track', () => {
    const nalUnits = [H265_AUD, VPS, SPS_265, PPS_265, H265_IDR, H265_SUFFIX_SEI];
    const picture = h265(...nalUnits).finish();
    assert.equal(toHex(picture!.data), toHex(avcc(...nalUnits)));
    assert.deepEqual(picture?.track, MAIN);
    assert.equal(picture?.randomAccess, true);
  });

  test('is undefined until the parameter sets are known', () => {
    const pictures = h264(IDR);
    assert.equal(pictures.finish(), undefined);
    pictures.clear();
    pictures.setParameterSets([PPS, hex``, SPS]);
    assert.deepEqual(pictures.track, VIDEO_TRACK);
    pictures.appendNalUnit(IDR);
    assert.equal(toHex(pictures.finish()!.data), toHex(avcc(IDR)));
  });

  test('that is too large is undefined, and the next one is whole', () => {
    const pictures = h264(SPS, PPS, IDR, new Uint8Array(MAX_ACCESS_UNIT_BYTES).fill(0x41));
    assert.equal(pictures.overflowed, true);
    assert.equal(pictures.finish(), undefined);
    pictures.clear();
    for (const nalUnit of [SPS, PPS, IDR]) pictures.appendNalUnit(nalUnit);
    assert.equal(toHex(pictures.finish()!.data), toHex(avcc(SPS, PPS, IDR)));
  });

  test('in pieces is the same', () => {
    const pictures = h265();
    for (const nalUnit of [VPS, SPS_265, PPS_265, H265_IDR]) {
      pictures.beginNalUnit(nalUnit[0]!, nalUnit[1]);
      for (const byte of nalUnit.subarray(2)) pictures.append(Uint8Array.of(byte));
      pictures.endNalUnit();
    }
    assert.equal(pictures.hasSlice, true);
    const picture = pictures.finish();
    assert.equal(toHex(picture!.data), toHex(avcc(VPS, SPS_265, PPS_265, H265_IDR)));
    assert.deepEqual(picture?.track, MAIN);
  });

  test('without the piece that was abandoned', () => {
    const pictures = h264(SPS, PPS, IDR);
    pictures.beginNalUnit(0x06);
    pictures.append(hex`0102`);
    pictures.abandonNalUnit();
    assert.equal(toHex(pictures.finish()!.data), toHex(avcc(SPS, PPS, IDR)));
  });

  test('leaves nothing of itself in the next', () => {
    const pictures = h264(SPS, PPS, IDR);
    pictures.finish();
    pictures.release(false);
    assert.equal(pictures.hasSlice, false);
    pictures.appendNalUnit(SLICE);
    const picture = pictures.finish();
    assert.equal(picture?.randomAccess, false);
    assert.equal(toHex(picture!.data), toHex(avcc(SLICE)));
  });
});

test('a new track object exactly when the sets differ, from their own picture on', () => {
  const pictures = h264();
  const tracks = [PPS, PPS, PPS.with(3, 0x40)].map((pps) => {
    for (const nalUnit of [SPS, pps, IDR]) pictures.appendNalUnit(nalUnit);
    const picture = pictures.finish();
    pictures.release(false);
    return picture?.track;
  });
  assert.equal(tracks[0], tracks[1]);
  assert.notEqual(tracks[1], tracks[2]);
  assert.deepEqual(tracks[2]?.pps, PPS.with(3, 0x40));
});

describe('random access', () => {
  for (const [name, pictures, randomAccess, skippedLeading] of [
    ['H.264: IDR', h264(SPS, PPS, IDR), true, false],
    ['H.264: recovery point', h264(SPS, PPS, hex`060601c480`, SLICE), true, false],
    ['H.264: another', h264(SPS, PPS, SLICE), false, false],
    ['H.265: IDR', h265(VPS, SPS_265, PPS_265, H265_IDR), true, false],
    ['H.265: IDR_N_LP', h265(VPS, SPS_265, PPS_265, hex`2801af01`), true, false],
    ['H.265: CRA', h265(VPS, SPS_265, PPS_265, H265_CRA), true, false],
    ['H.265: BLA', h265(VPS, SPS_265, PPS_265, hex`2001af01`), true, false],
    [
      'H.265: recovery point',
      h265(VPS, SPS_265, PPS_265, hex`4e010601c480`, H265_TRAIL),
      true,
      false,
    ],
    ['H.265: RASL', h265(VPS, SPS_265, PPS_265, H265_RASL), false, true],
    ['H.265: another', h265(VPS, SPS_265, PPS_265, H265_TRAIL), false, false],
  ] as const) {
    test(name, () => {
      const picture = pictures.finish();
      assert.deepEqual(
        [picture?.randomAccess, picture?.skippedLeading],
        [randomAccess, skippedLeading],
      );
    });
  }
});

describe('NAL units behind start codes', () => {
  /** Unnamed Chinese cameras (WebRTC#391, #392). */
  test('are taken apart behind a parameter set, delimiter or SEI', () => {
    const packed = concat(SPS, START_CODE, PPS, hex`00`, START_CODE, SEI, START_CODE, IDR);
    assert.equal(toHex(h264(packed).finish()!.data), toHex(avcc(SPS, PPS, SEI, IDR)));
    const pictures = h264();
    pictures.beginNalUnit(packed[0]!);
    pictures.append(packed.subarray(1, 30));
    pictures.append(packed.subarray(30));
    assert.equal(toHex(pictures.finish()!.data), toHex(avcc(SPS, PPS, SEI, IDR)));
  });

  test('of H.265 too', () => {
    const packed = concat(VPS, START_CODE, SPS_265, START_CODE, PPS_265, START_CODE, H265_IDR);
    const want = toHex(avcc(VPS, SPS_265, PPS_265, H265_IDR));
    assert.equal(toHex(h265(packed).finish()!.data), want);
  });

  test('but a slice is left alone', () => {
    const odd = concat(IDR, START_CODE, SLICE);
    assert.equal(toHex(h264(SPS, PPS, odd).finish()!.data), toHex(avcc(SPS, PPS, odd)));
  });
});

describe('where a NAL unit belongs that comes behind a slice', () => {
  const INTERLACED_SPS = hex`6764001eacd940b024fd6022000003000200000300643e28532c`;
  const place = (pictures: PictureAssembler, nalUnit: Uint8Array, headerBytes: number) =>
    pictures.placeAfterSlice(nalUnit[0]!, nalUnit[headerBytes] ?? 0);

  test('H.264: a delimiter, parameter set, SEI or first slice begins the next picture', () => {
    const pictures = h264(SPS, PPS, IDR);
    for (const nalUnit of [AUD, SPS, PPS, SEI, SLICE, IDR]) {
      assert.equal(place(pictures, nalUnit, 1), 'next picture', toHex(nalUnit));
    }
    assert.equal(place(pictures, hex`6540`, 1), 'same picture', 'a further slice');
    assert.equal(place(pictures, hex`0380`, 1), 'same picture', 'data partition B');
    assert.equal(place(pictures, hex`0cff`, 1), 'either', 'filler');
  });

  test('H.264: in an interlaced stream a first slice may be the second field', () => {
    const pictures = h264();
    pictures.setParameterSets([INTERLACED_SPS, PPS]);
    pictures.appendNalUnit(IDR);
    assert.equal(place(pictures, SLICE, 1), 'second field');
    assert.equal(place(pictures, AUD, 1), 'next picture');
  });

  test('H.265: the same; each field is a picture', () => {
    const pictures = h265(VPS, SPS_265, PPS_265, H265_IDR);
    for (const nalUnit of [H265_AUD, VPS, SPS_265, PPS_265, hex`4e0105`, H265_TRAIL]) {
      assert.equal(place(pictures, nalUnit, 2), 'next picture', toHex(nalUnit));
    }
    assert.equal(place(pictures, hex`02014001`, 2), 'same picture', 'a further slice segment');
    assert.equal(place(pictures, H265_SUFFIX_SEI, 2), 'either', 'a suffix SEI');
  });
});
