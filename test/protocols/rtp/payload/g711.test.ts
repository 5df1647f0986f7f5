import assert from 'node:assert/strict';
import { test } from 'node:test';
import { G711Depacketizer } from '../../../../protocols/rtp/payload/g711.ts';
import { hex, toHex } from '../../../support/hex.ts';
import { UnitLog } from '../../../support/unit-log.ts';

const TRACK = { kind: 'audio', codec: 'pcma', sampleRate: 8000, channels: 1 } as const;

function open() {
  return new UnitLog((receiver) => new G711Depacketizer(receiver, TRACK));
}

test('a packet is a unit, of any length, at its own time', () => {
  const log = open();
  const twentyMs = new Uint8Array(160).fill(0xd5);
  log.push(twentyMs, { timestamp: 0xffff_ff60 });
  log.push(hex`d5`, { timestamp: 0 });
  assert.deepEqual(log.units, [
    [toHex(twentyMs), 0xffff_ff60],
    ['d5', 0],
  ]);
  assert.deepEqual(log.tracks, [TRACK]);
});

test('lost, late and empty packets cost nothing but themselves', () => {
  const log = open();
  log.push(hex`01`, { timestamp: 0 });
  log.push(hex``, { timestamp: 160 });
  log.push(hex`02`, { timestamp: 480, gap: true });
  assert.deepEqual(log.data, ['01', '02']);
  assert.equal(log.depacketizer.damagedUnits, 0);
});
