import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import {
  FLV_PREVIOUS_TAG_SIZE_BYTES,
  FLV_TAG_HEADER_BYTES,
  FlvTagType,
  flvFileHeader,
  flvTags,
  writeFlvPreviousTagSize,
  writeFlvTagHeader,
} from '../../../codecs/flv/tag.ts';
import { hex } from '../../support/hex.ts';

/** Written behind two bytes that must stay. */
function written(size: number, write: (target: Uint8Array, offset: number) => void): Uint8Array {
  const target = new Uint8Array(size + 4).fill(0xee);
  write(target, 2);
  assert.deepEqual(
    [target[0], target[1], target[size + 2], target[size + 3]],
    [0xee, 0xee, 0xee, 0xee],
  );
  return target.subarray(2, size + 2);
}

function tag(type: number, timestampMs: number, body: Uint8Array): Uint8Array {
  const header = written(FLV_TAG_HEADER_BYTES, (target, offset) =>
    writeFlvTagHeader(target, offset, type, body.length, timestampMs),
  );
  const trailer = written(FLV_PREVIOUS_TAG_SIZE_BYTES, (target, offset) =>
    writeFlvPreviousTagSize(target, offset, body.length),
  );
  return concat(header, body, trailer);
}

describe('FLV headers as ffmpeg 5.1.9 writes them', () => {
  test('file header', () => {
    assert.deepEqual(flvFileHeader(true, true), hex`464c56 01 05 00000009 00000000`);
    assert.deepEqual(flvFileHeader(true, false), hex`464c56 01 01 00000009 00000000`);
    assert.deepEqual(flvFileHeader(false, true), hex`464c56 01 04 00000009 00000000`);
  });

  test('tag header and size behind', () => {
    const header = written(FLV_TAG_HEADER_BYTES, (target, offset) =>
      writeFlvTagHeader(target, offset, FlvTagType.video, 31_013, 40),
    );
    assert.deepEqual(header, hex`09 007925 000028 00 000000`);
    const trailer = written(4, (target, offset) => writeFlvPreviousTagSize(target, offset, 31_013));
    assert.deepEqual(trailer, hex`00007930`);
  });

  test('the upper byte of a timestamp comes last: 4 h 39 min and 49 days', () => {
    const timestamp = (ms: number) => tag(FlvTagType.audio, ms, hex``).subarray(4, 8);
    assert.deepEqual(timestamp(0xffffff), hex`ffffff 00`);
    assert.deepEqual(timestamp(0x1000000), hex`000000 01`);
    assert.deepEqual(timestamp(0xfffffffe), hex`fffffe ff`);
  });
});

describe('reading FLV', () => {
  test('the tags that were written', () => {
    const body = fc.uint8Array({ maxLength: 300 });
    const type = fc.constantFrom(FlvTagType.audio, FlvTagType.video, FlvTagType.scriptData);
    const ms = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(
        fc.array(fc.record({ type, timestampMs: ms, body }, { noNullPrototype: true }), {
          maxLength: 6,
        }),
        (tags) => {
          const parts = tags.map(({ type, timestampMs, body }) => tag(type, timestampMs, body));
          assert.deepEqual([...flvTags(concat(flvFileHeader(true, true), ...parts))], tags);
        },
      ),
      { seed: 1 },
    );
  });

  for (const [name, file] of [
    ['no file', hex``],
    ['another signature', hex`464c57 01 05 00000009 00000000`],
    ['a header that says it is shorter than it is', hex`464c56 01 05 00000008 00000000`],
    ['a header of 4 GiB', hex`464c56 01 05 ffffffff 00000000`],
    ['a tag cut short', hex`464c56 01 05 00000009 00000000 09 000005 000000 00 000000 17`],
    ['a tag header cut short', hex`464c56 01 05 00000009 00000000 09 0000`],
  ] as const) {
    test(`${name} is refused`, () =>
      assert.throws(() => [...flvTags(file)], { name: 'ParseError' }));
  }
});
