import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import {
  box,
  boxes,
  boxHeader,
  findBox,
  fullBox,
  parseBoxHeader,
} from '../../../codecs/mp4/boxes.ts';
import { hex, toHex } from '../../support/hex.ts';

describe('boxes', () => {
  test('a box, and one with version and flags', () => {
    assert.equal(toHex(box('free', hex`01 02`, hex`03`)), '0000000b66726565010203');
    assert.equal(toHex(fullBox('trex', 1, 0x20, hex`ff`)), '0000000d747265780100002' + '0ff');
  });

  test('a size past 32 bits takes 16 bytes', () => {
    assert.equal(toHex(boxHeader('mdat', 2 ** 33 + 5)), '000000016d6461740000000200000005');
    assert.deepEqual(parseBoxHeader(boxHeader('mdat', 2 ** 33 + 5)), {
      type: 'mdat',
      headerBytes: 16,
      size: 2 ** 33 + 5,
    });
  });

  test('a size of 0 reaches to the end', () => {
    const bytes = concat(box('free'), hex`00000000 6d646174 0102`);
    assert.deepEqual(
      [...boxes(bytes)].map(({ type, offset, payload }) => [type, offset, toHex(payload)]),
      [
        ['free', 0, ''],
        ['mdat', 8, '0102'],
      ],
    );
  });

  test('too few bytes to tell', () => {
    assert.equal(parseBoxHeader(hex`00000010 6d6461`), undefined);
    assert.equal(parseBoxHeader(hex`00000001 6d646174 00000000`), undefined);
  });

  for (const [name, bytes] of [
    ['a size smaller than the header', hex`00000007 6d646174`],
    ['a 64-bit size smaller than its header', hex`00000001 6d646174 00000000 0000000f`],
    ['a 64-bit size that no number holds', hex`00000001 6d646174 ffffffff ffffffff`],
    ['half a header', hex`00000008 6d6461`],
    ['a box past the end', hex`00000009 6d646174`],
  ] as const) {
    test(`${name} is refused`, () => {
      assert.throws(() => [...boxes(bytes)], { name: 'ParseError' });
    });
  }

  test('a box within boxes, the first of each type', () => {
    const trak = box('trak', box('tkhd', hex`01`), box('mdia', box('mdhd', hex`02`)));
    const moov = concat(box('mvhd'), trak, box('trak', box('tkhd', hex`03`)));
    assert.equal(toHex(findBox(moov, 'trak', 'mdia', 'mdhd') ?? hex``), '02');
    assert.equal(toHex(findBox(moov, 'trak', 'tkhd') ?? hex``), '01');
    assert.equal(findBox(moov, 'trak', 'edts'), undefined);
  });

  test('what is written is walked again; arbitrary bytes give boxes or a ParseError', () => {
    const child = fc.tuple(fc.constantFrom('moov', 'trak', 'free'), fc.uint8Array());
    fc.assert(
      fc.property(fc.array(child), (children) => {
        const bytes = concat(...children.map(([type, payload]) => box(type, payload)));
        assert.deepEqual(
          [...boxes(bytes)].map(({ type, payload }) => [type, toHex(payload)]),
          children.map(([type, payload]) => [type, toHex(payload)]),
        );
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          for (const { payload } of boxes(bytes)) assert.ok(payload.length <= bytes.length);
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }),
    );
  });
});
