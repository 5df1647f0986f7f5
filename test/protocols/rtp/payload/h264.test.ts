import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../../codecs/bytes.ts';
import { nalUnits } from '../../../../codecs/nal-units.ts';
import { H264Depacketizer } from '../../../../protocols/rtp/payload/h264.ts';
import { DepacketizerHarness } from '../../../support/depacketizer-harness.ts';
import { hex, toHex } from '../../../support/hex.ts';
import { avcc, fuA, nalUnit, rtpPacket, stapA } from '../../../support/rtp-packets.ts';
import { VIDEO_TRACK } from '../../../support/units.ts';

const { sps: SPS, pps: PPS } = VIDEO_TRACK;
const AUD = hex`09 f0`;
const SEI = hex`06 05 04 deadbeef 80`;
const RECOVERY_POINT = hex`06 06 01 c4 80`;
const IDR = nalUnit(0x65, 3000, 0x11);
const SLICE = nalUnit(0x41, 700, 0x22);
const START_CODE = hex`00000001`;

function harnessWith(sets: readonly Uint8Array[] = [SPS, PPS]): DepacketizerHarness {
  return new DepacketizerHarness((receiver) => new H264Depacketizer(receiver, sets));
}

/** Every way to pack the same picture; each must give the same unit. */
const PICTURE = [AUD, SPS, PPS, SEI, IDR];
const packings: readonly (readonly [name: string, payloads: readonly Uint8Array[]])[] = [
  ['single NAL units', PICTURE],
  ['STAP-A, then fragments', [stapA(AUD, SPS, PPS, SEI), ...fuA(IDR, 1000)]],
  ['STAP-A for each', [...PICTURE.map((unit) => stapA(unit))]],
  ['one STAP-A for all', [stapA(...PICTURE)]],
  ['fragments for all', PICTURE.flatMap((unit) => fuA(unit, 400))],
  ['fragments of one byte', [AUD, SPS, PPS, SEI, ...fuA(IDR.slice(0, 40), 1)]],
  ['a start code before each (Annex B)', PICTURE.map((unit) => concat(START_CODE, unit))],
  ['a start code of three bytes before each', PICTURE.map((unit) => concat(hex`000001`, unit))],
  ['Annex B, all in one packet', [concat(...PICTURE.flatMap((unit) => [START_CODE, unit]))]],
  [
    'start codes behind the SPS (Amcrest IP4M-1051)',
    [AUD, concat(SPS, START_CODE, PPS, START_CODE, SEI), ...fuA(IDR, 1000)],
  ],
  [
    'all behind the SPS, in fragments (Reolink Duo 2, retina#68)',
    [AUD, ...fuA(concat(SPS, START_CODE, PPS, START_CODE, SEI, START_CODE, IDR), 900)],
  ],
  [
    'fragments that are start and end at once (CostarHD, gortsplib#649; OpenIPC, retina#131)',
    PICTURE.map((unit) =>
      concat(Uint8Array.of((unit[0]! & 0xe0) | 28, 0xc0 | (unit[0]! & 0x1f)), unit.subarray(1)),
    ),
  ],
  [
    'all in one fragmented SPS (V380 Pro, macro-video, retina#108)',
    [AUD, ...fuA(concat(SPS, START_CODE, PPS, START_CODE, SEI, START_CODE, IDR), 1400)],
  ],
  [
    'another type in the later fragments’ headers (retina#121, moonfire-nvr#344)',
    [
      AUD,
      SPS,
      PPS,
      SEI,
      ...fuA(IDR, 1000).map((f, n) => (n === 0 ? f : f.with(1, (f[1]! & 0xe0) | 12))),
    ],
  ],
  [
    'an end bit missing',
    [AUD, SPS, PPS, SEI, ...fuA(IDR, 1000).map((f) => f.with(1, f[1]! & 0xbf))],
  ],
];

for (const [name, payloads] of packings) {
  test(`unpacks ${name}`, () => {
    const harness = harnessWith();
    harness.push(3000, payloads);
    const idr = name === 'fragments of one byte' ? IDR.slice(0, 40) : IDR;
    assert.deepEqual(harness.data, [toHex(avcc(AUD, SPS, PPS, SEI, idr))]);
    assert.equal(harness.units[0]?.timestamp, 3000);
    assert.equal(harness.units[0]?.randomAccess, true);
    assert.equal(harness.depacketizer.damagedUnits, 0);
  });
}

