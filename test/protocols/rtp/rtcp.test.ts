import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { Reception } from '../../../protocols/rtp/reception.ts';
import { parseRtcp, serializeReceiverReport } from '../../../protocols/rtp/rtcp.ts';
import { cpuMs } from '../../support/cpu-ms.ts';
import { hex, toHex } from '../../support/hex.ts';
import { rtpPacket } from '../../support/rtp-packets.ts';

/** NTP time 3 975 000 000.5 s is 1 766 011 200.5 s of 1970. */
const SENDER_REPORT = hex`80 c8 0006 cafebabe ${(3_975_000_000).toString(16)} 80000000 00015f90 00000001 00000002`;
const SDES = hex`81 ca 0003 cafebabe 01 03 636d72 00 0000`;
const BYE = hex`81 cb 0001 cafebabe`;

function parse(bytes: Uint8Array): ReturnType<typeof parseRtcp> {
  return parseRtcp(bytes, 0, bytes.length);
}

test('reads a sender report and what goes with it', () => {
  assert.deepEqual(parse(concat(SENDER_REPORT, SDES)), {
    senderReport: {
      ssrc: 0xcafebabe,
      wallUs: (3_975_000_000 - 2_208_988_800) * 1_000_000 + 500_000,
      ntpMiddle: (((3_975_000_000 & 0xffff) << 16) | 0x8000) >>> 0,
      rtpTimestamp: 90_000,
    },
    byes: undefined,
  });
});

test('reads a sender report in the middle of a buffer', () => {
  const buffer = concat(hex`24 01 001c`, SENDER_REPORT, hex`24`);
  assert.equal(parseRtcp(buffer, 4, 4 + SENDER_REPORT.length).senderReport?.rtpTimestamp, 90_000);
});

test('a compound of nothing but BYE is read in no time', () => {
  const costMs = (count: number) => {
    const bytes = concat(...new Array<Uint8Array>(count).fill(BYE));
    // The best of some: the collector of garbage wants the processor, too.
    const attempts = Array.from({ length: 5 }, () => {
      const sinceMs = cpuMs();
      assert.equal(parse(bytes).byes?.length, count);
      return cpuMs() - sinceMs;
    });
    return Math.min(...attempts);
  };
  costMs(1000);
  const small = costMs(800);
  const large = costMs(8000);
  assert.ok(large < 30 * small + 20, `${large} ms, and ${small} ms for a tenth of it`);
});

test('reads BYE alone and behind a report', () => {
  assert.deepEqual(parse(BYE).byes, [0xcafebabe]);
  assert.deepEqual(parse(concat(SENDER_REPORT, SDES, BYE)).byes, [0xcafebabe]);
  assert.deepEqual(parse(hex`82 cb 0001 cafebabe`).byes, [0xcafebabe], 'a count past the end');
  assert.deepEqual(parse(hex`80 cb 0001 cafebabe`).byes, [], 'nobody named');
});

const nothing = [
  ['nothing', hex``],
  ['a receiver report', hex`80 c9 0001 cafebabe`],
  ['half a sender report', SENDER_REPORT.slice(0, 20)],
  ['a sender report whose length is too short', hex`80 c8 0001 cafebabe 00000000 00000000`],
  ['a length past the end', hex`81 cb ffff cafebabe`],
  ['version 1', hex`41 cb 0001 cafebabe`],
] as const;

for (const [name, bytes] of nothing) {
  test(`finds no news in ${name}`, () => {
    assert.deepEqual(parse(bytes), { senderReport: undefined, byes: undefined });
  });
}

test('arbitrary bytes never throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void parse(bytes)));
  const begun = fc.uint8Array({ maxLength: 60 }).map((rest) => concat(hex`80 c8`, rest));
  fc.assert(fc.property(begun, (bytes) => void parse(bytes)));
});

test('writes a receiver report with its CNAME, behind the headroom', () => {
  const reception = new Reception();
  reception.note(rtpPacket({ sequenceNumber: 0xfffe, ssrc: 0xcafebabe }), 0);
  reception.note(rtpPacket({ sequenceNumber: 1, ssrc: 0xcafebabe }), 0);
  const report = { ntpMiddle: 0x11223344, ageMs: 2000 };
  const bytes = serializeReceiverReport(reception, 0x01020304, report, 4);
  assert.equal(
    toHex(bytes),
    toHex(hex`
      00000000
      81 c9 0007 01020304
        cafebabe 80 000002 00010001 00000000 11223344 00020000
      81 ca 0004 01020304 01 06 736c75696365 00 000000`),
  );
});

test('a receiver report before any sender report has no time of one', () => {
  const reception = new Reception();
  reception.note(rtpPacket({ sequenceNumber: 1 }), 0);
  const bytes = serializeReceiverReport(reception, 1, undefined, 0);
  assert.equal(toHex(bytes.subarray(24, 32)), '0000000000000000');
});
