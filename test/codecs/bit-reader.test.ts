import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BitReader } from '../../codecs/bit-reader.ts';
import { hex } from '../support/hex.ts';

test('u(n) crosses byte borders and stays unsigned at 32 bits', () => {
  const reader = new BitReader(hex`a5 ffffffff 80`);
  assert.equal(reader.u(4), 0xa);
  assert.equal(reader.u(0), 0);
  assert.equal(reader.u(4), 0x5);
  assert.equal(reader.u(32), 0xffffffff);
  assert.equal(reader.flag(), true);
  assert.equal(reader.position, 41);
  assert.equal(reader.remaining, 7);
});

test('a look ahead passes over nothing', () => {
  const reader = new BitReader(hex`a5 c0`);
  reader.u(4);
  assert.equal(reader.peek(8), 0x5c);
  assert.equal(reader.peek(12), 0x5c0);
  assert.equal(reader.peek(13), undefined);
  assert.equal(reader.position, 4);
});

// H.264 tables 9-1 to 9-3.
const codes: readonly [bits: string, ue: number, se: number][] = [
  ['1', 0, 0],
  ['010', 1, 1],
  ['011', 2, -1],
  ['00100', 3, 2],
  ['00101', 4, -2],
  ['00110', 5, 3],
  ['00111', 6, -3],
  ['0001000', 7, 4],
  [`${'0'.repeat(31)}1${'0'.repeat(31)}`, 2 ** 31 - 1, 2 ** 30],
  [`${'0'.repeat(31)}1${'1'.repeat(31)}`, 2 ** 32 - 2, -(2 ** 31 - 1)],
];
for (const [bits, ue, se] of codes) {
  test(`Exp-Golomb ${ue}`, () => {
    assert.equal(new BitReader(bytesOf(bits)).ue(), ue);
    const signed = new BitReader(bytesOf(bits)).se();
    assert.equal(signed + 0, se);
    const reader = new BitReader(bytesOf(bits));
    reader.ue();
    assert.equal(reader.position, bits.length);
  });
}

test('an Exp-Golomb code of more than 32 bits is refused', () => {
  const reader = new BitReader(bytesOf(`${'0'.repeat(32)}1${'0'.repeat(32)}`));
  assert.throws(() => reader.ue(), /longer than 32 bits/);
});

test('past the end everything throws', () => {
  assert.throws(() => new BitReader(hex``).bit(), { name: 'ParseError', offset: 0 });
  assert.throws(() => new BitReader(hex`ff`).u(9), { name: 'ParseError', offset: 1 });
  assert.throws(() => new BitReader(hex`00`).ue(), { name: 'ParseError', offset: 1 });
  assert.throws(() => new BitReader(hex`01`).ue(), { name: 'ParseError', offset: 1 });
  const reader = new BitReader(hex`00 00`);
  reader.skip(9);
  assert.throws(() => reader.skip(8), { name: 'ParseError', offset: 1 });
  reader.skip(7);
  assert.equal(reader.remaining, 0);
});

function bytesOf(bits: string): Uint8Array {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  return Uint8Array.from({ length: padded.length / 8 }, (_, index) =>
    Number.parseInt(padded.slice(index * 8, index * 8 + 8), 2),
  );
}
