import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  binaryFrameHeaderBytes,
  writeBinaryFrameHeader,
} from '../../../protocols/websocket/binary-frame.ts';

/** RFC 6455 §5.7 has the first, 256 bytes and 64 KiB among its examples. */
const cases = [
  [0, '8200'],
  [1, '8201'],
  [125, '827d'],
  [126, '827e007e'],
  [256, '827e0100'],
  [65_535, '827effff'],
  [65_536, '827f0000000000010000'],
  [0x01020304, '827f0000000001020304'],
  [0xfffffffe, '827f00000000fffffffe'],
] as const;

for (const [payloadBytes, wanted] of cases) {
  test(`before ${payloadBytes} bytes`, () => {
    const target = new Uint8Array(14).fill(0xee);
    const length = binaryFrameHeaderBytes(payloadBytes);
    writeBinaryFrameHeader(target, 2, payloadBytes);
    assert.equal(Buffer.from(target).toString('hex'), `eeee${wanted}`.padEnd(28, 'e'));
    assert.equal(length, wanted.length / 2);
  });
}