test('STAP-B and FU-B leave in the order they come', () => {
  const harness = harnessWith();
  const aggregate = concat(hex`79 0000`, stapA(SPS, PPS).subarray(1));
  const [first, ...others] = fuA(IDR, 2000);
  const fuB = concat(
    Uint8Array.of((first![0]! & 0xe0) | 29, first![1]!),
    hex`0002`,
    first!.subarray(2),
  );
  harness.push(0, [aggregate, fuB, ...others]);
  assert.deepEqual(harness.data, [toHex(avcc(SPS, PPS, IDR))]);
});

test('a unit leaves the moment its marker comes', () => {
  const harness = harnessWith();
  harness.push(0, [IDR]);
  assert.equal(harness.units.length, 1);
  harness.push(3600, [SLICE, SLICE], { marker: false });
  assert.equal(harness.units.length, 1);
});

test('without a marker the next timestamp ends the unit', () => {
  const harness = harnessWith();
  harness.push(0, [SPS, PPS, IDR], { marker: false });
  harness.push(3600, [SLICE], { marker: false });
  harness.push(7200, [SLICE], { marker: false });
  assert.deepEqual(harness.data, [toHex(avcc(SPS, PPS, IDR)), toHex(avcc(SLICE))]);
});

test('parameter sets with markers of their own belong to the next picture (Tapo TC70)', () => {
  const harness = harnessWith();
  harness.pushMarked(0, [SPS, PPS, IDR]);
  harness.push(3600, [SLICE]);
  harness.pushMarked(7200, [SPS, PPS, IDR]);
  const idr = toHex(avcc(SPS, PPS, IDR));
  assert.deepEqual(harness.data, [idr, toHex(avcc(SLICE)), idr]);
  assert.equal(harness.damagedUnits, 0);
});

test('parameter sets with the timestamp of the picture before them (Reolink RLC-822A, retina#13)', () => {
  const harness = harnessWith();
  harness.push(0, [IDR]);
  for (const timestamp of [0, 3600]) {
    harness.push(timestamp, [SPS]);
    harness.push(timestamp, [PPS], { marker: false });
    harness.push(timestamp + 3600, [IDR]);
  }
  const idr = toHex(avcc(SPS, PPS, IDR));
  assert.deepEqual(harness.data, [toHex(avcc(IDR)), idr, idr]);
  assert.deepEqual(harness.timestamps, [0, 3600, 7200]);
});

test('parameter sets with a timestamp of their own belong to the next picture', () => {
  const harness = harnessWith();
  harness.push(100, [SPS], { marker: false });
  harness.push(200, [PPS]);
  harness.push(300, [IDR]);
  assert.deepEqual(harness.data, [toHex(avcc(SPS, PPS, IDR))]);
  assert.equal(harness.units[0]?.timestamp, 300);
});

test('several slices are one picture', () => {
  const harness = harnessWith();
  const second = nalUnit(0x65, 200, 0x33).with(1, 0x40);
  harness.push(0, [IDR, second, ...fuA(second, 60)]);
  assert.deepEqual(harness.data, [toHex(avcc(IDR, second, second))]);
});

test('begins with the first random access point; what came before is nobody’s damage', () => {
  const harness = harnessWith();
  harness.push(0, [SLICE]);
  harness.push(3600, [SPS, PPS, IDR]);
  assert.deepEqual(harness.data, [toHex(avcc(SPS, PPS, IDR))]);
  assert.equal(harness.depacketizer.damagedUnits, 0);
});

// Markers -----------------------------------------------------------------------------------------

const FURTHER = nalUnit(0x65, 300, 0x44).with(1, 0x40);
const FURTHER_P = nalUnit(0x41, 90, 0x55).with(1, 0x40);
const INTERLACED_SPS = hex`6764001eacd940b024fd6022000003000200000300643e28532c`;

