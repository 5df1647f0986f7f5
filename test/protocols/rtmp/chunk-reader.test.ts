import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import { ChunkReader } from '../../../protocols/rtmp/chunk-reader.ts';
import { serializeMessage } from '../../../protocols/rtmp/chunk-writer.ts';
import { MAX_MESSAGE_BYTES, type RtmpMessage } from '../../../protocols/rtmp/message.ts';
import { cpuMs } from '../../support/cpu-ms.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex, toHex } from '../../support/hex.ts';

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** [type id, timestamp, message stream id, payload] */
  readonly want: readonly (readonly [number, number, number, string])[];
}

const SIZE_4 = '02 000000 000004 01 00000000 00000004';
const long = (count: number) =>
  Array.from({ length: count }, (_, i) => (i & 0xff).toString(16).padStart(2, '0')).join('');

const cases: Case[] = [
  {
    name: 'type 0, message stream id little-endian',
    bytes: hex`03 00000a 000003 09 01020000 aabbcc`,
    want: [[9, 10, 0x0201, 'aabbcc']],
  },
  {
    name: 'an empty message',
    bytes: hex`03 00000a 000000 09 01000000  c3`,
    want: [
      [9, 10, 1, ''],
      [9, 20, 1, ''],
    ],
  },
  {
    name: 'types 0 to 3: delta, length and type id are taken from before',
    bytes: hex`
      04 0003e8 000002 08 01000000 a1a2
      44 000014 000001 09          b1
      84 000015                    c1
      c4                           d1`,
    want: [
      [8, 1000, 1, 'a1a2'],
      [9, 1020, 1, 'b1'],
      [9, 1041, 1, 'c1'],
      [9, 1062, 1, 'd1'],
    ],
  },
  {
    name: 'a type 3 that begins a message behind a type 0 adds its timestamp (§5.3.1.2.4)',
    bytes: hex`03 000064 000001 08 01000000 aa  c3 bb`,
    want: [
      [8, 100, 1, 'aa'],
      [8, 200, 1, 'bb'],
    ],
  },
  {
    name: 'messages of several chunks, interleaved on two chunk streams',
    bytes: hex`${SIZE_4}
      03 000001 000006 09 01000000 00010203
      04 000002 000005 08 01000000 a0a1a2a3
      c3 0405
      c4 a4`,
    want: [
      [9, 1, 1, '000102030405'],
      [8, 2, 1, 'a0a1a2a3a4'],
    ],
  },
  {
    name: 'the default chunk size is 128',
    bytes: hex`03 000000 000082 09 01000000 ${long(128)} c3 8081`,
    want: [[9, 0, 1, long(130)]],
  },
  {
    name: 'an extended timestamp, repeated in the type 3 chunk',
    bytes: hex`${SIZE_4}
      03 ffffff 000006 09 01000000 01000000 00010203
      c3 01000000 0405`,
    want: [[9, 0x01000000, 1, '000102030405']],
  },
  {
    name: 'an extended timestamp of exactly 0xffffff',
    bytes: hex`03 ffffff 000001 09 01000000 00ffffff aa`,
    want: [[9, 0xffffff, 1, 'aa']],
  },
  {
    name: 'a peer that does not repeat the extended timestamp',
    bytes: hex`${SIZE_4}
      03 ffffff 00000c 09 01000000 01000000 00010203
      c3 04050607
      c3 08090a0b
      03 000001 000001 08 01000000 ee`,
    want: [
      [9, 0x01000000, 1, '000102030405060708090a0b'],
      [8, 1, 1, 'ee'],
    ],
  },
  {
    name: 'the same with a last chunk shorter than the timestamp would be',
    bytes: hex`${SIZE_4}
      03 ffffff 000005 09 01000000 01000000 00010203
      c3 04
      03 000001 000001 08 01000000 ee`,
    want: [
      [9, 0x01000000, 1, '0001020304'],
      [8, 1, 1, 'ee'],
    ],
  },
  {
    name: 'an extended delta, and a message of type 3 that repeats it',
    bytes: hex`
      03 000005 000001 08 01000000          a0
      43 ffffff 000001 08          01000001 a1
      c3                           01000001 a2`,
    want: [
      [8, 5, 1, 'a0'],
      [8, 0x01000006, 1, 'a1'],
      [8, 0x02000007, 1, 'a2'],
    ],
  },
  {
    name: 'timestamps wrap at 32 bits',
    bytes: hex`03 ffffff 000001 08 01000000 fffffffe a0  43 000003 000001 08 a1`,
    want: [
      [8, 0xfffffffe, 1, 'a0'],
      [8, 1, 1, 'a1'],
    ],
  },
  {
    name: 'chunk stream ids in two and three bytes: 64, 319, 320, 65599',
    bytes: hex`
      0000    000001 000001 08 01000000 a0
      00ff    000002 000001 08 01000000 a1
      010001  000003 000001 08 01000000 a2
      01ffff  000004 000001 08 01000000 a3
      c000                              b0
      c1ffff                            b3`,
    want: [
      [8, 1, 1, 'a0'],
      [8, 2, 1, 'a1'],
      [8, 3, 1, 'a2'],
      [8, 4, 1, 'a3'],
      [8, 2, 1, 'b0'],
      [8, 8, 1, 'b3'],
    ],
  },
  {
    name: 'a chunk stream that begins with type 1, as librtmp does',
    bytes: hex`42 000007 000001 08 aa`,
    want: [[8, 7, 0, 'aa']],
  },
  {
    name: 'Set Chunk Size holds from the next chunk on',
    bytes: hex`${SIZE_4} 02 000000 000004 01 00000000 00000008
      03 000000 000009 09 01000000 0001020304050607 c3 08`,
    want: [[9, 0, 1, '000102030405060708']],
  },
  {
    name: 'a chunk size past the largest message is no chunk size at all',
    bytes: hex`02 000000 000004 01 00000000 7fffffff
      03 000000 000082 09 01000000 ${long(130)}`,
    want: [[9, 0, 1, long(130)]],
  },
  {
    name: 'Abort forgets a message that was begun; for an unknown chunk stream it does nothing',
    bytes: hex`${SIZE_4}
      03 000001 000006 09 01000000 00010203
      02 000000 000004 02 00000000 00000003
      02 000000 000004 02 00000000 00000009
      03 000002 000001 08 01000000 ee`,
    want: [[8, 2, 1, 'ee']],
  },
  {
    name: 'a new message header within a message gives that message up',
    bytes: hex`${SIZE_4}
      03 000001 000006 09 01000000 00010203
      03 000002 000001 08 01000000 ee`,
    want: [[8, 2, 1, 'ee']],
  },
];

