import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { adtsFrames } from '../../../../codecs/aac/adts.ts';
import { parseStreamMuxConfig, plainStreamMuxConfig } from '../../../../codecs/aac/latm.ts';
import { loasElements } from '../../../../codecs/aac/loas.ts';
import { concat } from '../../../../codecs/bytes.ts';
import {
  LatmDepacketizer,
  type LatmPayloadFormat,
} from '../../../../protocols/rtp/payload/latm.ts';
import { ADTS, LOAS } from '../../../codecs/aac/latm-fixture.ts';
import { bits, bitsOf, number } from '../../../support/bits.ts';
import { hex, toHex } from '../../../support/hex.ts';
import { UnitLog } from '../../../support/unit-log.ts';

/** AAC-LC, 48 kHz, stereo, out of band. */
const PLAIN: LatmPayloadFormat = {
  clockRate: 48_000,
  isConfigInBand: false,
  config: plainStreamMuxConfig(hex`1190`),
};
const IN_BAND: LatmPayloadFormat = { clockRate: 8000, isConfigInBand: true, config: undefined };

function open(format: LatmPayloadFormat = PLAIN) {
  return new UnitLog((receiver) => new LatmDepacketizer(receiver, format));
}

/** PayloadLengthInfo and the frame. */
function element(frame: Uint8Array): Uint8Array {
  const escapes = new Uint8Array(Math.floor(frame.length / 255)).fill(255);
  return concat(escapes, Uint8Array.of(frame.length % 255), frame);
}

/** Three packets' worth of frame; the marker is on the last. */
const LONG = element(Uint8Array.from({ length: 300 }, (_, n) => n));
const PIECES = [LONG.subarray(0, 100), LONG.subarray(100, 200), LONG.subarray(200)] as const;

test('one element in a packet, as GStreamer 1.22 sends it', () => {
  const log = open({
    ...PLAIN,
    config: parseStreamMuxConfig(hex`40002410adca00`),
    clockRate: 44_100,
  });
  // The beginning of a frame of avenc_aac ! rtpmp4apay.
  const frame = hex`01328cdacadb256c`;
  log.push(element(frame), { timestamp: 7, marker: true });
  assert.deepEqual(log.units, [[toHex(frame), 7]]);
});

test('the configuration in band: ffmpeg’s elements, bit for bit', () => {
  const log = open(IN_BAND);
  assert.equal(log.depacketizer.track, undefined);
  let timestamp = 0xffff_fc00;
  for (const bytes of loasElements(LOAS)) {
    log.push(bytes, { timestamp, marker: true });
    timestamp += 1024;
  }
  assert.deepEqual(log.data, [...adtsFrames(ADTS)].map(toHex));
  assert.deepEqual(
    log.units.slice(0, 3).map(([, at]) => at),
    [0xffff_fc00, 0, 1024],
  );
  const track = { kind: 'audio', codec: 'aac', config: hex`1588`, sampleRate: 8000, channels: 1 };
  assert.deepEqual(log.tracks, [track]);
});

test('joined in the middle, nothing comes before the configuration, and nothing is damaged', () => {
  const log = open(IN_BAND);
  const [first, second] = loasElements(LOAS);
  log.push(second!, { timestamp: 0, marker: true });
  assert.deepEqual(log.units, []);
  assert.equal(log.depacketizer.damagedUnits, 0);
  log.push(first!, { timestamp: 1024, marker: true });
  assert.equal(log.units.length, 1);
});

test('several frames in an element are a frame apart, on a clock that they do not fit', () => {
  // Three subframes at 44.1 kHz on a clock of 90 kHz.
  const config = bits('0 1', number(2, 6), '0000 000', bitsOf(hex`1210`), '000 11111111 0 0');
  const log = open({ ...PLAIN, clockRate: 90_000, config: parseStreamMuxConfig(config) });
  log.push(hex`01 aa 02 bbbb 01 cc`, { timestamp: 0xffff_ffff, marker: true });
  assert.deepEqual(log.units, [
    ['aa', 0xffff_ffff],
    ['bbbb', 2089],
    ['cc', 4179],
  ]);
});

test('HE-AAC: frames last as long as those of the core', () => {
  const config = bits(
    '0 1',
    number(1, 6),
    '0000 000',
    bitsOf(hex`2b118800`).slice(0, 25),
    '000',
    '1'.repeat(8),
    '00',
  );
  const log = open({ ...PLAIN, config: parseStreamMuxConfig(config) });
  log.push(hex`01 aa 01 bb`, { timestamp: 0, marker: true });
  assert.deepEqual(log.units, [
    ['aa', 0],
    ['bb', 2048],
  ]);
  assert.equal(log.depacketizer.track?.sampleRate, 48_000);
});