test('a marker on every NAL unit, parameter sets too: each picture is one unit (RtspServer, go2rtc#244; obs-rtspserver#199)', () => {
  const harness = harnessWith();
  const idr = toHex(avcc(SPS, PPS, SEI, IDR, FURTHER));
  const picture = toHex(avcc(SLICE, FURTHER_P, FURTHER_P));
  harness.pushMarked(0, [SPS, PPS, SEI, IDR, ...fuA(FURTHER, 100)]);
  harness.pushMarked(3600, [SLICE, FURTHER_P, FURTHER_P]);
  harness.pushMarked(7200, [SPS, PPS, SEI, IDR, FURTHER]);
  harness.pushMarked(10_800, [SLICE]);
  assert.deepEqual(harness.data, [idr, picture, idr]);
  assert.deepEqual(harness.timestamps, [0, 3600, 7200]);
  assert.equal(harness.damagedUnits, 0);
});

test('a marker on every slice: learned from one torn picture, at the start of a GOP (smolrtsp#43)', () => {
  const harness = harnessWith();
  harness.push(0, [SPS, PPS], { marker: false });
  harness.pushMarked(0, [IDR, FURTHER]);
  harness.pushMarked(3600, [SLICE, FURTHER_P]);
  harness.push(7200, [SPS, PPS], { marker: false });
  harness.pushMarked(7200, [IDR, FURTHER]);
  harness.pushMarked(10_800, [SLICE, FURTHER_P]);
  harness.pushMarked(14_400, [SLICE, FURTHER_P]);
  assert.deepEqual(harness.data, [
    toHex(avcc(SPS, PPS, IDR)),
    toHex(avcc(SPS, PPS, IDR, FURTHER)),
    toHex(avcc(SLICE, FURTHER_P)),
  ]);
  assert.equal(harness.damagedUnits, 2, 'the rest of the torn one, and what refers to it');
});

test('a marker on every slice, begun in the middle of a GOP: no picture is torn', () => {
  const harness = harnessWith();
  harness.pushMarked(0, [SLICE, FURTHER_P]);
  harness.push(3600, [SPS, PPS], { marker: false });
  harness.pushMarked(3600, [IDR, FURTHER]);
  harness.pushMarked(7200, [SLICE, FURTHER_P]);
  assert.deepEqual(harness.data, [toHex(avcc(SPS, PPS, IDR, FURTHER))]);
});

test('a marker on every packet, in the middle of fragments too', () => {
  const harness = harnessWith();
  harness.pushMarked(0, [SPS, PPS, ...fuA(IDR, 500)]);
  harness.pushMarked(3600, fuA(SLICE, 200));
  harness.pushMarked(7200, [SLICE]);
  assert.deepEqual(harness.data, [toHex(avcc(SPS, PPS, IDR)), toHex(avcc(SLICE))]);
});

test('once markers are known to lie, a lost packet costs its picture and no half one leaves', () => {
  const harness = harnessWith();
  harness.pushMarked(0, [SPS, PPS, IDR, FURTHER]);
  harness.pushMarked(3600, [SPS, PPS, IDR]);
  harness.push(3600, [FURTHER], { gap: true });
  harness.pushMarked(7200, [SPS, PPS, IDR, FURTHER]);
  harness.pushMarked(10_800, [SLICE]);
  assert.deepEqual(harness.timestamps, [0, 7200]);
  assert.equal(harness.damagedUnits, 1);
});

test('a further slice after a marker that was proven right damages its picture, once', () => {
  const harness = harnessWith();
  harness.push(0, [SPS, PPS, IDR]);
  harness.push(3600, [SLICE]);
  harness.pushMarked(7200, [SLICE, FURTHER_P, FURTHER_P]);
  harness.pushMarked(10_800, [SPS, PPS, IDR, FURTHER]);
  harness.pushMarked(14_400, [SLICE, FURTHER_P]);
  harness.push(18_000, [SLICE]);
  assert.deepEqual(harness.data.slice(3), [
    toHex(avcc(SPS, PPS, IDR, FURTHER)),
    toHex(avcc(SLICE, FURTHER_P)),
  ]);
  assert.equal(harness.damagedUnits, 1);
});

