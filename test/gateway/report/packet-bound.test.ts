import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PacketBound } from '../../../gateway/report/packet-bound.ts';

describe('PacketBound', () => {
  it('takes packets up to the bound, however they are cut', () => {
    const bytes = Buffer.concat([
      Buffer.of(0xc0, 0),
      Buffer.of(0x30, 0xc8, 0x01),
      Buffer.alloc(200, 0xff),
      Buffer.of(0xc0, 0),
    ]);
    for (let at = 0; at <= bytes.length; at += 1) {
      const bound = new PacketBound(200);
      assert.ok(bound.accepts(bytes.subarray(0, at)) && bound.accepts(bytes.subarray(at)));
    }
  });

  it('refuses one byte more, and a length that does not end', () => {
    assert.equal(new PacketBound(200).accepts(Buffer.of(0x30, 0xc9, 0x01)), false);
    assert.equal(new PacketBound(2 ** 30).accepts(Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80)), false);
    assert.equal(new PacketBound(200).accepts(Buffer.of(0xc0, 0, 0x30, 0xff, 0xff, 0x7f)), false);
  });
});
