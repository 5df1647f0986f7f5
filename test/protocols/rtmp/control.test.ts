import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParseError } from '../../../codecs/errors.ts';
import {
  controlMessage,
  parseControlValue,
  parseUserControl,
  userControlMessage,
} from '../../../protocols/rtmp/control.ts';
import { hex, toHex } from '../../support/hex.ts';

test('control messages are four bytes on message stream 0', () => {
  const { payload, ...rest } = controlMessage(3, 0xfedcba98);
  assert.equal(toHex(payload), 'fedcba98');
  assert.deepEqual(rest, { typeId: 3, timestampMs: 0, messageStreamId: 0 });
  assert.equal(parseControlValue(payload), 0xfedcba98);
  // Set Peer Bandwidth has a fifth byte.
  assert.equal(parseControlValue(hex`002625a0 02`), 2_500_000);
  assert.throws(() => parseControlValue(hex`000000`), ParseError);
});

test('user control messages are an event and its data', () => {
  const { payload } = userControlMessage(7, hex`01020304`);
  assert.equal(toHex(payload), '000701020304');
  assert.deepEqual(parseUserControl(payload), { event: 7, data: hex`01020304` });
  assert.throws(() => parseUserControl(hex`00`), ParseError);
});
