import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { annexBNalUnits, annexBToAvcc, avccToAnnexB, isAnnexB } from '../../codecs/annex-b.ts';
import { concat } from '../../codecs/bytes.ts';
import { hex } from '../support/hex.ts';

const cases: readonly { name: string; bytes: Uint8Array; want: Uint8Array[] }[] = [
  {
    name: 'start codes of four and three bytes',
    bytes: hex`00000001 09f0 000001 6588`,
    want: [hex`09f0`, hex`6588`],
  },
  {
    name: 'zeros before, between and behind',
    bytes: hex`0000000000000001 09f0 0000000000000001 6588 000000`,
    want: [hex`09f0`, hex`6588`],
  },
  {
    name: 'two start codes with nothing between',
    bytes: hex`000001 000001 65 00000001 000001`,
    want: [hex`65`],
  },
  { name: 'bytes before the first start code', bytes: hex`aabb01 000001 65`, want: [hex`65`] },
  {
    name: 'a one after a single zero is data',
    bytes: hex`000001 65 0001 01 0100`,
    want: [hex`65 0001 01 01`],
  },
  {
    name: 'emulation prevention is left alone',
    bytes: hex`000001 65 000003 01 000003`,
    want: [hex`65 000003 01 000003`],
  },
  { name: 'a start code as the last three bytes', bytes: hex`000001 65 000001`, want: [hex`65`] },
  { name: 'no start code', bytes: hex`658801`, want: [] },
  { name: 'nothing', bytes: hex``, want: [] },
  { name: 'only zeros', bytes: hex`0000000000`, want: [] },
  { name: 'one start code and nothing else', bytes: hex`00000001`, want: [] },
];

describe('walking a byte stream', () => {
  for (const { name, bytes, want } of cases) {
    test(name, () => assert.deepEqual([...annexBNalUnits(bytes)], want));
  }

  test('yields views', () => {
    const bytes = hex`000001 65`;
    for (const unit of annexBNalUnits(bytes)) assert.equal(unit.buffer, bytes.buffer);
  });
});

describe('converting', () => {
  test('to lengths and back', () => {
    const avcc = hex`00000002 09f0 00000002 6588`;
    assert.deepEqual(annexBToAvcc(hex`000001 09f0 0000000001 6588 0000`), avcc);
    assert.deepEqual(avccToAnnexB(avcc), hex`00000001 09f0 00000001 6588`);
  });

  test('a length past the end is refused', () => {
    assert.throws(() => avccToAnnexB(hex`00000002 09`), { name: 'ParseError' });
  });

  test('what can be a NAL unit survives the way there and back', () => {
    // H.264 §7.4.1: none contains 00 00 00, 00 00 01 or 00 00 02, and none ends with a zero.
    const nalUnit = fc
      .array(fc.oneof(fc.constantFrom(0, 0, 1, 3), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
      })
      .map((bytes) => Uint8Array.from([...escaped(bytes), 0x80]));
    fc.assert(
      fc.property(fc.array(nalUnit, { maxLength: 8 }), (units) => {
        const stream = concat(
          ...units.flatMap((unit, n) => [n % 2 ? hex`000001` : hex`00000001`, unit]),
        );
        assert.deepEqual([...annexBNalUnits(stream)], units);
        assert.deepEqual([...annexBNalUnits(avccToAnnexB(annexBToAvcc(stream)))], units);
      }),
      { seed: 1 },
    );
  });
});

test('is it Annex B: a start code in front, of three or four bytes', () => {
  assert.ok(isAnnexB(hex`000001`));
  assert.ok(isAnnexB(hex`00000001 65`));
  assert.ok(!isAnnexB(hex`00000002 6588`));
  assert.ok(!isAnnexB(hex`0000`));
  assert.ok(!isAnnexB(hex`65`));
  assert.ok(!isAnnexB(hex``));
});

function escaped(bytes: readonly number[]): number[] {
  const result: number[] = [];
  for (const byte of bytes) {
    if (byte <= 3 && result.at(-1) === 0 && result.at(-2) === 0) result.push(3);
    result.push(byte);
  }
  return result;
}
