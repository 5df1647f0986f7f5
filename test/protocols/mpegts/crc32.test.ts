import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from '../../../protocols/mpegts/crc32.ts';
import { hex } from '../../support/hex.ts';

test('the CRC of MPEG-2 sections', () => {
  // The check value of CRC-32/MPEG-2 for "123456789".
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0x0376e6e7);
  assert.equal(crc32(hex`00 b00d 0001 c1 00 00 0001 f000`), 0x2ab104b2);
  assert.equal(crc32(hex`00 b00d 0001 c1 00 00 0001 f000 2ab104b2`), 0);
  assert.equal(crc32(new Uint8Array()), 0xffffffff);
});
