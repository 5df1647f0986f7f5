import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../codecs/byte-writer.ts';
import { hex } from '../support/hex.ts';

test('fields in network byte order, one after another', () => {
  const writer = new ByteWriter();
  writer.u8(0xff).u16(0xfffe).u24(0xfffffd).u32(0xfffffffc).i16(-2).f64(Math.PI).bytes(hex`aabb`);
  assert.equal(writer.length, 22);
  assert.deepEqual(writer.toBytes(), hex`ff fffe fffffd fffffffc fffe 400921fb54442d18 aabb`);
});

test('grows: by one field past the end, and by more than double', () => {
  const writer = new ByteWriter();
  const large = new Uint8Array(5000).fill(7);
  for (let n = 0; n < 255; n += 1) writer.u8(n);
  writer.u32(0x01020304).bytes(large).u8(9);
  const bytes = writer.toBytes();
  assert.equal(bytes.length, 255 + 4 + 5000 + 1);
  assert.deepEqual(bytes.subarray(254, 260), hex`fe 01020304 07`);
  assert.equal(bytes.at(-1), 9);
});
