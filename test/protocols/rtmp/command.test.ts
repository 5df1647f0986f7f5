import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { commandMessage, parseCommand, statusOf } from '../../../protocols/rtmp/command.ts';
import { MessageType } from '../../../protocols/rtmp/message.ts';
import { hex, toHex } from '../../support/hex.ts';

function parse(payload: Uint8Array, typeId: number = MessageType.commandAmf0) {
  return parseCommand({ typeId, timestampMs: 0, messageStreamId: 0, payload });
}

test('a command is a name, a transaction id and values', () => {
  const { payload, messageStreamId, typeId } = commandMessage(1, 'publish', 5, null, 'cam', 'live');
  assert.equal(
    toHex(payload),
    toHex(hex`02 0007 7075626c697368 00 4014000000000000 05 02 0003 63616d 02 0004 6c697665`),
  );
  assert.equal(messageStreamId, 1);
  assert.deepEqual(parse(payload, typeId), {
    name: 'publish',
    transactionId: 5,
    values: [null, 'cam', 'live'],
  });
});

const tolerated = [
  {
    name: 'no transaction id (ffmpeg -listen 1, onBWDone)',
    payload: serializeAmf0('onBWDone', null, 8192),
    want: { name: 'onBWDone', transactionId: 0, values: [null, 8192] },
  },
  {
    name: 'a name alone',
    payload: serializeAmf0('close'),
    want: { name: 'close', transactionId: 0, values: [] },
  },
  {
    name: 'a value of AMF3 at the end',
    payload: concat(serializeAmf0('_result', 1, null), hex`11 04 01`),
    want: { name: '_result', transactionId: 1, values: [null] },
  },
  {
    name: 'a truncated value at the end',
    payload: serializeAmf0('_result', 4, null, 1).slice(0, -3),
    want: { name: '_result', transactionId: 4, values: [null] },
  },
];

for (const { name, payload, want } of tolerated) {
  test(`tolerates ${name}`, () => {
    assert.deepEqual(parse(payload), want);
    assert.deepEqual(parse(concat(hex`00`, payload), MessageType.commandAmf3), want);
    assert.deepEqual(parse(payload, MessageType.commandAmf3), want);
  });
}

test('what has no name is no command', () => {
  assert.equal(parse(hex``), undefined);
  assert.equal(parse(serializeAmf0(5, 'x')), undefined);
  assert.equal(parse(serializeAmf0('x'), MessageType.dataAmf0), undefined);
});

test('a status is found wherever it stands', () => {
  const info = { level: 'error', code: 'A.B', description: 'words' };
  const want = { code: 'A.B', level: 'error', text: 'words', words: 'A.B (words)' };
  for (const values of [[null, info], [info], [{ fmsVer: 'x' }, info]]) {
    assert.deepEqual(statusOf({ name: 'onStatus', transactionId: 0, values }), want);
  }
  assert.deepEqual(statusOf({ name: 'onStatus', transactionId: 0, values: [null] }), {
    code: '',
    level: '',
    text: '',
    words: 'no reason given',
  });
});

test('arbitrary bytes are a command or none', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(fc.constantFrom(...tolerated), fc.nat(), fc.nat(255))
      .map(([{ payload }, at, byte]) => payload.with(at % payload.length, byte)),
  );
  fc.assert(
    fc.property(bytes, (payload) => {
      const command = parse(payload);
      assert.ok(command === undefined || typeof command.transactionId === 'number');
    }),
  );
});