describe('an element over several packets', () => {
  test('is one frame again', () => {
    const log = open();
    for (const [n, piece] of PIECES.entries()) {
      log.push(piece, { timestamp: 9, marker: n === 2 });
    }
    assert.deepEqual(log.units, [[toHex(LONG.subarray(2)), 9]]);
  });

  for (const [name, kept] of [
    ['start', [1, 2]],
    ['middle', [0, 2]],
    ['end', [0, 1]],
  ] as const) {
    test(`that lost its ${name} is dropped, and only that one`, () => {
      const log = open();
      for (const [n, piece] of PIECES.entries()) log.push(piece, { timestamp: 0, marker: n === 2 });
      let last = -1;
      for (const n of kept) {
        log.push(PIECES[n], { timestamp: 1024, marker: n === 2, gap: n !== last + 1 });
        last = n;
      }
      log.push(element(hex`aabb`), { timestamp: 2048, marker: true, gap: last !== 2 });
      log.push(element(hex`ccdd`), { timestamp: 3072, marker: true });
      // After a loss at its end nobody knows whether the next packet is a beginning.
      assert.deepEqual(log.data.slice(1), name === 'end' ? ['ccdd'] : ['aabb', 'ccdd']);
      assert.equal(log.depacketizer.damagedUnits, 1);
    });
  }

  test('past 64 KiB is dropped, and the next one is read', () => {
    const log = open();
    const piece = new Uint8Array(60_000).fill(0xff);
    for (let n = 0; n < 20; n += 1) log.push(piece, { timestamp: 0 });
    log.push(element(hex`aabb`), { timestamp: 1024, marker: true });
    assert.deepEqual(log.data, ['aabb']);
    assert.equal(log.depacketizer.damagedUnits, 1);
  });
});

test('without markers a new timestamp ends an element', () => {
  const log = open();
  for (let n = 0; n < 4; n += 1) log.push(element(hex`aabb`), { timestamp: n * 1024 });
  log.push(element(hex`ccdd`), { timestamp: 5 * 1024, gap: true });
  assert.deepEqual(
    log.units.map(([, at]) => at),
    [0, 1024, 2048, 3072],
  );
  assert.equal(log.depacketizer.damagedUnits, 0);
});

test('a lost packet between whole elements costs nothing else', () => {
  const log = open();
  log.push(element(hex`aa`), { timestamp: 0, marker: true });
  log.push(element(hex`bb`), { timestamp: 2048, marker: true, gap: true });
  assert.deepEqual(log.data, ['aa', 'bb']);
  assert.equal(log.depacketizer.damagedUnits, 0);
});

test('an element that is none is counted, and the next one is read', () => {
  const log = open();
  log.push(hex`05 aa`, { timestamp: 0, marker: true });
  log.push(element(hex`bb`), { timestamp: 1024, marker: true });
  assert.deepEqual(log.data, ['bb']);
  assert.equal(log.depacketizer.damagedUnits, 1);
});

test('what is not supported is refused, in words, once', () => {
  const log = open(IN_BAND);
  const twoPrograms = bits('0', '0 1 000000 0001 000', bitsOf(hex`1190`));
  for (let n = 0; n < 3; n += 1) log.push(twoPrograms, { timestamp: n * 1024, marker: true });
  assert.match(log.depacketizer.refusal ?? '', /2 programs/);
  assert.equal(log.depacketizer.damagedUnits, 0);
});

test('a single element that is not supported is damage, not another kind of stream', () => {
  const log = open({ ...PLAIN, isConfigInBand: true });
  const twoPrograms = bits('0', '0 1 000000 0001 000', bitsOf(hex`1190`));
  for (let n = 0; n < 12; n += 1) {
    const payload = n % 3 === 2 ? bits('1', bitsOf(element(hex`aabb`))) : twoPrograms;
    log.push(payload, { timestamp: n * 1024, marker: true });
  }
  assert.equal(log.depacketizer.refusal, undefined);
  assert.equal(log.data.length, 4);
  assert.equal(log.depacketizer.damagedUnits, 8);
});

test('arbitrary payloads never throw', () => {
  const packet = fc.record({
    payload: fc.uint8Array({ maxLength: 60 }),
    timestamp: fc.nat(2),
    marker: fc.boolean(),
    gap: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 20 }), fc.boolean(), (packets, isConfigInBand) => {
      const log = open({ ...PLAIN, isConfigInBand });
      for (const { payload, ...fields } of packets) log.push(payload, fields);
    }),
  );
});
