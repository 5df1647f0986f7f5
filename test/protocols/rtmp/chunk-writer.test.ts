import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ChunkReader } from '../../../protocols/rtmp/chunk-reader.ts';
import {
  messageHeaderLength,
  serializeMessage,
  writeMessageHeader,
} from '../../../protocols/rtmp/chunk-writer.ts';
import { controlMessage } from '../../../protocols/rtmp/control.ts';
import { MessageType } from '../../../protocols/rtmp/message.ts';
import { hex, toHex } from '../../support/hex.ts';

const message = (timestampMs: number, payload: Uint8Array) => ({
  typeId: 9,
  timestampMs,
  messageStreamId: 0x01020304,
  payload,
});

const cases = [
  {
    name: 'a message in one chunk, message stream id little-endian',
    bytes: serializeMessage(message(0x010203, hex`aabb`), 6, 128),
    want: hex`06 010203 000002 09 04030201 aabb`,
  },
  {
    name: 'three chunks',
    bytes: serializeMessage(message(1, hex`0001020304`), 6, 2),
    want: hex`06 000001 000005 09 04030201 0001 c6 0203 c6 04`,
  },
  {
    name: 'a message that fills its chunks',
    bytes: serializeMessage(message(1, hex`00010203`), 6, 2),
    want: hex`06 000001 000004 09 04030201 0001 c6 0203`,
  },
  {
    name: 'an empty message',
    bytes: serializeMessage(message(1, hex``), 6, 2),
    want: hex`06 000001 000000 09 04030201`,
  },
  {
    name: 'the largest timestamp that is not extended',
    bytes: serializeMessage(message(0xfffffe, hex`00`), 6, 2),
    want: hex`06 fffffe 000001 09 04030201 00`,
  },
  {
    name: 'an extended timestamp, repeated in each chunk',
    bytes: serializeMessage(message(0xffffff, hex`0001020304`), 6, 2),
    want: hex`06 ffffff 000005 09 04030201 00ffffff 0001 c6 00ffffff 0203 c6 00ffffff 04`,
  },
  {
    name: 'the largest timestamp',
    bytes: serializeMessage(message(0xffffffff, hex`00`), 6, 2),
    want: hex`06 ffffff 000001 09 04030201 ffffffff 00`,
  },
  ...[
    { id: 63, basic: '3f', continuation: 'ff' },
    { id: 64, basic: '0000', continuation: 'c000' },
    { id: 319, basic: '00ff', continuation: 'c0ff' },
    { id: 320, basic: '010001', continuation: 'c10001' },
    { id: 65_599, basic: '01ffff', continuation: 'c1ffff' },
  ].map(({ id, basic, continuation }) => ({
    name: `chunk stream id ${id}`,
    bytes: serializeMessage(message(1, hex`0001`), id, 1),
    want: hex`${basic} 000001 000002 09 04030201 00 ${continuation} 01`,
  })),
];

for (const { name, bytes, want } of cases) {
  test(`writes ${name}`, () => assert.equal(toHex(bytes), toHex(want)));
}

test('a header at an offset touches nothing else', () => {
  const target = new Uint8Array(20).fill(0xee);
  const end = writeMessageHeader(target, 3, 6, message(5, hex``), 7);
  assert.equal(end, 3 + messageHeaderLength(6, 5));
  assert.equal(toHex(target), 'eeeeee 06000005000007 09 04030201 eeeeeeeeee'.replaceAll(' ', ''));
});

test('what is written is read back, however it is cut', () => {
  const anyMessage = fc.record(
    {
      typeId: fc.constantFrom(8, 9, 18, 20),
      timestampMs: fc.oneof(
        fc.nat(0xffffffff),
        fc.constantFrom(0, 0xfffffe, 0xffffff, 0x1000000, 0xffffffff),
      ),
      messageStreamId: fc.nat(0xffffffff),
      payload: fc.uint8Array({ maxLength: 300 }),
    },
    { noNullPrototype: true },
  );
  const sent = fc.tuple(
    anyMessage,
    fc.oneof(fc.integer({ min: 3, max: 12 }), fc.constantFrom(63, 64, 319, 320, 65_599)),
  );
  fc.assert(
    fc.property(
      fc.array(sent, { maxLength: 8 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 400 }),
      (messages, chunkSize, cut) => {
        const setChunkSize = controlMessage(MessageType.setChunkSize, chunkSize);
        const bytes = concat(
          serializeMessage(setChunkSize, 2, 128),
          ...messages.map(([one, id]) => serializeMessage(one, id, chunkSize)),
        );
        const reader = new ChunkReader();
        const read = [];
        for (let at = 0; at < bytes.length; at += cut) {
          for (const one of reader.push(bytes.subarray(at, at + cut))) {
            read.push({ ...one, payload: one.payload.slice() });
          }
        }
        assert.deepEqual(
          read,
          messages.map(([one]) => one),
        );
      },
    ),
  );
});