test('two fields with one timestamp are one unit, whether the first has a marker or not', () => {
  for (const marker of [false, true]) {
    const harness = harnessWith([INTERLACED_SPS, PPS]);
    harness.push(0, [INTERLACED_SPS, PPS]);
    for (let n = 0; n < 3; n += 1) {
      harness.push(n * 3600, [n === 0 ? IDR : SLICE], { marker });
      harness.push(n * 3600, [SLICE]);
    }
    harness.push(10_800, [SLICE]);
    const fields = toHex(avcc(SLICE, SLICE));
    const first = toHex(avcc(INTERLACED_SPS, PPS, IDR, SLICE));
    assert.deepEqual(harness.data.slice(0, 3), [first, fields, fields]);
    assert.equal(harness.damagedUnits, 0);
  }
});

test('two pictures with one timestamp stay two', () => {
  const harness = harnessWith();
  harness.push(0, [SPS, PPS, IDR]);
  harness.pushMarked(3600, [SLICE, SLICE]);
  harness.push(7200, [SLICE]);
  assert.deepEqual(harness.timestamps, [0, 3600, 3600, 7200]);
});

test('filler after the marker says nothing of the marker', () => {
  const harness = harnessWith();
  harness.push(0, [SPS, PPS, IDR]);
  harness.push(3600, [SLICE]);
  harness.push(3600, [hex`0c ffff 80`], { marker: false });
  harness.push(7200, [SLICE]);
  assert.equal(harness.units.length, 3, 'the last one left with its marker');
  assert.equal(harness.damagedUnits, 0);
});

test('a recovery point is a random access point', () => {
  const harness = harnessWith();
  harness.push(0, [RECOVERY_POINT, SLICE]);
  assert.equal(harness.units[0]?.randomAccess, true);
  harness.push(1, [SEI, SLICE]);
  assert.equal(harness.units[1]?.randomAccess, false);
});

test('empty payloads and empty NAL units change nothing', () => {
  const harness = harnessWith();
  harness.push(0, [hex``, hex`78 0000`, stapA(SPS, PPS), hex`78`, IDR]);
  assert.deepEqual(harness.data, [toHex(avcc(SPS, PPS, IDR))]);
});

// Parameter sets -------------------------------------------------------------------------------

/** HIK Media Server V3.4, V3.5 and Dahua (lal#74, gortsplib#88). */
test('without sets in the SDP the track is known from the stream', () => {
  const units: string[] = [];
  const receiver = {
    unit: (data: Uint8Array) => {
      units.push(toHex(data));
      return false;
    },
  };
  const depacketizer = new H264Depacketizer(receiver, []);
  assert.equal(depacketizer.track, undefined);
  depacketizer.push(rtpPacket({ timestamp: 0, marker: true, payload: IDR }), false);
  assert.deepEqual(units, [], 'nobody could decode it');
  for (const payload of [SPS, PPS]) {
    depacketizer.push(rtpPacket({ timestamp: 1, payload }), false);
  }
  depacketizer.push(rtpPacket({ timestamp: 1, marker: true, payload: IDR }), false);
  assert.deepEqual(depacketizer.track, VIDEO_TRACK);
  assert.deepEqual(units, [toHex(avcc(SPS, PPS, IDR))]);
});

test('the same sets again leave the track alone', () => {
  const harness = harnessWith();
  for (let n = 0; n < 3; n += 1) harness.push(n * 3600, [SPS, PPS, IDR]);
  assert.equal(new Set(harness.units.map((unit) => unit.track)).size, 1);
});

test('a camera that alternates between two identifiers does not make a new track each time', () => {
  // As PPS 0, with pic_parameter_set_id 1.
  const other = hex`68 52e0f2c8`;
  const harness = harnessWith();
  for (let n = 0; n < 6; n += 1) harness.push(n * 3600, [SPS, n % 2 === 0 ? PPS : other, IDR]);
  const [first, ...later] = harness.units.map((unit) => unit.track);
  assert.equal(new Set(later).size, 1);
  assert.notEqual(first, later[0], 'the other one is news, once');
});

