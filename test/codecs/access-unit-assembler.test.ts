import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ACCESS_UNIT_HEADROOM, MAX_ACCESS_UNIT_BYTES } from '../../codecs/access-unit.ts';
import { AccessUnitAssembler } from '../../codecs/access-unit-assembler.ts';
import { concat } from '../../codecs/bytes.ts';
import { nalUnits } from '../../codecs/nal-units.ts';
import { hex } from '../support/hex.ts';

describe('assembling', () => {
  test('whole NAL units get their lengths before them', () => {
    const assembler = new AccessUnitAssembler();
    assembler.appendNalUnit(hex`09f0`);
    assembler.appendNalUnit(hex`658801`);
    assert.equal(assembler.byteLength, 13);
    assert.deepEqual(assembler.take(), hex`00000002 09f0 00000003 658801`);
  });

  test('a NAL unit in pieces gets its length at the end', () => {
    const assembler = new AccessUnitAssembler();
    assembler.beginNalUnit();
    assembler.appendByte(0x65);
    assembler.append(hex`0102`);
    assembler.append(hex`03`);
    assembler.endNalUnit();
    assembler.appendNalUnit(hex`0c`);
    assert.deepEqual(assembler.take(), hex`00000004 65010203 00000001 0c`);
  });

  test('an audio frame is taken as it is', () => {
    const assembler = new AccessUnitAssembler();
    assembler.append(hex`de02`);
    assembler.append(hex`004c`);
    assert.deepEqual(assembler.take(), hex`de02004c`);
  });

  test('empty NAL units leave nothing behind', () => {
    const assembler = new AccessUnitAssembler();
    assembler.appendNalUnit(hex``);
    assembler.beginNalUnit();
    assembler.endNalUnit();
    assembler.endNalUnit();
    assert.equal(assembler.byteLength, 0);
    assert.deepEqual(assembler.take(), hex``);
  });

  test('an abandoned NAL unit leaves what was before it', () => {
    const assembler = new AccessUnitAssembler();
    assembler.appendNalUnit(hex`41`);
    assembler.beginNalUnit();
    assembler.append(hex`65010203`);
    assembler.abandonNalUnit();
    assembler.abandonNalUnit();
    assert.deepEqual(assembler.take(), hex`00000001 41`);
  });

  for (const [name, next, want] of [
    ['take', () => {}, hex`00000001 41`],
    [
      'the next whole one',
      (a: AccessUnitAssembler) => a.appendNalUnit(hex`42`),
      hex`00000001 41 00000001 42`,
    ],
    ['the next fragmented one', fragmented, hex`00000001 41 00000001 43`],
  ] as const) {
    test(`an open NAL unit is abandoned by ${name}`, () => {
      const assembler = new AccessUnitAssembler();
      assembler.appendNalUnit(hex`41`);
      assembler.beginNalUnit();
      assembler.append(hex`6501`);
      next(assembler);
      assert.deepEqual(assembler.take(), want);
    });
  }

  function fragmented(assembler: AccessUnitAssembler): void {
    assembler.beginNalUnit();
    assembler.append(hex`43`);
    assembler.endNalUnit();
  }

  test('lengths of more than 64 KiB, patched after the buffer has grown', () => {
    const assembler = new AccessUnitAssembler();
    const piece = new Uint8Array(1400).fill(0xab);
    assembler.beginNalUnit();
    for (let n = 0; n < 1000; n += 1) assembler.append(piece);
    assembler.endNalUnit();
    const data = assembler.take();
    assert.deepEqual(data.subarray(0, 4), hex`00155cc0`);
    assert.equal(data.length, 1_400_004);
    assert.ok(data.subarray(4).every((byte) => byte === 0xab));
  });

  test('any mix of pieces comes out as AVCC of the same NAL units', () => {
    const nalUnit = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.array(nalUnit, { maxLength: 20 }), { maxLength: 5 }), (units) => {
        const assembler = new AccessUnitAssembler();
        for (const unit of units) {
          for (const pieces of unit) append(assembler, pieces);
          const whole = unit.map((pieces) => concat(...pieces)).filter(({ length }) => length > 0);
          assert.deepEqual([...nalUnits(assembler.take())], whole);
          assembler.release(unit.length % 2 === 0);
        }
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  function append(assembler: AccessUnitAssembler, pieces: readonly Uint8Array[]): void {
    const [whole, ...more] = pieces;
    if (whole !== undefined && more.length === 0) {
      assembler.appendNalUnit(whole);
      return;
    }
    assembler.beginNalUnit();
    for (const piece of pieces) assembler.append(piece);
    assembler.endNalUnit();
  }
});

describe('ownership', () => {
  test('the headroom lies before the data, in a buffer that nobody else has', () => {
    const assembler = new AccessUnitAssembler();
    assembler.appendNalUnit(hex`41`);
    const data = assembler.take();
    assert.equal(data.byteOffset, ACCESS_UNIT_HEADROOM);
    assert.equal(data.buffer.byteLength, assembler.capacity);
    assert.notEqual(new AccessUnitAssembler().take().buffer, data.buffer);
  });

  test('a sink that did not keep the unit leaves the buffer for the next one', () => {
    const assembler = new AccessUnitAssembler();
    assembler.appendNalUnit(hex`41`);
    const first = assembler.take();
    assembler.release(false);
    assert.equal(assembler.byteLength, 0);
    assembler.appendNalUnit(hex`42`);
    assert.equal(assembler.take().buffer, first.buffer);
  });

  test('kept bytes are never touched again', () => {
    const assembler = new AccessUnitAssembler();
    assembler.appendNalUnit(hex`41`);
    const first = assembler.take();
    assembler.release(true);
    assembler.appendNalUnit(hex`42`);
    assert.notEqual(assembler.take().buffer, first.buffer);
    assert.deepEqual(first, hex`00000001 41`);
  });

  test('clear forgets a unit that is damaged', () => {
    const assembler = new AccessUnitAssembler();
    assembler.beginNalUnit();
    assembler.append(hex`65`);
    assembler.clear();
    assembler.endNalUnit();
    assembler.appendNalUnit(hex`41`);
    assert.deepEqual(assembler.take(), hex`00000001 41`);
  });
});

describe('limits', () => {
  const megabyte = new Uint8Array(1024 * 1024).fill(1);

  test('a unit past the limit overflows; after clear the next one is whole', () => {
    const assembler = new AccessUnitAssembler();
    assembler.beginNalUnit();
    for (let n = 0; n < 9; n += 1) assembler.append(megabyte);
    assert.ok(assembler.overflowed);
    assembler.append(hex`01`);
    assembler.endNalUnit();
    assembler.appendNalUnit(hex`41`);
    assert.ok(assembler.byteLength <= MAX_ACCESS_UNIT_BYTES);
    assembler.clear();
    assert.ok(!assembler.overflowed);
    assembler.appendNalUnit(hex`41`);
    assert.deepEqual(assembler.take(), hex`00000001 41`);
  });

  test('a unit of exactly the limit is taken', () => {
    const assembler = new AccessUnitAssembler();
    for (let n = 0; n < 8; n += 1) assembler.append(megabyte);
    assert.ok(!assembler.overflowed);
    assert.equal(assembler.take().length, MAX_ACCESS_UNIT_BYTES);
    assembler.appendByte(1);
    assert.ok(assembler.overflowed);
  });

  test('one whole NAL unit past the limit overflows', () => {
    const assembler = new AccessUnitAssembler();
    assembler.appendNalUnit(new Uint8Array(MAX_ACCESS_UNIT_BYTES - 3));
    assert.ok(assembler.overflowed);
    assert.equal(assembler.byteLength, 0);
  });

  test('one large unit does not hold its memory for ever', () => {
    const assembler = new AccessUnitAssembler();
    const initial = assembler.capacity;
    for (let n = 0; n < 8; n += 1) assembler.append(megabyte);
    assembler.release(false);
    assert.ok(assembler.capacity > MAX_ACCESS_UNIT_BYTES);
    for (let n = 0; n < 1024; n += 1) {
      assembler.appendNalUnit(hex`41`);
      assembler.release(false);
    }
    assert.equal(assembler.capacity, initial);
  });

  test('an IDR picture in every GOP keeps its buffer: no allocation at each of them', () => {
    const assembler = new AccessUnitAssembler();
    const idr = new Uint8Array(200_000);
    const buffers = new Set<ArrayBufferLike>();
    for (let n = 0; n < 2000; n += 1) {
      assembler.appendNalUnit(n % 100 === 0 ? idr : hex`41`);
      if (n > 0) buffers.add(assembler.take().buffer);
      assembler.release(false);
    }
    assert.equal(buffers.size, 1);
  });

  test('a kept small unit after a large one does not cost a large buffer', () => {
    const assembler = new AccessUnitAssembler();
    assembler.append(megabyte);
    assembler.release(true);
    assembler.appendNalUnit(hex`41`);
    assembler.release(true);
    assert.ok(assembler.capacity < 64 * 1024);
  });
});