for (const { name, bytes, want } of cases) {
  test(`reads ${name}`, () => {
    for (const chunks of everySplit(bytes)) {
      assert.deepEqual(readAll(chunks), want, `chunks of ${chunks.map((chunk) => chunk.length)}`);
    }
  });
}

/** Payloads are copied at once: they may be views. */
function readAll(chunks: readonly Uint8Array[]): [number, number, number, string][] {
  const reader = new ChunkReader();
  return chunks.flatMap((chunk) => reader.push(chunk).map(described));
}

function described(message: RtmpMessage): [number, number, number, string] {
  const { typeId, timestampMs, messageStreamId, payload } = message;
  return [typeId, timestampMs, messageStreamId, toHex(payload)];
}

test('what was pushed is left as it was', () => {
  for (const { bytes } of cases) {
    const pushed = bytes.slice();
    new ChunkReader().push(pushed);
    assert.deepEqual(pushed, bytes);
  }
});

test('a message that is whole in one chunk is a view, one that is not is its own', () => {
  const bytes = hex`03 000000 000002 09 01000000 aabb`;
  assert.equal(new ChunkReader().push(bytes)[0]?.payload.buffer, bytes.buffer);
  const reader = new ChunkReader();
  reader.push(bytes.subarray(0, 13));
  assert.notEqual(reader.push(bytes.subarray(13))[0]?.payload.buffer, bytes.buffer);
});