test('other sets make another track, from their own picture on', () => {
  const harness = harnessWith();
  const other = PPS.with(3, 0x40);
  harness.push(0, [SPS, PPS, IDR]);
  harness.push(3600, [SPS, other, IDR]);
  const [before, after] = harness.units.map((unit) => unit.track);
  assert.notEqual(before, after);
  assert.deepEqual(after, { ...VIDEO_TRACK, pps: other });
  assert.equal(harness.depacketizer.track, after);
});

test('a second PPS in every picture does not make a new track each time', () => {
  const harness = harnessWith();
  const second = hex`68 5b83cb20`;
  for (let n = 0; n < 3; n += 1) harness.push(n * 3600, [SPS, PPS, second, IDR]);
  assert.equal(new Set(harness.units.map((unit) => unit.track)).size, 1);
  assert.equal(harness.data[0], toHex(avcc(SPS, PPS, second, IDR)), 'but it is sent on');
});

// Loss ------------------------------------------------------------------------------------------

const FRAGMENTS = fuA(IDR, 500);

const losses = [
  { name: 'its start', keep: [1, 2, 3, 4, 5] },
  { name: 'its middle', keep: [0, 1, 3, 4, 5] },
  { name: 'its end', keep: [0, 1, 2, 3, 4] },
] as const;

for (const { name, keep } of losses) {
  test(`a picture that lost ${name} is dropped, and all up to the next random access point`, () => {
    const harness = harnessWith();
    harness.push(0, [SPS, PPS, IDR]);
    harness.push(3600, [SPS, PPS], { marker: false });
    let last = -1;
    for (const index of keep) {
      const payload = FRAGMENTS[index]!;
      const gap = index !== last + 1;
      harness.push(3600, [payload], { marker: index === FRAGMENTS.length - 1, gap });
      last = index;
    }
    harness.push(7200, [SLICE], { gap: last !== FRAGMENTS.length - 1 });
    harness.push(10_800, [SLICE]);
    harness.push(14_400, [SPS, PPS, IDR]);
    harness.push(18_000, [SLICE]);
    assert.deepEqual(
      harness.units.map((unit) => unit.timestamp),
      [0, 14_400, 18_000],
    );
    assert.equal(harness.depacketizer.damagedUnits, 3);
  });
}

test('after a whole picture was lost, nothing leaves before the next random access point', () => {
  const harness = harnessWith();
  harness.push(0, [SPS, PPS, IDR]);
  harness.push(7200, [SLICE], { gap: true });
  harness.push(10_800, [SPS, PPS, IDR]);
  assert.deepEqual(
    harness.units.map((unit) => unit.timestamp),
    [0, 10_800],
  );
  assert.equal(harness.depacketizer.damagedUnits, 1);
});

test('an IDR picture whose parameter sets were lost is not whole', () => {
  const harness = harnessWith();
  harness.push(0, [SPS, PPS, IDR]);
  harness.push(3600, [IDR], { gap: true });
  assert.equal(harness.units.length, 1);
  assert.equal(harness.depacketizer.damagedUnits, 1);
});

test('directly after a gap a picture is whole when it begins with its SPS or delimiter', () => {
  for (const payloads of [
    [SPS, PPS, IDR],
    [AUD, SPS, PPS, IDR],
    [stapA(SPS, PPS), ...FRAGMENTS],
  ]) {
    const harness = harnessWith();
    harness.push(0, [SPS, PPS, IDR]);
    harness.push(3600, payloads, { gap: true });
    assert.equal(harness.units.length, 2);
    assert.equal(harness.depacketizer.damagedUnits, 0);
  }
});

test('where sets come in the SDP only, an IDR picture directly after a gap is whole', () => {
  for (const payloads of [[IDR], FRAGMENTS]) {
    const harness = harnessWith();
    harness.push(0, [IDR]);
    harness.push(3600, payloads, { gap: true });
    assert.equal(harness.units.length, 2);
  }
  const harness = harnessWith();
  harness.push(0, [IDR]);
  harness.push(3600, FRAGMENTS.slice(1), { gap: true });
  harness.push(7200, [IDR.with(1, 0x40)], { gap: true });
  assert.equal(harness.units.length, 1, 'the first slice is missing');
});

