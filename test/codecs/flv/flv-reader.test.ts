import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACCESS_UNIT_HEADROOM, MAX_ACCESS_UNIT_BYTES } from '../../../codecs/access-unit.ts';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import { FlvReader } from '../../../codecs/flv/flv-reader.ts';
import {
  FLV_TAG_HEADER_BYTES,
  flvFileHeader,
  writeFlvPreviousTagSize,
  writeFlvTagHeader,
} from '../../../codecs/flv/tag.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex, toHex } from '../../support/hex.ts';

/** Reads the chunks; one line per tag. */
function read(chunks: Iterable<Uint8Array>): string[] {
  const tags: string[] = [];
  const reader = new FlvReader((type, timestampMs, body) => {
    tags.push(`${type} at ${timestampMs}: ${toHex(body)}`);
    return false;
  });
  for (const chunk of chunks) reader.push(chunk);
  return tags;
}

function tag(type: number, timestampMs: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FLV_TAG_HEADER_BYTES + body.length + 4);
  writeFlvTagHeader(bytes, 0, type, body.length, timestampMs);
  bytes.set(body, FLV_TAG_HEADER_BYTES);
  writeFlvPreviousTagSize(bytes, FLV_TAG_HEADER_BYTES + body.length, body.length);
  return bytes;
}

const HEADER = flvFileHeader(true, true);

const cases: { name: string; bytes: Uint8Array; want: string[] }[] = [
  { name: 'a file header alone', bytes: HEADER, want: [] },
  {
    // The dump in osresearch/intercom-kiosk, README.md; onMetaData cut down to its name, the picture to one slice header.
    name: 'a Reolink camera, whose file header says neither audio nor video (intercom-kiosk)',
    bytes: hex`
      464c56 01 00 00000009 00000000
      12 00000d 000000 00 000000 02 000a 6f6e4d65746144617461 00000018
      09 000020 000000 00 000000
        17 00 000000 01 640033 ff e1 000c 67640033ac1514a02800f190 01 0004 68ee3cb0 0000002b
      09 00000b 000000 00 000000 17 01 000000 00000002 6588 00000016`,
    want: [
      '18 at 0: 02000a6f6e4d65746144617461',
      '9 at 0: 170000000001640033ffe1000c67640033ac1514a02800f19001000468ee3cb0',
      '9 at 0: 1701000000000000026588',
    ],
  },
  {
    name: 'the upper 8 bits of a timestamp',
    bytes: concat(HEADER, tag(8, 0xfedcba98, hex`af 01 21`)),
    want: ['8 at 4275878552: af0121'],
  },
  {
    name: 'a tag without body',
    bytes: concat(HEADER, tag(9, 7, hex``), tag(8, 8, hex`af`)),
    want: ['9 at 7: ', '8 at 8: af'],
  },
  {
    name: 'a longer file header',
    bytes: hex`464c56 01 05 0000000c aabbcc 00000000 08 000001 000001 00 000000 af 0000000c`,
    want: ['8 at 1: af'],
  },
  {
    name: 'wrong sizes of the tags before, and stream ids',
    bytes: hex`464c56 01 05 00000009 ffffffff
      08 000001 000001 00 123456 af 00000000
      08 000001 000002 00 000000 af 99999999`,
    want: ['8 at 1: af', '8 at 2: af'],
  },
  {
    name: 'an encrypted tag, which is passed over',
    bytes: concat(HEADER, tag(0x28, 1, hex`af 01`), tag(8, 2, hex`af`)),
    want: ['8 at 2: af'],
  },
  {
    name: 'a tag that is not whole yet',
    bytes: concat(HEADER, tag(8, 1, hex`af`), tag(9, 2, hex`17 01 00`).subarray(0, 13)),
    want: ['8 at 1: af'],
  },
];

for (const { name, bytes, want } of cases) {
  test(`reads ${name}, however it is cut`, () => {
    const before = bytes.slice();
    for (const chunks of everySplit(bytes)) assert.deepEqual(read(chunks), want);
    read([bytes]);
    assert.deepEqual(bytes, before);
  });
}

const refused: { name: string; bytes: Uint8Array; message: RegExp }[] = [
  {
    name: 'a web page',
    bytes: new TextEncoder().encode('<!DOCTYPE html>'),
    message: /begins with "FLV"/,
  },
  { name: 'a file header too short', bytes: hex`464c56 01 05 00000008`, message: /of 8 bytes/ },
  {
    name: 'a file header without end',
    bytes: hex`464c56 01 05 ffffffff`,
    message: /of 4294967295 bytes/,
  },
  {
    name: 'a second file header between tags',
    bytes: concat(HEADER, HEADER, HEADER),
    message: /has type 70/,
  },
  {
    name: 'a tag larger than any access unit',
    bytes: concat(HEADER, hex`09 ffffff 000000 00 000000`),
    message: /16777215 bytes \(at byte /,
  },
];

for (const { name, bytes, message } of refused) {
  test(`refuses ${name}, however it is cut`, () => {
    for (const chunks of everySplit(bytes)) {
      assert.throws(
        () => read(chunks),
        (error) => error instanceof ParseError && message.test(error.message),
      );
    }
  });
}

test('a body is lent with headroom, from one buffer unless it is kept', () => {
  const bodies: Uint8Array[] = [];
  let keep = false;
  const reader = new FlvReader((_type, _timestampMs, body) => {
    assert.ok(body.byteOffset >= ACCESS_UNIT_HEADROOM);
    bodies.push(body);
    return keep;
  });
  reader.push(concat(HEADER, tag(9, 0, hex`01`), tag(9, 0, hex`02`)));
  assert.equal(bodies[0]?.buffer, bodies[1]?.buffer);
  keep = true;
  reader.push(tag(9, 0, hex`03`));
  reader.push(tag(9, 0, hex`04`));
  assert.notEqual(bodies[2]?.buffer, bodies[3]?.buffer);
  assert.deepEqual(bodies[2], hex`03`);
});

test('the largest tag there can be is read', () => {
  const body = new Uint8Array(MAX_ACCESS_UNIT_BYTES).fill(0x55);
  let length = 0;
  const reader = new FlvReader((_type, _timestampMs, { byteLength }) => {
    length = byteLength;
    return false;
  });
  reader.push(HEADER);
  reader.push(tag(9, 0, body));
  assert.equal(length, MAX_ACCESS_UNIT_BYTES);
});

test('arbitrary bytes give tags or a ParseError, the same in one piece and in many', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc
      .tuple(fc.constantFrom(...cases), fc.nat(), fc.nat(255))
      .map(([{ bytes: known }, at, byte]) => known.with(at % known.length, byte)),
  );
  const outcome = (chunks: Iterable<Uint8Array>): string => {
    try {
      return read(chunks).join('\n');
    } catch (error) {
      assert.ok(error instanceof ParseError, String(error));
      return error.message;
    }
  };
  fc.assert(
    fc.property(bytes, fc.nat(), (input, cut) => {
      const at = cut % (input.length + 1);
      const whole = outcome([input]);
      assert.equal(outcome([input.subarray(0, at), input.subarray(at)]), whole);
      assert.equal(outcome(Array.from(input, (byte) => Uint8Array.of(byte))), whole);
    }),
  );
});
