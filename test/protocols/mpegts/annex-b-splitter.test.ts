import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { annexBNalUnits } from '../../../codecs/annex-b.ts';
import { concat } from '../../../codecs/bytes.ts';
import { AnnexBSplitter } from '../../../protocols/mpegts/annex-b-splitter.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex, toHex } from '../../support/hex.ts';

function split(chunks: Iterable<Uint8Array>, headBytes = 2): string[] {
  const found: string[] = [];
  let open = '';
  const splitter = new AnnexBSplitter(
    {
      beginNalUnit: (head, length) => {
        assert.ok(length >= 1 && length <= headBytes);
        open = toHex(head.subarray(0, length));
      },
      appendToNalUnit: (bytes) => {
        assert.ok(bytes.length > 0);
        open += toHex(bytes);
      },
      endNalUnit: () => {
        found.push(open);
        open = '';
      },
    },
    headBytes,
  );
  for (const chunk of chunks) splitter.push(chunk, 0, chunk.length);
  splitter.end();
  return found;
}

describe('NAL units, however the stream is cut', () => {
  const cases = [
    {
      name: 'start codes of three and four bytes',
      bytes: hex`00000001 09f0 000001 658804 00000001 41aa`,
      want: ['09f0', '658804', '41aa'],
    },
    {
      name: 'zeros behind a NAL unit belong to nothing',
      bytes: hex`000001 6588 0000000000 000001 41aa 0000`,
      want: ['6588', '41aa'],
    },
    {
      name: 'zeros inside belong to it',
      bytes: hex`000001 6500 00 03 00 00 04 000001 41`,
      want: ['6500000300 0004'.replace(' ', ''), '41'],
    },
    {
      name: 'ones without two zeros before them',
      bytes: hex`000001 65 01 0001 0101 000001 41 01`,
      want: ['65010001' + '0101', '4101'],
    },
    { name: 'NAL units of one byte', bytes: hex`000001 0a 000001 0b 000001`, want: ['0a', '0b'] },
    { name: 'empty ones', bytes: hex`000001 000001 00000001 41aa`, want: ['41aa'] },
    { name: 'bytes before the first start code', bytes: hex`aabb00cc 000001 41aa`, want: ['41aa'] },
    { name: 'no start code', bytes: hex`aabbcc00`, want: [] },
    {
      name: 'a header that ends with a zero',
      bytes: hex`000001 4000 0000 05 000001 42`,
      want: ['400000 0005'.replace(' ', ''), '42'],
    },
  ];
  for (const { name, bytes, want } of cases) {
    test(name, () => {
      for (const chunks of everySplit(bytes)) assert.deepEqual(split(chunks), want);
    });
  }
});

test('more zeros than are kept at hand, in the middle of a NAL unit', () => {
  const bytes = concat(hex`000001 65aa`, new Uint8Array(1000), hex`bb 000001 41`);
  for (const cut of [100, 500, 1004]) {
    const [first] = split([bytes.slice(0, cut), bytes.slice(cut)]);
    assert.equal(first, `65aa${'00'.repeat(1000)}bb`);
  }
});

test('after a loss nothing before the next start code', () => {
  const heads: number[] = [];
  const splitter = new AnnexBSplitter(
    {
      beginNalUnit: (head) => heads.push(head[0] ?? 0),
      appendToNalUnit: () => undefined,
      endNalUnit: () => undefined,
    },
    2,
  );
  splitter.push(hex`000001 6588 00 00`, 0, 7);
  splitter.reset();
  splitter.push(hex`01 aabb 000001 41aa`, 0, 8);
  assert.deepEqual(heads, [0x65, 0x41]);
});

test('the same as the splitter of whole buffers', () => {
  const byte = fc.oneof(fc.constantFrom(0, 0, 0, 1, 1, 3), fc.nat(255));
  const bytes = fc.array(byte, { maxLength: 300 }).map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(300), { maxLength: 6 }), (whole, cuts) => {
      const ends = [...cuts.filter((cut) => cut < whole.length), whole.length].sort(
        (a, b) => a - b,
      );
      const chunks = ends.map((end, index) => whole.slice(ends[index - 1] ?? 0, end));
      const want = Array.from(annexBNalUnits(whole), toHex);
      for (const headBytes of [1, 2, 3]) assert.deepEqual(split(chunks, headBytes), want);
    }),
    { numRuns: 500 },
  );
});