/** Nest (go2rtc#2490) begins in the middle of a picture. */
test('a fragment out of nowhere damages its picture', () => {
  const harness = harnessWith();
  harness.push(0, [SPS, PPS, IDR]);
  harness.push(3600, FRAGMENTS.slice(1));
  harness.push(7200, [SPS, PPS, IDR]);
  assert.equal(harness.units.length, 2);
  assert.equal(harness.depacketizer.damagedUnits, 1);
});

const damages = [
  ['an aggregate whose size runs past the end', hex`78 0fff 41`],
  ['a fragment without a header', hex`7c`],
  ['an MTAP', hex`1a 0000 00`],
  ['a reserved type', hex`1f 00`],
  ['type 0 without a start code', hex`00 11 22 33`],
] as const;

for (const [name, payload] of damages) {
  test(`${name} damages its picture, no more`, () => {
    const harness = harnessWith();
    harness.push(0, [SPS, PPS, IDR]);
    harness.push(3600, [payload, SLICE]);
    harness.push(7200, [SPS, PPS, IDR]);
    assert.equal(harness.units.length, 2);
    assert.equal(harness.depacketizer.damagedUnits, 1);
  });
}

test('a picture past the limit is dropped, and the next comes whole', () => {
  const harness = harnessWith();
  harness.push(0, [SPS, PPS, IDR]);
  const huge = nalUnit(0x65, 60_000);
  for (let n = 0; n < 150; n += 1) harness.push(3600, [huge], { marker: n === 149 });
  harness.push(7200, [SPS, PPS, IDR]);
  assert.deepEqual(
    harness.units.map((unit) => unit.timestamp),
    [0, 7200],
  );
  assert.equal(harness.depacketizer.damagedUnits, 1);
});

test('a unit that the sink keeps is not written over', () => {
  const kept: Uint8Array[] = [];
  const receiver = {
    unit: (data: Uint8Array) => {
      kept.push(data);
      return true;
    },
  };
  const depacketizer = new H264Depacketizer(receiver, [SPS, PPS]);
  depacketizer.push(rtpPacket({ timestamp: 0, marker: true, payload: IDR }), false);
  depacketizer.push(rtpPacket({ timestamp: 1, marker: true, payload: SLICE }), false);
  assert.equal(toHex(kept[0]!), toHex(avcc(IDR)));
});

// Properties -------------------------------------------------------------------------------------

/** NAL units without start codes inside, as emulation prevention makes them. */
const anyNalUnit = fc
  .tuple(
    fc.constantFrom(0x65, 0x41, 0x01, 0x67, 0x68, 0x06, 0x09),
    fc.uint8Array({ minLength: 6, maxLength: 90 }),
  )
  .map(([header, rest]) =>
    concat(
      Uint8Array.of(header),
      rest.map((byte) => byte | 0x04),
    ),
  );

test('any packing of any NAL units gives them back, bit by bit', () => {
  const packing = fc.array(fc.tuple(anyNalUnit, fc.nat(3)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(packing, (packed) => {
      const harness = harnessWith();
      const payloads = packed.flatMap(([unit, how]) => {
        if (how === 0) return [unit];
        return how === 1 ? [stapA(unit)] : fuA(unit, how * 7);
      });
      harness.push(0, [...payloads, IDR]);
      const units = packed.map(([unit]) => unit);
      assert.deepEqual(harness.data, [toHex(avcc(...units, IDR))]);
    }),
  );
});

test('arbitrary payloads never throw, and what leaves is well-formed', () => {
  const type = fc.constantFrom(0, 1, 5, 6, 7, 8, 9, 24, 25, 26, 28, 29, 31);
  const payload = fc
    .tuple(type, fc.uint8Array({ maxLength: 60 }))
    .map(([first, rest]) => concat(Uint8Array.of(0x60 | first), rest));
  const packet = fc.record({
    payload,
    marker: fc.boolean(),
    timestamp: fc.nat(3),
    gap: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 30 }), (packets) => {
      const receiver = { unit: (data: Uint8Array) => [...nalUnits(data)].length < 0 };
      const depacketizer = new H264Depacketizer(receiver, [SPS, PPS]);
      for (const { gap, ...fields } of packets) depacketizer.push(rtpPacket(fields), gap);
    }),
  );
});
