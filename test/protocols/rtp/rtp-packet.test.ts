import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RtpPacket } from '../../../protocols/rtp/rtp-packet.ts';
import { hex, toHex } from '../../support/hex.ts';
import { rtpBytes } from '../../support/rtp-packets.ts';

/** RTP with its header fields, one per group of digits. */
const cases = [
  {
    name: 'the plain header',
    bytes: hex`80 60 1234 00015f90 cafebabe 6742`,
    want: { payloadType: 96, marker: false, payload: '6742' },
  },
  {
    name: 'a marker',
    bytes: hex`80 e0 1234 00015f90 cafebabe 65`,
    want: { payloadType: 96, marker: true, payload: '65' },
  },
  {
    name: 'contributing sources',
    bytes: hex`82 60 1234 00015f90 cafebabe 11111111 22222222 65`,
    want: { payloadType: 96, marker: false, payload: '65' },
  },
  {
    name: 'an ONVIF extension (0xabac, three words)',
    bytes: hex`90 60 1234 00015f90 cafebabe abac 0003 d4f5e6a7 80000000 e0010000 65`,
    want: { payloadType: 96, marker: false, payload: '65' },
  },
  {
    name: 'an empty extension',
    bytes: hex`90 60 1234 00015f90 cafebabe bede 0000 65`,
    want: { payloadType: 96, marker: false, payload: '65' },
  },
  {
    name: 'padding',
    bytes: hex`a0 60 1234 00015f90 cafebabe 65 88 00 00 03`,
    want: { payloadType: 96, marker: false, payload: '6588' },
  },
  {
    name: 'nothing but padding',
    bytes: hex`a0 60 1234 00015f90 cafebabe 00 00 03`,
    want: { payloadType: 96, marker: false, payload: '' },
  },
  {
    name: 'no payload',
    bytes: hex`80 60 1234 00015f90 cafebabe`,
    want: { payloadType: 96, marker: false, payload: '' },
  },
] as const;

for (const { name, bytes, want } of cases) {
  test(`reads a packet with ${name}, anywhere in a buffer`, () => {
    for (const before of [0, 3]) {
      const buffer = new Uint8Array(before + bytes.length + 5).fill(0xee);
      buffer.set(bytes, before);
      const packet = new RtpPacket();
      assert.ok(packet.read(buffer, before, before + bytes.length));
      assert.equal(packet.payloadType, want.payloadType);
      assert.equal(packet.marker, want.marker);
      assert.equal(packet.sequenceNumber, 0x1234);
      assert.equal(packet.timestamp, 90_000);
      assert.equal(packet.ssrc, 0xcafebabe);
      assert.equal(toHex(packet.bytes.subarray(packet.start, packet.end)), want.payload);
    }
  });
}

const broken = [
  ['eleven bytes', hex`80 60 1234 00015f90 cafeba`],
  ['version 1', hex`40 60 1234 00015f90 cafebabe 65`],
  ['contributing sources past the end', hex`8f 60 1234 00015f90 cafebabe 65`],
  ['an extension past the end', hex`90 60 1234 00015f90 cafebabe bede ffff 65`],
  ['half an extension header', hex`90 60 1234 00015f90 cafebabe bede`],
  ['more padding than payload', hex`a0 60 1234 00015f90 cafebabe 65 09`],
] as const;

for (const [name, bytes] of broken) {
  test(`refuses ${name}`, () => {
    assert.equal(new RtpPacket().read(bytes, 0, bytes.length), false);
  });
}

test('padding that claims to be zero bytes long takes nothing away', () => {
  const bytes = hex`a0 60 1234 00015f90 cafebabe 65 00`;
  const packet = new RtpPacket();
  assert.ok(packet.read(bytes, 0, bytes.length));
  assert.equal(packet.end - packet.start, 2);
});

test('every combination of fields comes back', () => {
  const fields = fc.record({
    sequenceNumber: fc.nat(0xffff),
    timestamp: fc.nat(0xffffffff),
    marker: fc.boolean(),
    payloadType: fc.nat(127),
    ssrc: fc.nat(0xffffffff),
    csrcs: fc.array(fc.nat(0xffffffff), { maxLength: 15 }),
    extensionWords: fc.option(fc.nat(8), { nil: undefined }),
    padding: fc.nat(255),
    payload: fc.uint8Array({ maxLength: 50 }),
  });
  fc.assert(
    fc.property(fields, ({ extensionWords, ...rest }) => {
      const bytes = rtpBytes({
        ...rest,
        ...(extensionWords === undefined ? {} : { extensionWords }),
      });
      const packet = new RtpPacket();
      assert.ok(packet.read(bytes, 0, bytes.length));
      assert.equal(packet.timestamp, rest.timestamp);
      assert.equal(packet.ssrc, rest.ssrc);
      assert.equal(packet.sequenceNumber, rest.sequenceNumber);
      assert.deepEqual(bytes.subarray(packet.start, packet.end), rest.payload);
    }),
  );
});

test('arbitrary bytes are a packet within their bounds, or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const packet = new RtpPacket();
      if (!packet.read(bytes, 0, bytes.length)) return;
      assert.ok(packet.start >= 12 && packet.start <= packet.end && packet.end <= bytes.length);
    }),
  );
});
