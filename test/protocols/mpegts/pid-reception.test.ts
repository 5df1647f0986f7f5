import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PidReception } from '../../../protocols/mpegts/pid-reception.ts';
import { TsPacket } from '../../../protocols/mpegts/ts-packet.ts';
import { tsPacket } from '../../support/ts-packets.ts';

/** `5`: a packet with that counter; `5d`: which announces a jump; `5o`: with another payload; `-5`: with none; `!`: a gap was told. */
function receive(...sent: readonly string[]) {
  const got: string[] = [];
  const reception = new PidReception(1, {
    payload: (bytes) => got.push(String((bytes[3] ?? 0) & 15)),
    gap: () => got.push('!'),
  });
  const packet = new TsPacket();
  for (const text of sent) {
    const bytes = tsPacket({
      pid: 1,
      counter: Math.abs(Number.parseInt(text, 10)),
      ...(text.startsWith('-')
        ? {}
        : { payload: new Uint8Array(100).fill(text.endsWith('o') ? 1 : 0) }),
      discontinuity: text.endsWith('d'),
    });
    packet.read(bytes, 0);
    reception.take(packet, bytes);
  }
  const { continuityErrors, lostPackets, duplicatePackets } = reception;
  return { got: got.join(' '), continuityErrors, lostPackets, duplicatePackets };
}

describe('continuity', () => {
  const nothing = { continuityErrors: 0, lostPackets: 0, duplicatePackets: 0 };
  const cases = [
    {
      name: 'from any number, and over its wrap',
      sent: ['13', '14', '15', '0', '1'],
      got: '13 14 15 0 1',
      want: {},
    },
    {
      name: 'packets without payload do not count',
      sent: ['3', '-3', '-3', '4'],
      got: '3 4',
      want: {},
    },
    {
      name: 'a loss',
      sent: ['3', '4', '7', '8'],
      got: '3 4 ! 7 8',
      want: { continuityErrors: 1, lostPackets: 2 },
    },
    {
      name: 'a duplicate',
      sent: ['3', '4', '4', '5'],
      got: '3 4 5',
      want: { duplicatePackets: 1 },
    },
    {
      name: 'at most one: another is a loss of fifteen',
      sent: ['3', '3', '3', '4'],
      got: '3 ! 3 4',
      want: { duplicatePackets: 1, continuityErrors: 1, lostPackets: 15 },
    },
    {
      name: 'the same number with another payload, of an encoder that was restarted: no duplicate',
      sent: ['3', '4', '4o', '5'],
      got: '3 4 ! 4 5',
      want: { continuityErrors: 1, lostPackets: 15 },
    },
    { name: 'an announced jump is no error', sent: ['3', '9d', '10'], got: '3 ! 9 10', want: {} },
    { name: 'announced before', sent: ['3', '-3d', '9', '10'], got: '3 ! 9 10', want: {} },
    { name: 'announced, and none', sent: ['3', '4d', '5'], got: '3 4 5', want: {} },
    {
      name: 'announced, with the same number: no duplicate',
      sent: ['3', '3d', '4'],
      got: '3 ! 3 4',
      want: {},
    },
  ];
  for (const { name, sent, got, want } of cases) {
    test(name, () => {
      assert.deepEqual(receive(...sent), { got, ...nothing, ...want });
    });
  }
});
