import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader } from '../../codecs/byte-reader.ts';
import { ParseError } from '../../codecs/errors.ts';
import { hex } from '../support/hex.ts';

test('fields in network byte order, one after another', () => {
  const reader = new ByteReader(hex`ff fffe fffffd fffffffc fffe 400921fb54442d18 aabb cc`);
  assert.equal(reader.u8(), 0xff);
  assert.equal(reader.u16(), 0xfffe);
  assert.equal(reader.u24(), 0xfffffd);
  assert.equal(reader.u32(), 0xfffffffc);
  assert.equal(reader.i16(), -2);
  assert.equal(reader.f64(), Math.PI);
  assert.deepEqual(reader.take(2), hex`aabb`);
  assert.equal(reader.peek(), 0xcc);
  assert.equal(reader.remaining, 1);
  assert.deepEqual(reader.rest(), hex`cc`);
  assert.equal(reader.peek(), undefined);
  assert.deepEqual(reader.rest(), hex``);
});

const short: readonly [name: string, bytes: Uint8Array, read: (reader: ByteReader) => unknown][] = [
  ['u8', hex``, (reader) => reader.u8()],
  ['u16', hex`00`, (reader) => reader.u16()],
  ['u24', hex`0000`, (reader) => reader.u24()],
  ['u32', hex`000000`, (reader) => reader.u32()],
  ['i16', hex`00`, (reader) => reader.i16()],
  ['f64', hex`00000000000000`, (reader) => reader.f64()],
  ['take', hex`0000`, (reader) => reader.take(3)],
];
for (const [name, bytes, read] of short) {
  test(`${name} past the end throws, says where, and consumes nothing`, () => {
    // Bytes behind the view belong to somebody else.
    const reader = new ByteReader(new Uint8Array([...bytes, 1, 2, 3, 4]).subarray(0, bytes.length));
    assert.throws(() => read(reader), { name: 'ParseError', offset: 0 });
    assert.equal(reader.remaining, bytes.length);
  });
}

test('a view that does not begin at its buffer', () => {
  const reader = new ByteReader(hex`0102 0304 05`.subarray(2, 4));
  assert.equal(reader.u16(), 0x0304);
  assert.throws(() => reader.u8(), ParseError);
});