test('the buffers of messages in pieces are used again with the next push, and not before', () => {
  const reader = new ChunkReader();
  const message = (length: number, fill: number) =>
    serializeMessage(
      { typeId: 9, timestampMs: 0, messageStreamId: 1, payload: new Uint8Array(length).fill(fill) },
      6,
      128,
    );
  const two = reader.push(concat(message(300, 1), message(500, 2)));
  const buffers = new Set(two.map(({ payload }) => payload.buffer));
  assert.equal(buffers.size, 2);
  assert.deepEqual(
    two.map(({ payload }) => [payload.length, payload.every((byte) => byte === payload[0])]),
    [
      [300, true],
      [500, true],
    ],
  );
  const [third] = reader.push(message(400, 3));
  assert.ok(third !== undefined && buffers.has(third.payload.buffer));
  // One that is very large is not held.
  const [large] = reader.push(message(3_000_000, 4));
  const [after] = reader.push(message(3_000_000, 5));
  assert.notEqual(large?.payload.buffer, after?.payload.buffer);
});

test('what is only announced takes neither memory nor time', () => {
  const reader = new ChunkReader();
  // Messages that are begun with one byte, each in place of the one before, as a hostile server might.
  const begun = (length: string) => hex`03 000000 ${length} 09 01000000 55`;
  const costMs = (chunk: Uint8Array) => {
    const many = concat(...Array.from({ length: 1000 }, () => chunk));
    const sinceMs = cpuMs();
    reader.push(many);
    return cpuMs() - sinceMs;
  };
  reader.push(hex`02 000000 000004 01 00000000 00000001`);
  const small = costMs(begun('001000'));
  const large = costMs(begun('7fffff'));
  assert.ok(large < 20 * small + 20, `${large} ms, and ${small} ms for small ones`);
});

const bad: { name: string; bytes: Uint8Array }[] = [
  { name: 'a chunk stream that begins with type 3', bytes: hex`c3 00` },
  { name: 'a chunk stream that begins with type 2', bytes: hex`83 000000 00` },
  { name: 'chunk size 0', bytes: hex`02 000000 000004 01 00000000 00000000` },
  {
    name: 'a chunk size with the topmost bit set',
    bytes: hex`02 000000 000004 01 00000000 80000000`,
  },
  { name: 'a Set Chunk Size of three bytes', bytes: hex`02 000000 000003 01 00000000 000001` },
  { name: 'a message past the limit', bytes: hex`03 000000 ffffff 09 01000000` },
  {
    name: 'too many unfinished bytes',
    bytes: concat(
      ...[3, 4, 5].map((id) => {
        const length = MAX_MESSAGE_BYTES.toString(16).padStart(6, '0');
        return hex`${id.toString().padStart(2, '0')} 000000 ${length} 09 01000000 ${long(128)}`;
      }),
    ),
  },
  {
    name: 'too many chunk streams',
    bytes: concat(
      ...Array.from(
        { length: 65 },
        (_, id) => hex`00 ${long(256).slice(id * 2, id * 2 + 2)} 000000 000001 08 01000000 aa`,
      ),
    ),
  },
];

for (const { name, bytes } of bad) {
  test(`refuses ${name}`, () => {
    assert.throws(() => new ChunkReader().push(bytes), ParseError);
    assert.throws(() => readAll(Array.from(bytes, (byte) => Uint8Array.of(byte))), ParseError);
  });
}

test('arbitrary bytes give messages or a ParseError, the same in one piece and in many', () => {
  // Small ids and lengths make chunks out of noise; the table's bytes are there to be bent.
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.constantFrom(0x00, 0x01, 0x02, 0x03, 0x43, 0x83, 0xc3, 0xff, 0x09), {
        maxLength: 120,
      })
      .map((bytes) => Uint8Array.from(bytes)),
    fc
      .tuple(fc.constantFrom(...cases), fc.nat(), fc.nat(255))
      .map(([{ bytes }, at, byte]) => bytes.with(at % bytes.length, byte)),
  );
  fc.assert(
    fc.property(noise, fc.integer({ min: 1, max: 7 }), (bytes, step) => {
      const pieces = [];
      for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.slice(at, at + step));
      assert.deepEqual(outcome(pieces), outcome([bytes]));
    }),
  );
});

function outcome(chunks: readonly Uint8Array[]): unknown[] {
  const reader = new ChunkReader();
  const seen: unknown[] = [];
  try {
    for (const chunk of chunks) seen.push(...reader.push(chunk).map(described));
    return seen;
  } catch (error) {
    assert.ok(error instanceof ParseError, String(error));
    return ['ParseError'];
  }
}
