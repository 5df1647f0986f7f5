import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { pcrBase, TsPacket } from '../../../protocols/mpegts/ts-packet.ts';
import { hex } from '../../support/hex.ts';
import { tsPacket } from '../../support/ts-packets.ts';

function read(head: Uint8Array): TsPacket | undefined {
  const bytes = new Uint8Array(200).fill(0xff);
  bytes.set(head, 5);
  const packet = new TsPacket();
  return packet.read(bytes, 5) ? packet : undefined;
}

describe('a packet’s header', () => {
  // ffmpeg 5.1: the PAT; the first packet of a picture; stuffing before a PES packet's end.
  const cases = [
    { name: 'a PAT', bytes: hex`47 4000 10 00`, want: { pid: 0, isUnitStart: true, start: 9 } },
    {
      name: 'a picture, with PCR and random access indicator',
      bytes: hex`47 4100 30 07 50 000079f3 fe00 000001e0`,
      want: { pid: 0x100, isUnitStart: true, start: 17, pcrAt: 11 },
    },
    {
      name: 'stuffing only',
      bytes: hex`47 0100 35 01 00`,
      want: { pid: 0x100, continuityCounter: 5, start: 11 },
    },
    { name: 'one byte of stuffing', bytes: hex`47 0100 35 00`, want: { start: 10, pcrAt: 0 } },
    {
      name: 'no payload',
      bytes: hex`47 1fff 20 b7 10 000079f3 fe00`,
      want: { hasPayload: false, start: 193, pcrAt: 11 },
    },
    { name: 'a discontinuity', bytes: hex`47 0100 30 01 80`, want: { isDiscontinuity: true } },
    { name: 'an error', bytes: hex`47 8100 10`, want: { hasError: true, pid: 0x100 } },
    { name: 'scrambled', bytes: hex`47 0100 d0`, want: { isScrambled: true } },
    { name: 'a PCR that does not fit', bytes: hex`47 0100 30 06 10`, want: { pcrAt: 0 } },
  ];
  for (const { name, bytes, want } of cases) {
    test(name, () => {
      const packet = read(bytes);
      assert.ok(packet);
      assert.deepEqual({ ...packet, ...want }, { ...packet });
      assert.equal(packet.end, 193);
    });
  }

  test('an adaptation field longer than the packet', () => {
    assert.equal(read(hex`47 0100 30 b8`), undefined);
  });
});

test('the PCR’s 33 bits, and not its extension', () => {
  for (const ticks of [0, 1, 133_200, 2 ** 32 - 1, 2 ** 32, 2 ** 33 - 1]) {
    const bytes = tsPacket({ pid: 1, pcr: ticks });
    assert.equal(pcrBase(bytes, 6), ticks);
  }
});

test('arbitrary packets: the payload lies within', () => {
  const packet = new TsPacket();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 188, maxLength: 188 }), (bytes) => {
      if (!packet.read(bytes, 0)) return;
      assert.ok(packet.start >= 4 && packet.start <= packet.end && packet.end === 188);
      assert.ok(packet.pcrAt === 0 || packet.pcrAt + 6 <= 188);
    }),
  );
});
