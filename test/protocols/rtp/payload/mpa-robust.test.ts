import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../../codecs/bytes.ts';
import { MpaRobustDepacketizer } from '../../../../protocols/rtp/payload/mpa-robust.ts';
import { adusOf, MP3_FRAMES } from '../../../codecs/mpeg-audio/mp3-fixture.ts';
import { hex } from '../../../support/hex.ts';
import { UnitLog } from '../../../support/unit-log.ts';

const ADUS = adusOf(MP3_FRAMES);
/** 576 samples at 22.05 kHz on a clock of 90 kHz. */
const FRAME_TICKS = 2351.020_408;

function open() {
  return new UnitLog((receiver) => new MpaRobustDepacketizer(receiver, 90_000));
}

/** RFC 5219 §4.2: one byte of descriptor below 64 bytes, else two. */
function described(adu: Uint8Array, piece = adu, isLater = false): Uint8Array {
  const c = isLater ? 0x80 : 0;
  const { length } = adu;
  const descriptor = length < 64 ? [c | length] : [c | 0x40 | (length >> 8), length & 0xff];
  return concat(Uint8Array.from(descriptor), piece);
}

function lengths(log: ReturnType<typeof open>): number[] {
  return log.data.map((data) => data.length / 2);
}

test('four ADUs in a packet are MP3 frames again, at their times, over the wrap of the clock', () => {
  const log = open();
  for (let n = 0; n < 16; n += 4) {
    const payload = concat(...ADUS.slice(n, n + 4).map((adu) => described(adu)));
    log.push(payload, { timestamp: (0xffff_f000 + Math.round(n * FRAME_TICKS)) % 2 ** 32 });
  }
  assert.deepEqual(
    lengths(log),
    MP3_FRAMES.slice(0, 14).map(({ length }) => length),
  );
  assert.deepEqual(
    log.units.map(([, timestamp]) => (timestamp + 0x1000) >>> 0),
    log.units.map((_, n) => Math.round(n * FRAME_TICKS)),
  );
  const track = { kind: 'audio', codec: 'mp3', sampleRate: 22_050, channels: 1 };
  assert.deepEqual(log.tracks, [track]);
});

test('an ADU over three packets', () => {
  const whole = open();
  const log = open();
  for (const [n, adu] of ADUS.entries()) {
    const timestamp = n * 2351;
    whole.push(described(adu), { timestamp });
    for (const at of [0, 20, 40]) {
      const piece = adu.subarray(at, at === 40 ? undefined : at + 20);
      if (piece.length > 0) log.push(described(adu, piece, at > 0), { timestamp });
    }
  }
  assert.deepEqual(log.units, whole.units);
  assert.equal(log.depacketizer.damagedUnits, 0);
});

for (const [name, kept] of [
  ['start', [1, 2]],
  ['middle', [0, 2]],
  ['end', [0, 1]],
] as const) {
  test(`an ADU that lost its ${name} is dropped, and only that one`, () => {
    const log = open();
    const adu = ADUS[8]!;
    let before = -1;
    for (const n of kept) {
      const piece = adu.subarray(n * 25, n * 25 + 25);
      log.push(described(adu, piece, n > 0), { timestamp: 0, gap: n !== before + 1 });
      before = n;
    }
    log.push(concat(...ADUS.slice(0, 2).map((each) => described(each))), {
      timestamp: 2351,
      gap: before !== 2,
    });
    log.push(described(ADUS[2]!), { timestamp: 7053 });
    assert.deepEqual(lengths(log).slice(0, 2), [78, 79]);
    assert.ok(log.depacketizer.damagedUnits >= 1);
  });
}

test('interleaved ADUs are refused, in words', () => {
  const log = open();
  const interleaved = ADUS[0]!.slice();
  interleaved[0] = 3;
  log.push(described(interleaved));
  log.push(described(ADUS[0]!));
  assert.match(log.depacketizer.refusal ?? '', /interleaved/);
  assert.deepEqual(log.units, []);
});

test('what is no ADU is counted, and the next one is read', () => {
  const log = open();
  for (const adu of ADUS.slice(0, 3)) log.push(described(adu));
  log.push(described(hex`ffffffffff`));
  log.push(described(ADUS[0]!));
  log.push(described(ADUS[1]!));
  log.push(described(ADUS[2]!));
  assert.equal(log.depacketizer.damagedUnits, 1);
  assert.ok(log.units.length >= 4);
});

test('arbitrary payloads never throw', () => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom(...ADUS).map((adu) => described(adu)),
    fc.constantFrom(...ADUS).map((adu) => described(adu, adu.subarray(0, 20))),
  );
  const packet = fc.record({ payload, timestamp: fc.nat(2), gap: fc.boolean() });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 20 }), (packets) => {
      const log = open();
      log.push(described(ADUS[0]!));
      for (const { payload: bytes, ...fields } of packets) log.push(bytes, fields);
    }),
  );
});
