import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rc4 } from '../../../protocols/rtmp/rc4.ts';
import { hex } from '../../support/hex.ts';

/** RFC 6229 §2. */
const VECTORS = [
  {
    key: hex`0102030405`,
    at: new Map([
      [0, hex`b2396305f03dc027ccc3524a0a1118a8`],
      [16, hex`6982944f18fc82d589c403a47a0d0919`],
      [1536, hex`d8729db41882259bee4f825325f5a130`],
    ]),
  },
  {
    key: hex`0102030405060708090a0b0c0d0e0f10`,
    at: new Map([
      [0, hex`9ac7cc9a609d1ef7b2932899cde41b97`],
      [16, hex`5248c4959014126a6e8a84f11d1a9e1c`],
      [1536, hex`ffa0b514647ec04f6306b892ae661181`],
    ]),
  },
];

for (const { key, at } of VECTORS) {
  for (const [offset, want] of at) {
    test(`RFC 6229, a key of ${key.length * 8} bits, offset ${offset}`, () => {
      const stream = new Uint8Array(offset + 16);
      new Rc4(key).apply(stream);
      assert.deepEqual(stream.subarray(offset), want);
    });
  }
}

test('the key stream goes on from call to call', () => {
  const key = hex`0102030405`;
  const whole = new Uint8Array(100);
  new Rc4(key).apply(whole);
  const parts = new Uint8Array(100);
  const rc4 = new Rc4(key);
  for (const [from, to] of [
    [0, 1],
    [1, 1],
    [1, 60],
    [60, 100],
  ]) {
    rc4.apply(parts.subarray(from, to));
  }
  assert.deepEqual(parts, whole);
});
