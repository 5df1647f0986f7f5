import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BitReader } from '../../codecs/bit-reader.ts';
import { BitWriter } from '../../codecs/bit-writer.ts';
import { bits } from '../support/bits.ts';

test('fields across bytes, and codes as in H.264 Table 9-2 and 9-3', () => {
  const writer = new BitWriter().u(3, 5).u(10, 0x2aa).flag(true);
  writer.ue(0).ue(1).ue(2).ue(3).ue(6);
  writer.se(1).se(-1).se(2).se(-2);
  const wanted = '101 1010101010 1  1 010 011 00100 00111  010 011 00100 00101';
  assert.deepEqual(writer.bytes(), bits(wanted));
  assert.deepEqual(writer.position, wanted.replaceAll(' ', '').length);
  assert.equal(new BitReader(new BitWriter().se(0).bytes()).se(), 0);
});

test('trailing bits: a one, then zeros to the end of the byte', () => {
  assert.deepEqual(new BitWriter().u(3, 0).trailingBits().bytes(), bits('0001 0000'));
  assert.deepEqual(new BitWriter().u(7, 0).trailingBits().bytes(), bits('0000 0001'));
  assert.deepEqual(new BitWriter().u(8, 9).trailingBits().bytes(), bits('0000 1001 1000 0000'));
});

test('32 bits, and the largest codes', () => {
  const writer = new BitWriter()
    .flag(true)
    .u(32, 0xfedcba98)
    .ue(2 ** 31 - 2);
  const reader = new BitReader(writer.bytes());
  assert.equal(reader.bit(), 1);
  assert.equal(reader.u(32), 0xfedcba98);
  assert.equal(reader.ue(), 2 ** 31 - 2);
});

test('what is written is read again, in a buffer that grew and is used again', () => {
  const field = fc.oneof(
    fc.record({ kind: fc.constant('ue' as const), value: fc.nat(2 ** 30) }),
    fc.record({
      kind: fc.constant('se' as const),
      value: fc.integer({ min: -(2 ** 29), max: 2 ** 29 }),
    }),
    fc.record({ kind: fc.constant('u' as const), value: fc.nat(2 ** 17 - 1) }),
  );
  const writer = new BitWriter();
  fc.assert(
    fc.property(fc.array(field, { maxLength: 400 }), (fields) => {
      writer.clear();
      for (const { kind, value } of fields) {
        if (kind === 'u') writer.u(17, value);
        else writer[kind](value);
      }
      const reader = new BitReader(writer.bytes());
      for (const { kind, value } of fields) {
        assert.equal(kind === 'u' ? reader.u(17) : reader[kind](), value);
      }
      assert.equal(reader.position, writer.position);
    }),
  );
});
