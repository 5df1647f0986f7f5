import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BitWriter } from '../../../codecs/bit-writer.ts';
import { writeBlock, writeChromaDc } from '../../../codecs/h264/cavlc.ts';
import { bitsOf } from '../../support/bits.ts';

// Worked by hand with the tables of H.264 §9.2. All of the tables meet ffmpeg in test/e2e/mosaic-video.test.ts.

const BLOCKS: readonly { name: string; levels: number[]; want: string }[] = [
  { name: 'nothing but zeros', levels: [], want: '1' },
  {
    name: 'trailing ones, and runs of zeros',
    levels: [0, 3, 0, 1, -1, -1, 0, 1],
    want: '0000100  0 1 1  1 0010  111  10 1 1 01',
  },
  {
    name: 'fewer than three trailing ones: the level before them is told less two',
    levels: [-2, 4, 3, -3, 0, 0, -1],
    want: '0000000110  1  0001 0010 00010 111  0011  00',
  },
  {
    name: 'a fourth one is a level',
    levels: [1, 1, 1, 1],
    want: '000011  0 0 0  1  00011',
  },
  { name: '8: the longest prefix alone', levels: [8], want: '000101  0000000000001  1' },
  { name: '9: a suffix of 4 bits', levels: [9], want: '000101  000000000000001 0000  1' },
  { name: '-16: the last of those', levels: [-16], want: '000101  000000000000001 1111  1' },
  { name: '17: 12 bits', levels: [17], want: '000101  0000000000000001 000000000000  1' },
  { name: '1008', levels: [1008], want: '000101  0000000000000001 011110111110  1' },
  {
    name: 'sixteen: a suffix from the first on, no total_zeros',
    levels: Array.from({ length: 16 }, () => 2),
    want: `0000000000000100  10 ${'010 '.repeat(15)}`,
  },
];

const CHROMA: typeof BLOCKS = [
  { name: 'nothing but zeros', levels: [], want: '01' },
  { name: 'the last', levels: [0, 0, 0, -1], want: '1  1  000' },
  { name: 'two in the middle', levels: [0, 5, -1], want: '000110  1  0000001  01  1' },
  {
    name: 'four: a longer suffix behind 5',
    levels: [1, -1, 1, 5],
    want: '000010  0000001 100 101 100',
  },
];

for (const [name, write, length, cases] of [
  ['a block of 16', writeBlock, 16, BLOCKS],
  ['chroma DC', writeChromaDc, 4, CHROMA],
] as const) {
  describe(name, () => {
    for (const { name: what, levels, want } of cases) {
      test(what, () => assert.equal(written(write, levels, length), want.replaceAll(' ', '')));
    }
  });
}

test('what a Baseline decoder need not understand is refused', () => {
  assert.doesNotThrow(() => written(writeBlock, [2064], 16));
  assert.throws(() => written(writeBlock, [2065], 16), RangeError);
});

function written(
  write: (writer: BitWriter, levels: Int16Array) => void,
  levels: readonly number[],
  length: number,
): string {
  const writer = new BitWriter();
  const block = new Int16Array(length);
  block.set(levels);
  write(writer, block);
  return bitsOf(writer.bytes()).slice(0, writer.position);
}
