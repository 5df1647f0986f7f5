import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpusDepacketizer } from '../../../../protocols/rtp/payload/opus.ts';
import { hex } from '../../../support/hex.ts';
import { UnitLog } from '../../../support/unit-log.ts';

/** The first bytes of GStreamer 1.22's packets: opusenc, 48 kHz; CELT of 20 ms. */
const MONO = hex`f8b42df36befbd`;
const STEREO = hex`fcb4065bc531c7`;

function open(channels: 1 | 2) {
  return new UnitLog((receiver) => new OpusDepacketizer(receiver, channels));
}

test('a packet is a unit, at its own time', () => {
  const log = open(1);
  log.push(MONO, { timestamp: 0xffff_fc40 });
  log.push(MONO, { timestamp: 0, gap: true });
  assert.deepEqual(log.units, [
    ['f8b42df36befbd', 0xffff_fc40],
    ['f8b42df36befbd', 0],
  ]);
  assert.equal(log.tracks.length, 1);
  assert.equal(log.tracks[0], log.depacketizer.track);
});

test('the track has one identification header for each number of channels', () => {
  assert.deepEqual(open(2).depacketizer.track, {
    kind: 'audio',
    codec: 'opus',
    config: hex`4f70757348656164 01 02 0000 80bb0000 0000 00`,
    sampleRate: 48_000,
    channels: 2,
  });
  assert.equal(open(1).depacketizer.track.config[9], 1);
});

test('stereo that was not announced makes a new track; mono that was not does not', () => {
  const log = open(1);
  log.push(MONO);
  log.push(STEREO);
  log.push(MONO);
  log.push(STEREO);
  assert.deepEqual(
    log.tracks.map((track) => track.kind === 'audio' && track.channels),
    [1, 2],
  );
  const stereo = open(2);
  stereo.push(MONO);
  assert.equal(stereo.tracks.length, 1);
});

test('an empty packet is silence', () => {
  const log = open(1);
  log.push(hex``);
  assert.deepEqual(log.units, []);
  assert.equal(log.depacketizer.damagedUnits, 0);
});
