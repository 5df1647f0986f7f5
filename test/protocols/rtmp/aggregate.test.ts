import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import { aggregatedMessages } from '../../../protocols/rtmp/aggregate.ts';
import { hex, toHex } from '../../support/hex.ts';

function read(payload: Uint8Array, timestampMs: number): string[] {
  const aggregate = { typeId: 22, timestampMs, messageStreamId: 1, payload };
  return [...aggregatedMessages(aggregate)].map(
    (message) => `${message.typeId} at ${message.timestampMs}: ${toHex(message.payload)}`,
  );
}

const TWO = hex`09 000002 0003e8 00 000000 1701 0000000d 08 000001 0003ff 00 000000 af 0000000c`;

test('each message keeps its distance from the first, which has the time of the aggregate', () => {
  assert.deepEqual(read(TWO, 70_000), ['9 at 70000: 1701', '8 at 70023: af']);
  assert.deepEqual(read(TWO, 1000), ['9 at 1000: 1701', '8 at 1023: af']);
  assert.deepEqual(read(TWO, 0xffff_fff0), ['9 at 4294967280: 1701', '8 at 7: af']);
});

test('times of their own have 32 bits', () => {
  const payload = hex`09 000001 ffffff 7f 000000 17 0000000c 09 000001 000001 80 000000 27`;
  assert.deepEqual(read(payload, 5), ['9 at 5: 17', '9 at 7: 27']);
});

test('the size behind the last message may be missing', () => {
  assert.deepEqual(read(TWO.subarray(0, -4), 1000).length, 2);
  assert.deepEqual(read(TWO.subarray(0, -1), 1000).length, 2);
  assert.deepEqual(read(hex``, 1000), []);
});

test('a message that is not whole is a ParseError', () => {
  assert.throws(() => read(TWO.subarray(0, -5), 1000), ParseError);
});

test('arbitrary bytes give messages or a ParseError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (payload) => {
      try {
        read(payload, 0);
      } catch (error) {
        assert.ok(error instanceof ParseError, String(error));
      }
    }),
  );
});
