import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reception } from '../../../protocols/rtp/reception.ts';
import { rtpPacket } from '../../support/rtp-packets.ts';

function noteAll(sequenceNumbers: readonly number[]): { reception: Reception; arrivals: string[] } {
  const reception = new Reception();
  const arrivals = sequenceNumbers.map((sequenceNumber) =>
    reception.note(rtpPacket({ sequenceNumber }), 0),
  );
  return { reception, arrivals };
}

const cases = [
  { name: 'in order', numbers: [5, 6, 7], want: ['next', 'next', 'next'], lost: 0, received: 3 },
  {
    name: 'over the wrap',
    numbers: [65_535, 0, 1],
    want: ['next', 'next', 'next'],
    lost: 0,
    received: 3,
  },
  { name: 'one lost', numbers: [5, 7], want: ['next', 'gap'], lost: 1, received: 2 },
  {
    name: 'two lost at the wrap',
    numbers: [65_534, 1],
    want: ['next', 'gap'],
    lost: 2,
    received: 2,
  },
  { name: 'a duplicate', numbers: [5, 5, 6], want: ['next', 'late', 'next'], lost: 0, received: 2 },
  {
    name: 'a late one',
    numbers: [5, 7, 6, 8],
    want: ['next', 'gap', 'late', 'next'],
    lost: 1,
    received: 3,
  },
  {
    name: 'a restart below',
    numbers: [30_000, 100, 101],
    want: ['next', 'restart', 'next'],
    lost: 0,
    received: 3,
  },
  {
    name: 'a restart above',
    numbers: [100, 30_000, 30_001],
    want: ['next', 'restart', 'next'],
    lost: 0,
    received: 3,
  },
] as const;

for (const { name, numbers, want, lost, received } of cases) {
  test(`sequence numbers: ${name}`, () => {
    const { reception, arrivals } = noteAll(numbers);
    assert.deepEqual(arrivals, want);
    assert.equal(reception.lostPackets, lost);
    assert.equal(reception.receivedPackets, received);
  });
}

test('the extended highest sequence number counts the wraps', () => {
  const { reception } = noteAll([65_535, 0, 1]);
  assert.equal(reception.extendedHighest, 0x10001);
});

test('the fraction lost is that since the last report', () => {
  const { reception } = noteAll([0, 1, 2, 7]);
  assert.equal(reception.takeFractionLost(), 128, 'four of eight');
  reception.note(rtpPacket({ sequenceNumber: 8 }), 0);
  assert.equal(reception.takeFractionLost(), 0);
  assert.equal(reception.takeFractionLost(), 0, 'nothing came');
});

test('jitter is 0 when packets arrive as they were sent', () => {
  const reception = new Reception();
  for (let n = 0; n < 50; n += 1) {
    const packet = rtpPacket({ sequenceNumber: n, timestamp: 0xfffff000 + n * 3600 });
    reception.note(packet, 1000 + n * 3600);
  }
  assert.equal(reception.jitter, 0);
});

test('jitter follows RFC 3550 §A.8', () => {
  const reception = new Reception();
  reception.note(rtpPacket({ sequenceNumber: 0, timestamp: 0 }), 0);
  reception.note(rtpPacket({ sequenceNumber: 1, timestamp: 3600 }), 3600 + 160);
  assert.equal(reception.jitter, 10);
  reception.note(rtpPacket({ sequenceNumber: 2, timestamp: 7200 }), 7200);
  assert.equal(reception.jitter, 10 + (160 - 10) / 16);
});
