import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SsrcGuard } from '../../../protocols/rtp/ssrc-guard.ts';
import { rtpPacket } from '../../support/rtp-packets.ts';

/** `ssrc number [ms]` each; `+` taken, `-` not. */
function admitted(...packets: readonly (readonly [number, number, number?])[]): string {
  const guard = new SsrcGuard();
  let nowMs = 5000;
  return packets
    .map(([ssrc, sequenceNumber, passedMs = 1]) => {
      nowMs += passedMs;
      return guard.admit(rtpPacket({ ssrc, sequenceNumber }), nowMs) ? '+' : '-';
    })
    .join('');
}

const rows: readonly (readonly [
  string,
  readonly (readonly [number, number, number?])[],
  string,
])[] = [
  [
    'one source',
    [
      [7, 65_534],
      [7, 65_535],
      [7, 0],
    ],
    '+++',
  ],
  [
    'a stray packet of another',
    [
      [7, 1],
      [9, 500],
      [7, 2],
      [7, 3],
    ],
    '+-++',
  ],
  [
    'a second sender all along',
    [
      [7, 1],
      [9, 50],
      [7, 2],
      [9, 51],
      [7, 3],
      [9, 52],
    ],
    '+-+-+-',
  ],
  [
    'junk of ever other names',
    [
      [7, 1],
      [8, 3],
      [9, 4],
      [10, 5],
      [7, 2],
    ],
    '+---+',
  ],
  [
    'a restart after a pause',
    [
      [7, 1],
      [9, 500, 200],
      [9, 501],
    ],
    '+++',
  ],
  [
    'a restart without a pause: from the second packet on',
    [
      [7, 1],
      [9, 500],
      [9, 501],
    ],
    '+-+',
  ],
  [
    'two senders that send their pictures in turn: one is received',
    [
      ...[7, 8, 9].map((number) => [7, number] as const),
      ...[50, 51, 52].map((number) => [9, number] as const),
      ...[10, 11, 12].map((number) => [7, number] as const),
      ...[53, 54, 55].map((number) => [9, number] as const),
      ...[13, 14, 15].map((number) => [7, number] as const),
    ],
    '+++-++---+++---',
  ],
  [
    'another name where the old one left off',
    [
      [7, 1],
      [9, 2],
      [9, 3],
    ],
    '+++',
  ],
  [
    'a late packet of the old one',
    [
      [7, 1],
      [7, 2],
      [9, 3],
      [7, 2],
    ],
    '+++-',
  ],
];
for (const [name, packets, want] of rows) {
  test(name, () => assert.equal(admitted(...packets), want));
}
