import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAv1CodecConfigurationRecord } from '../../../codecs/av1/codec-configuration-record.ts';
import { concat } from '../../../codecs/bytes.ts';
import { hex } from '../../support/hex.ts';

/** Bits as text, filled up to whole bytes. */
function bits(...fields: readonly (readonly [width: number, value: number])[]): Uint8Array {
  const text = fields.map(([width, value]) => value.toString(2).padStart(width, '0')).join('');
  const bytes = text.match(/.{1,8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
}

const RECORD = hex`81094c00`;
const SIZE = [
  [4, 10],
  [4, 9],
  [11, 1919],
  [10, 803],
] as const;

test('the size behind timing, decoder model, two operating points and an OBU extension', () => {
  const header = bits(
    [5, 0], // seq_profile, still_picture, reduced_still_picture_header
    [1, 1],
    [32, 1001],
    [32, 60_000],
    [1, 1],
    [1, 1], // num_ticks_per_picture_minus_1
    [1, 1],
    [5, 9],
    [32, 1001],
    [10, 0],
    [1, 1], // initial_display_delay_present_flag
    [5, 1],
    [12, 0x103],
    [5, 9],
    [1, 1],
    [1, 1],
    [20, 0],
    [1, 1],
    [1, 1],
    [4, 3],
    [12, 0x101],
    [5, 5],
    [1, 0],
    [1, 0],
    ...SIZE,
  );
  const parsed = parseAv1CodecConfigurationRecord(concat(RECORD, hex`0e 08 8100`, header));
  assert.deepEqual(parsed, {
    profile: 0,
    levelIdx: 9,
    highTier: false,
    bitDepth: 10,
    size: { width: 1920, height: 804 },
  });
});

test('the size of a reduced still picture header, without OBU size', () => {
  const header = bits([4, 1], [1, 1], [5, 8], ...SIZE);
  const { size } = parseAv1CodecConfigurationRecord(concat(RECORD, hex`08`, header));
  assert.deepEqual(size, { width: 1920, height: 804 });
});

test('another OBU, one cut short, a size without end: no size', () => {
  for (const obu of [hex`12 00`, hex`0a 0b 0000`, hex`0a ffffffffffffffffff`]) {
    assert.equal(parseAv1CodecConfigurationRecord(concat(RECORD, obu)).size, undefined);
  }
});

test('arbitrary sequence headers give a value', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      parseAv1CodecConfigurationRecord(concat(RECORD, hex`0a10`, bytes));
    }),
  );
});
