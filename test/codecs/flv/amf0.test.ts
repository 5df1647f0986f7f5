import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import {
  Amf0Reader,
  type Amf0Value,
  EcmaArray,
  isAmf0Object,
  MAX_AMF0_DEPTH,
  MAX_AMF0_VALUES,
  parseAmf0,
  serializeAmf0,
} from '../../../codecs/flv/amf0.ts';
import { hex } from '../../support/hex.ts';

/** Read objects have no prototype. */
function object(entries: Record<string, Amf0Value>): Amf0Value {
  return Object.assign(Object.create(null), entries);
}

const exact: readonly { name: string; bytes: Uint8Array; value: Amf0Value }[] = [
  { name: 'number', bytes: hex`00 3ff0000000000000`, value: 1 },
  { name: 'not a number', bytes: hex`00 7ff8000000000000`, value: Number.NaN },
  { name: 'true', bytes: hex`01 01`, value: true },
  { name: 'false', bytes: hex`01 00`, value: false },
  { name: 'string', bytes: hex`02 0004 6c697665`, value: 'live' },
  { name: 'empty string', bytes: hex`02 0000`, value: '' },
  { name: 'string beyond ASCII', bytes: hex`02 0006 c3bc e282ac 21`, value: 'ü€!' },
  { name: 'null', bytes: hex`05`, value: null },
  { name: 'undefined', bytes: hex`06`, value: undefined },
  { name: 'date', bytes: hex`0b 4277a2f540e01000 0000`, value: new Date(1_624_291_675_649) },
  { name: 'strict array', bytes: hex`0a 00000002 05 0101`, value: [null, true] },
  { name: 'empty object', bytes: hex`03 0000 09`, value: object({}) },
  {
    name: 'object in an object',
    bytes: hex`03 0001 61 03 0001 62 0101 0000 09 0001 63 05 0000 09`,
    value: object({ a: object({ b: true }), c: null }),
  },
  {
    name: 'object with an empty key that is not its end',
    bytes: hex`03 0000 0101 0001 61 05 0000 09`,
    value: object({ '': true, a: null }),
  },
];

const tolerated: readonly { name: string; bytes: Uint8Array; value: Amf0Value }[] = [
  { name: 'any byte but 0 is true', bytes: hex`01 ff`, value: true },
  { name: 'ECMA array', bytes: hex`08 00000001 0001 61 0101 0000 09`, value: object({ a: true }) },
  {
    name: 'ECMA array whose count is zero',
    bytes: hex`08 00000000 0001 61 0101 0000 09`,
    value: object({ a: true }),
  },
  {
    name: 'ECMA array whose count is 4 billion',
    bytes: hex`08 ffffffff 0001 61 0101 0000 09`,
    value: object({ a: true }),
  },
  {
    name: 'ECMA array with no end marker',
    bytes: hex`08 00000001 0001 61 0101`,
    value: object({ a: true }),
  },
  { name: 'object with no end marker', bytes: hex`03 0001 61 0101`, value: object({ a: true }) },
  {
    name: 'object with half an end marker',
    bytes: hex`03 0001 61 0101 0000`,
    value: object({ a: true }),
  },
  { name: 'typed object', bytes: hex`10 0001 58 0001 61 05 0000 09`, value: object({ a: null }) },
  { name: 'XML document', bytes: hex`0f 00000004 3c612f3e`, value: '<a/>' },
  { name: 'long string', bytes: hex`0c 00000002 6f6b`, value: 'ok' },
  { name: 'unsupported', bytes: hex`0d`, value: undefined },
  { name: 'bytes that are not UTF-8', bytes: hex`02 0002 ff41`, value: '\ufffdA' },
  {
    name: 'the time zone of a date is ignored',
    bytes: hex`0b 0000000000000000 ff88`,
    value: new Date(0),
  },
];

