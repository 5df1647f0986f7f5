import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  parseDecoderConfigurationRecord,
  serializeDecoderConfigurationRecord,
} from '../../../codecs/h264/decoder-configuration-record.ts';
import { hex } from '../../support/hex.ts';

/** Taken 2026-11-24 from the sequence headers that ffmpeg 5.1.9 wrote into FLV files. */
const records: readonly { name: string; sps: Uint8Array; pps: Uint8Array; record: Uint8Array }[] = [
  {
    name: 'Main: no extension',
    sps: hex`674d401eeca05017fcb808800000030080000019078b16cb`,
    pps: hex`68ebe3cb20`,
    record: hex`014d401e ff e1 0018 674d401eeca05017fcb808800000030080000019078b16cb 01 0005 68ebe3cb20`,
  },
  {
    name: 'High: 4:2:0, 8 bits',
    sps: hex`67640028acd940780227e5c044000003000400000300c83c60c658`,
    pps: hex`68ebe3cb22c0`,
    record: hex`01640028 ff e1 001b 67640028acd940780227e5c044000003000400000300c83c60c658 01 0006 68ebe3cb22c0 fd f8 f8 00`,
  },
  {
    name: 'High 4:2:2: 10 bits',
    sps: hex`677a0028b6cd940780227e27011000000300100000030320f18319`,
    pps: hex`68ebe3cb22c0`,
    record: hex`017a0028 ff e1 001b 677a0028b6cd940780227e27011000000300100000030320f18319 01 0006 68ebe3cb22c0 fe fa fa 00`,
  },
];

describe('records as ffmpeg writes them', () => {
  for (const { name, sps, pps, record } of records) {
    test(`${name}: written`, () => {
      assert.deepEqual(serializeDecoderConfigurationRecord([sps], [pps]), record);
    });

    test(`${name}: read`, () => {
      const { lengthSize, ...parsed } = parseDecoderConfigurationRecord(record);
      assert.equal(lengthSize, 4);
      assert.deepEqual(parsed.sps, [sps]);
      assert.deepEqual(parsed.pps, [pps]);
      assert.equal(parsed.profileIdc, sps[1]);
      assert.equal(parsed.constraintFlags, sps[2]);
      assert.equal(parsed.levelIdc, sps[3]);
    });

    test(`${name}: cut before the end of its parameter sets it throws`, () => {
      const end = record.length - (name.startsWith('Main') ? 0 : 4);
      for (let length = 0; length < end; length += 1) {
        const cut = record.subarray(0, length);
        assert.throws(() => parseDecoderConfigurationRecord(cut), { name: 'ParseError' });
      }
    });
  }
});

test('several parameter sets, none of the PPS, lengths of two bytes', () => {
  const parsed = parseDecoderConfigurationRecord(hex`0142001e fd 02 0001 67 0002 6742 00`);
  assert.deepEqual(parsed.sps, [hex`67`, hex`6742`]);
  assert.deepEqual(parsed.pps, []);
  assert.equal(parsed.lengthSize, 2);
});

test('several parameter sets are written with their counts', () => {
  const [main] = records;
  assert.ok(main);
  const record = serializeDecoderConfigurationRecord([main.sps, main.sps], [main.pps, hex`68`]);
  const parsed = parseDecoderConfigurationRecord(record);
  assert.deepEqual(parsed.sps, [main.sps, main.sps]);
  assert.deepEqual(parsed.pps, [main.pps, hex`68`]);
});

test('refused: another version, no SPS, a damaged SPS, too large a PPS', () => {
  const sps = records[0]!.sps;
  const write = serializeDecoderConfigurationRecord;
  assert.throws(() => parseDecoderConfigurationRecord(hex`0042001effe100`), /configurationVersion/);
  assert.throws(() => write([], [hex`68`]), { name: 'ParseError' });
  assert.throws(() => write([hex`67`], [hex`68`]), { name: 'ParseError' });
  assert.throws(() => write([sps], [new Uint8Array(65_536)]), /16 bits/);
});
