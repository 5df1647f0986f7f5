import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import {
  parseHevcDecoderConfigurationRecord,
  serializeHevcDecoderConfigurationRecord,
} from '../../../codecs/h265/decoder-configuration-record.ts';
import { hex, toHex } from '../../support/hex.ts';
import { MAIN, MAIN_422_10, TWO_SUB_LAYERS } from './streams.ts';

/**
 * The `hvcC` boxes that ffmpeg 5.1.9 wrote for these streams (`-c copy -tag:v hvc1`). It sets array_completeness,
 * because `hvc1` demands it, and where the SPS states a minimum segmentation it repeats it.
 */
const FFMPEG = [
  {
    name: 'Main',
    track: MAIN,
    record: hex`01 01 60000000 900000000000 78 f000 fc fd f8 f8 0000 0f 03
      a0 0001 0018 40010c01ffff016000000300900000030000030078959809
      a1 0001 002a 420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000c84
      a2 0001 0007 4401c172b46240`,
  },
  {
    name: '4:2:2 with 10 bits',
    track: MAIN_422_10,
    record: hex`01 04 08000000 9d0800000000 3f f000 fc fe fa fa 0000 0f 03
      a0 0001 0017 40010c01ffff0408000003009d0800000300003f911009
      a1 0001 002a 4201010408000003009d0800000300003fb00502016936591124932bc05a020000030002000003003210
      a2 0001 0007 4401c172b46240`,
  },
  {
    name: 'two sub-layers',
    track: TWO_SUB_LAYERS,
    record: hex`01 01 60000000 900000000000 99 f002 ff fd f8 f8 0000 13 03
      a0 0001 001c 40010c02ffff01600000030090000003000003009900009598acc048
      a1 0001 0044 4201020160000003009000000300000300990000a005020169659598acd249caf03a7010101a41000003000100000300196014965e000f424001e84b8003d090007a1220
      a2 0001 0007 4401c172b46240`,
  },
] as const;

/** What is ours to choose: not complete (bit 7 of an array's first byte), no segmentation, no parallelism known. */
function asOurs(record: Uint8Array): Uint8Array {
  const ours = record.slice();
  ours[13] = 0xf0;
  ours[14] = 0;
  ours[15] = 0xfc;
  let at = 23;
  for (let array = 0; array < 3; array += 1) {
    ours[at] = (ours[at] ?? 0) & 0x7f;
    at += 5 + (((ours[at + 3] ?? 0) << 8) | (ours[at + 4] ?? 0));
  }
  return ours;
}

for (const { name, track, record } of FFMPEG) {
  test(`${name}: as ffmpeg writes it`, () => {
    const { vps, sps, pps } = track;
    const written = serializeHevcDecoderConfigurationRecord([vps], [sps], [pps]);
    assert.equal(toHex(written), toHex(asOurs(record)));
  });

  test(`${name}: read from ffmpeg's`, () => {
    const { vps, sps, pps } = track;
    const parsed = parseHevcDecoderConfigurationRecord(record);
    assert.deepEqual(parsed, { lengthSize: 4, vps: [vps], sps: [sps], pps: [pps] });
  });
}

test('several sets of a kind, and SEI in an array of its own, which is passed over', () => {
  const { vps, sps, pps } = MAIN;
  const other = pps.with(2, 0x70);
  const written = serializeHevcDecoderConfigurationRecord([vps], [sps], [pps, other]);
  const withSei = concat(written.with(22, 4), hex`27 0001 0004 4e010580`);
  const parsed = parseHevcDecoderConfigurationRecord(withSei);
  assert.deepEqual(parsed, { lengthSize: 4, vps: [vps], sps: [sps], pps: [pps, other] });
});

test('version 0 of the drafts is read', () => {
  const { record } = FFMPEG[0];
  assert.equal(parseHevcDecoderConfigurationRecord(record.with(0, 0)).sps.length, 1);
});

test('refused: another version, too many arrays or sets, cut anywhere', () => {
  const { record } = FFMPEG[0];
  assert.throws(() => parseHevcDecoderConfigurationRecord(record.with(0, 2)), ParseError);
  assert.throws(() => parseHevcDecoderConfigurationRecord(record.with(22, 200)), /200 arrays/);
  const many = record.with(24, 0xff);
  assert.throws(() => parseHevcDecoderConfigurationRecord(many), /parameter sets of a kind/);
  for (let length = 0; length < record.length; length += 1) {
    assert.throws(
      () => parseHevcDecoderConfigurationRecord(record.subarray(0, length)),
      ParseError,
      `${length}`,
    );
  }
});

test('no SPS, one that cannot be read, one too large for its length field', () => {
  const { vps, sps, pps } = MAIN;
  assert.throws(() => serializeHevcDecoderConfigurationRecord([vps], [], [pps]), ParseError);
  assert.throws(() => serializeHevcDecoderConfigurationRecord([vps], [pps], [pps]), ParseError);
  const large = concat(pps, new Uint8Array(0x10000));
  assert.throws(() => serializeHevcDecoderConfigurationRecord([vps], [sps], [large]), ParseError);
});

test('arbitrary bytes give a value or a ParseError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parseHevcDecoderConfigurationRecord(concat(hex`01`, bytes));
      } catch (error) {
        assert.ok(error instanceof ParseError);
      }
    }),
  );
});