describe('AMF0 values', () => {
  for (const { name, bytes, value } of exact) {
    test(`${name}: read`, () => assert.deepEqual(parseAmf0(bytes), [value]));
    test(`${name}: written`, () => assert.deepEqual(serializeAmf0(value), bytes));
  }
  for (const { name, bytes, value } of tolerated) {
    test(`${name}: read`, () => assert.deepEqual(parseAmf0(bytes), [value]));
  }

  test('an ECMA array is written with its count and read as an object', () => {
    const bytes = serializeAmf0(new EcmaArray({ a: true, b: null }));
    assert.deepEqual(bytes, hex`08 00000002 0001 61 0101 0001 62 05 0000 09`);
    assert.deepEqual(parseAmf0(bytes), [object({ a: true, b: null })]);
  });

  test('a string of 65 536 bytes is written as a long one', () => {
    const long = 'x'.repeat(0x10000);
    const bytes = serializeAmf0(long);
    assert.deepEqual(bytes.subarray(0, 5), hex`0c 00010000`);
    assert.deepEqual(parseAmf0(bytes), [long]);
    assert.deepEqual(serializeAmf0('x'.repeat(0xffff)).subarray(0, 3), hex`02 ffff`);
  });

  test('a key of 65 536 bytes is our own mistake', () => {
    assert.throws(() => serializeAmf0({ ['k'.repeat(0x10000)]: 1 }), RangeError);
  });

  test('`__proto__` is a key like any other', () => {
    const bytes = hex`03 0009 5f5f70726f746f5f5f 03 0001 61 0101 0000 09 0000 09`;
    const [value] = parseAmf0(bytes);
    assert.ok(isAmf0Object(value));
    assert.deepEqual(Object.keys(value), ['__proto__']);
    assert.equal(value['a'], undefined);
    assert.equal(Object.getPrototypeOf(value), null);
  });

  test('several values in a row, and the ones before damage', () => {
    const bytes = hex`02 0007 5f726573756c74 00 3ff0000000000000 05 ff`;
    assert.deepEqual(parseAmf0(bytes.subarray(0, -1)), ['_result', 1, null]);
    const reader = new Amf0Reader(bytes);
    assert.deepEqual([reader.read(), reader.read(), reader.read()], ['_result', 1, null]);
    assert.ok(!reader.isAtEnd);
    assert.throws(() => reader.read(), ParseError);
  });

  test('what is an object', () => {
    assert.ok(isAmf0Object({}));
    for (const value of [null, undefined, 1, 'a', true, [], new Date(), new EcmaArray({})]) {
      assert.ok(!isAmf0Object(value));
    }
  });
});

describe('AMF0 damage', () => {
  for (const [name, bytes] of [
    ['a movie clip', hex`04`],
    ['a reference', hex`07 0000`],
    ['a record set', hex`0e`],
    ['the switch to AMF3', hex`11`],
    ['an end marker for a value', hex`09`],
    ['marker 255', hex`ff`],
    ['a number cut short', hex`00 3ff00000`],
    ['a boolean cut short', hex`01`],
    ['a string longer than the message', hex`02 0005 6c697665`],
    ['a long string of 4 GiB', hex`0c ffffffff 61`],
    ['an array of 4 billion', hex`0a ffffffff 05 05`],
    ['an object cut in a key', hex`03 0005 61`],
    ['an object cut before a value', hex`03 0001 61`],
    ['a date without its time zone', hex`0b 0000000000000000`],
  ] as const) {
    test(`${name} is refused`, () => assert.throws(() => parseAmf0(bytes), { name: 'ParseError' }));
  }

  const deep = (levels: number) =>
    concat(...Array.from({ length: levels }, () => hex`0a 00000001`), hex`05`);

  test(`values nest ${MAX_AMF0_DEPTH} deep at most`, () => {
    assert.equal(parseAmf0(deep(MAX_AMF0_DEPTH)).length, 1);
    assert.throws(() => parseAmf0(deep(MAX_AMF0_DEPTH + 1)), /deeper/);
    assert.throws(() => parseAmf0(deep(100_000)), /deeper/);
  });

  test(`a message has ${MAX_AMF0_VALUES} values at most`, () => {
    assert.equal(parseAmf0(new Uint8Array(MAX_AMF0_VALUES).fill(5)).length, MAX_AMF0_VALUES);
    assert.throws(() => parseAmf0(new Uint8Array(MAX_AMF0_VALUES + 1).fill(5)), /more than/);
    const array = concat(hex`0a ffffffff`, new Uint8Array(MAX_AMF0_VALUES).fill(5));
    assert.throws(() => parseAmf0(array), /more than/);
  });

  test('arbitrary bytes give values or a ParseError, and are not changed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const copy = bytes.slice();
        try {
          parseAmf0(bytes);
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
        assert.deepEqual(bytes, copy);
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

test('what is written is read again', () => {
  const { value } = fc.letrec<{ value: Amf0Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.double(),
      fc.boolean(),
      fc.string({ unit: 'grapheme' }),
      fc.constant(null),
      fc.constant(undefined),
      fc.date({ noInvalidDate: true }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string({ minLength: 1 }), tie('value'), {
        maxKeys: 4,
        noNullPrototype: false,
      }),
    ),
  }));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 4 }), (values) => {
      assert.deepEqual(parseAmf0(serializeAmf0(...values)), values.map(withoutPrototype));
    }),
    { numRuns: 200, seed: 1 },
  );
});

function withoutPrototype(value: Amf0Value): Amf0Value {
  if (Array.isArray(value)) return value.map(withoutPrototype);
  if (!isAmf0Object(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutPrototype(inner)]);
  const copy: Record<string, Amf0Value> = Object.create(null);
  for (const [key, inner] of entries) copy[key as string] = inner as Amf0Value;
  return copy;
}
