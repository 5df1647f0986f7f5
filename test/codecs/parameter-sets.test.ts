import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { H264_SYNTAX } from '../../codecs/h264/nal-unit-syntax.ts';
import { H265_SYNTAX } from '../../codecs/h265/nal-unit-syntax.ts';
import { ParameterSets } from '../../codecs/parameter-sets.ts';
import { hex } from '../support/hex.ts';
import { MAIN, MAIN_422_10 } from './h265/streams.ts';

/**
 * Made 2026-11-24 with ffmpeg 5.1.9 and libx264 164, sps-id=0 and sps-id=1 (which x264 gives the PPS too):
 * 320×240 and 640×480, ultrafast.
 */
const SPS_0 = hex`6742c00dda0507ec0440000003004000000c83c50aa8`;
const PPS_0 = hex`68ce0fc8`;
const SPS_1 = hex`6742c00d568141fb011000000300100000030320f142aa`;
const PPS_1 = hex`6848e0fc80`;
const LARGE_SPS_1 = hex`6742c01e5680a03db011000003000100000300320f162ea0`;

function setsWith(...nalUnits: readonly Uint8Array[]): ParameterSets {
  const sets = new ParameterSets(H264_SYNTAX);
  sets.take(nalUnits);
  return sets;
}

describe('a track', () => {
  test('is there when one set of each kind is', () => {
    const sets = setsWith(PPS_0);
    assert.equal(sets.track, undefined);
    sets.take([SPS_0]);
    assert.deepEqual(sets.track, { kind: 'video', codec: 'h264', sps: SPS_0, pps: PPS_0 });
  });

  test('of H.265 needs a VPS too; sets of further layers are not its own', () => {
    const { vps, sps, pps } = MAIN;
    const sets = new ParameterSets(H265_SYNTAX);
    sets.take([sps, pps, vps.with(1, 0x09)]);
    assert.equal(sets.track, undefined);
    sets.take([vps]);
    assert.deepEqual(sets.track, MAIN);
  });

  test('does not share bytes with what it was made of', () => {
    const sps = SPS_0.slice();
    const sets = setsWith(sps, PPS_0);
    sps.fill(0);
    assert.deepEqual(sets.track?.sps, SPS_0);
  });
});

describe('the same track object', () => {
  for (const [name, ...pictures] of [
    ['the same sets again', [SPS_0, PPS_0], [SPS_0, PPS_0]],
    ['a second PPS in each picture', [SPS_0, PPS_0, PPS_1], [SPS_0, PPS_0, PPS_1]],
    [
      'two of each, now in this order, now in that',
      [SPS_0, PPS_0, SPS_1, PPS_1],
      [SPS_1, PPS_1, SPS_0, PPS_0],
    ],
    ['what is none among them', [SPS_0, PPS_0], [hex`67`, hex`6742c01e`, hex`68`, hex`6500`]],
  ] as const) {
    test(name, () => {
      const [first, second] = pictures;
      const sets = setsWith(...first);
      const { track } = sets;
      assert.ok(track);
      sets.take(second);
      assert.equal(sets.track, track);
    });
  }

  test('while the stream alternates between two identifiers, once both are known', () => {
    const sets = setsWith(SPS_0, PPS_0);
    const tracks = [sets.track];
    for (let n = 0; n < 6; n += 1) {
      sets.take(n % 2 === 0 ? [SPS_1, PPS_1] : [SPS_0, PPS_0]);
      tracks.push(sets.track);
    }
    assert.equal(new Set(tracks).size, 2, 'the second identifier is news, once');
    assert.equal(new Set(tracks.slice(1)).size, 1);
  });
});

describe('another track object', () => {
  test('when the bytes under the same identifier differ, and back again', () => {
    const other = PPS_0.with(3, 0x40);
    const sets = setsWith(SPS_0, PPS_0);
    const before = sets.track;
    sets.take([SPS_0, other]);
    const between = sets.track;
    assert.deepEqual(between, { kind: 'video', codec: 'h264', sps: SPS_0, pps: other });
    sets.take([SPS_0, PPS_0]);
    assert.deepEqual(sets.track, before);
    assert.notEqual(sets.track, before);
    assert.notEqual(sets.track, between);
  });

  test('when another identifier brings another size, each time', () => {
    const sets = setsWith(SPS_0, PPS_0);
    for (let n = 0; n < 2; n += 1) {
      sets.take([LARGE_SPS_1, PPS_1]);
      assert.deepEqual([sets.track?.sps, sets.track?.pps], [LARGE_SPS_1, PPS_1]);
      sets.take([SPS_0, PPS_0]);
      assert.deepEqual([sets.track?.sps, sets.track?.pps], [SPS_0, PPS_0]);
    }
  });

  test('of H.265, when the format changes', () => {
    const sets = new ParameterSets(H265_SYNTAX);
    sets.take([MAIN.vps, MAIN.sps, MAIN.pps]);
    sets.take([MAIN_422_10.vps, MAIN_422_10.sps, MAIN_422_10.pps]);
    assert.deepEqual(sets.track, MAIN_422_10);
  });
});

/** pic_parameter_set_id 31 to 62 has eleven bits: five zeros, then one more than it in six. */
const ppsWithId = (id: number) =>
  Uint8Array.of(0x68, (id + 1) >> 3, (((id + 1) << 5) | 0x10) & 0xff, 0x80);

test('a stream that makes up identifiers without end fills no memory: they are forgotten, and news again', () => {
  const sets = setsWith(SPS_0, PPS_0);
  for (let round = 0; round < 2; round += 1) {
    const tracks = new Set();
    for (let id = 31; id < 63; id += 1) {
      sets.take([SPS_0, ppsWithId(id)]);
      tracks.add(sets.track);
    }
    assert.ok(tracks.size > 1, `round ${round}`);
  }
});
