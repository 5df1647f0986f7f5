import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../../codecs/bytes.ts';
import { nalUnits } from '../../../../codecs/nal-units.ts';
import { H265Depacketizer } from '../../../../protocols/rtp/payload/h265.ts';
import { MAIN, MAIN_422_10 } from '../../../codecs/h265/streams.ts';
import { DepacketizerHarness } from '../../../support/depacketizer-harness.ts';
import { hex, toHex } from '../../../support/hex.ts';
import {
  aggregation,
  avcc,
  fragmentationUnits,
  h265NalUnit,
  rtpPacket,
} from '../../../support/rtp-packets.ts';

const { vps: VPS, sps: SPS, pps: PPS } = MAIN;
const SETS = [VPS, SPS, PPS];
const AUD = hex`460150`;
const SEI = hex`4e01 05 04 deadbeef 80`;
const SUFFIX_SEI = hex`5001 84 04 deadbeef 80`;
const RECOVERY_POINT = hex`4e01 06 01 c4 80`;
const IDR = h265NalUnit(19, 3000, 0x11);
const CRA = h265NalUnit(21, 900, 0x12);
const TRAIL = h265NalUnit(1, 700, 0x22);
const RASL = h265NalUnit(9, 300, 0x23);
const RADL = h265NalUnit(7, 300, 0x24);
const START_CODE = hex`00000001`;

function harnessWith(
  sets: readonly Uint8Array[] = SETS,
  hasDecodingOrder = false,
): DepacketizerHarness {
  return new DepacketizerHarness(
    (receiver) => new H265Depacketizer(receiver, { sets, hasDecodingOrder }),
  );
}

/** Every way to pack the same picture; each must give the same unit. */
const PICTURE = [AUD, VPS, SPS, PPS, SEI, IDR, SUFFIX_SEI];
const WITHOUT_END = (fragment: Uint8Array) => fragment.with(2, fragment[2]! & 0xbf);
const packings: readonly (readonly [name: string, payloads: readonly Uint8Array[]])[] = [
  ['single NAL units', PICTURE],
  [
    'an aggregate, then fragments',
    [aggregation([AUD, VPS, SPS, PPS, SEI]), ...fragmentationUnits(IDR, 1000), SUFFIX_SEI],
  ],
  ['an aggregate for each', PICTURE.map((unit) => aggregation([unit]))],
  ['one aggregate for all (ffmpeg, go2rtc#2296)', [aggregation(PICTURE)]],
  ['fragments for all', PICTURE.flatMap((unit) => fragmentationUnits(unit, 400))],
  [
    'fragments that are start and end at once (OpenIPC)',
    PICTURE.flatMap((unit) => fragmentationUnits(unit, unit.length)),
  ],
  [
    'another type in the later fragments’ headers (retina#121)',
    PICTURE.flatMap((unit) =>
      fragmentationUnits(unit, 400).map((f, n) => (n === 0 ? f : f.with(2, (f[2]! & 0xc0) | 38))),
    ),
  ],
  ['a start code before each (Annex B)', PICTURE.map((unit) => concat(START_CODE, unit))],
  ['a start code of three bytes before each', PICTURE.map((unit) => concat(hex`000001`, unit))],
  ['Annex B, all in one packet', [concat(...PICTURE.flatMap((unit) => [START_CODE, unit]))]],
  [
    'start codes behind the VPS',
    [AUD, concat(VPS, START_CODE, SPS, START_CODE, PPS, START_CODE, SEI), IDR, SUFFIX_SEI],
  ],
  [
    'all behind the VPS, in fragments',
    [
      AUD,
      ...fragmentationUnits(
        concat(VPS, ...PICTURE.slice(2).flatMap((unit) => [START_CODE, unit])),
        900,
      ),
    ],
  ],
  [
    'an end bit missing',
    [AUD, VPS, SPS, PPS, SEI, ...fragmentationUnits(IDR, 1000).map(WITHOUT_END), SUFFIX_SEI],
  ],
];

for (const [name, payloads] of packings) {
  test(`unpacks ${name}`, () => {
    const harness = harnessWith();
    harness.push(3000, payloads);
    assert.deepEqual(harness.data, [toHex(avcc(...PICTURE))]);
    assert.equal(harness.units[0]?.timestamp, 3000);
    assert.equal(harness.units[0]?.randomAccess, true);
    assert.deepEqual(harness.units[0]?.track, MAIN);
    assert.equal(harness.damagedUnits, 0);
  });
}

test('with decoding order numbers, which are taken out', () => {
  const withDonl = (unit: Uint8Array) => concat(unit.subarray(0, 2), hex`1234`, unit.subarray(2));
  const harness = harnessWith(SETS, true);
  harness.push(0, [
    withDonl(AUD),
    aggregation([VPS, SPS, PPS, SEI], 7),
    ...fragmentationUnits(IDR, 1000, 11),
    withDonl(SUFFIX_SEI),
  ]);
  assert.deepEqual(harness.data, [toHex(avcc(...PICTURE))]);
});

test('a unit leaves the moment its marker comes', () => {
  const harness = harnessWith();
  harness.push(0, [IDR]);
  assert.equal(harness.units.length, 1);
  harness.push(3600, [TRAIL, TRAIL], { marker: false });
  assert.equal(harness.units.length, 1);
});

test('without a marker the next timestamp ends the unit', () => {
  const harness = harnessWith();
  harness.push(0, [...SETS, IDR], { marker: false });
  harness.push(3600, [TRAIL], { marker: false });
  harness.push(7200, [TRAIL], { marker: false });
  assert.deepEqual(harness.data, [toHex(avcc(...SETS, IDR)), toHex(avcc(TRAIL))]);
});

/** Empty ones: Hikvision on playback (go2rtc#589). */
test('empty payloads, empty NAL units and half headers change nothing or damage one picture', () => {
  const harness = harnessWith();
  harness.push(0, [hex``, hex`6001 0000`, aggregation(SETS), hex`6001`, IDR]);
  assert.deepEqual(harness.data, [toHex(avcc(...SETS, IDR))]);
  harness.push(3600, [hex`02`, TRAIL]);
  harness.push(7200, [...SETS, IDR]);
  assert.equal(harness.units.length, 2);
  assert.equal(harness.damagedUnits, 1);
});

describe('parameter sets', () => {
  test('with markers of their own belong to the next picture (RtspServer, go2rtc#244)', () => {
    const harness = harnessWith();
    harness.pushMarked(0, [...SETS, SEI, IDR]);
    harness.push(3600, [TRAIL]);
    harness.pushMarked(7200, [...SETS, SEI, IDR]);
    const idr = toHex(avcc(...SETS, SEI, IDR));
    assert.deepEqual(harness.data, [idr, toHex(avcc(TRAIL)), idr]);
  });

  test('with a timestamp of their own belong to the next picture', () => {
    const harness = harnessWith();
    harness.push(100, [VPS], { marker: false });
    harness.push(200, [SPS, PPS]);
    harness.push(300, [IDR]);
    assert.deepEqual(harness.data, [toHex(avcc(...SETS, IDR))]);
    assert.deepEqual(harness.timestamps, [300]);
  });

  test('that the description lacks come in band (Hikvision, go2rtc#99)', () => {
    const harness = harnessWith([]);
    assert.equal(harness.depacketizer.track, undefined);
    harness.push(0, [IDR]);
    harness.push(3600, [SPS, PPS, IDR]);
    assert.deepEqual(harness.units, [], 'nobody could decode it');
    harness.push(7200, [...SETS, IDR]);
    assert.deepEqual(harness.depacketizer.track, MAIN);
    assert.deepEqual(harness.data, [toHex(avcc(...SETS, IDR))]);
    assert.equal(harness.damagedUnits, 0);
  });

  test('the same again leave the track alone, others make another one from their own picture on', () => {
    const harness = harnessWith();
    harness.push(0, [...SETS, IDR]);
    harness.push(3600, [...SETS, IDR]);
    const { vps, sps, pps } = MAIN_422_10;
    harness.push(7200, [vps, sps, pps, IDR]);
    harness.push(10_800, [TRAIL]);
    const tracks = harness.units.map(({ track }) => track);
    assert.equal(tracks[0], tracks[1]);
    assert.deepEqual(tracks[2], MAIN_422_10);
    assert.equal(tracks[2], tracks[3]);
  });

  test('of two identifiers in turn do not make a new track each time', () => {
    // pps_pic_parameter_set_id 1 in place of 0.
    const other = hex`4401 505cad1890`;
    const harness = harnessWith();
    for (let n = 0; n < 6; n += 1) {
      harness.push(n * 3600, [VPS, SPS, n % 2 === 0 ? PPS : other, IDR]);
    }
    assert.equal(new Set(harness.units.slice(1).map(({ track }) => track)).size, 1);
  });
});

describe('random access', () => {
  test('what comes before it is nobody’s damage', () => {
    const harness = harnessWith();
    harness.push(0, [TRAIL]);
    harness.push(3600, [...SETS, IDR]);
    assert.deepEqual(harness.timestamps, [3600]);
    assert.equal(harness.damagedUnits, 0);
  });

  for (const [name, slices] of [
    ['IDR_N_LP', [h265NalUnit(20, 60)]],
    ['CRA', [CRA]],
    ['BLA', [h265NalUnit(17, 60)]],
    ['a recovery point', [RECOVERY_POINT, TRAIL]],
  ] as const) {
    test(`with ${name}`, () => {
      const harness = harnessWith();
      harness.push(0, slices);
      assert.equal(harness.units[0]?.randomAccess, true);
    });
  }

  test('at a CRA picture leaves out its RASL pictures, which need what came before; RADL pictures stay', () => {
    const harness = harnessWith();
    harness.push(0, [...SETS, CRA]);
    harness.push(1, [RASL]);
    harness.push(2, [RADL]);
    harness.push(3, [TRAIL]);
    harness.push(4, [...SETS, CRA]);
    harness.push(5, [RASL]);
    assert.deepEqual(harness.timestamps, [0, 2, 3, 4, 5]);
  });

  test('after a loss the same: a decoder would show garbage', () => {
    const harness = harnessWith();
    harness.push(0, [...SETS, IDR]);
    harness.push(2, [TRAIL], { gap: true });
    harness.push(3, [...SETS, CRA]);
    harness.push(4, [RASL]);
    harness.push(5, [TRAIL]);
    assert.deepEqual(harness.timestamps, [0, 3, 5]);
    assert.equal(harness.damagedUnits, 2);
  });
});

describe('markers', () => {
  const FURTHER = h265NalUnit(19, 300, 0x44).with(2, 0x40);
  const FURTHER_TRAIL = h265NalUnit(1, 90, 0x55).with(2, 0x40);

  test('several slice segments are one picture', () => {
    const harness = harnessWith();
    harness.push(0, [IDR, FURTHER, ...fragmentationUnits(FURTHER, 60)]);
    assert.deepEqual(harness.data, [toHex(avcc(IDR, FURTHER, FURTHER))]);
  });

  test('on every NAL unit, parameter sets too: each picture is one unit (obs-rtspserver)', () => {
    const harness = harnessWith();
    harness.pushMarked(0, [...SETS, IDR, ...fragmentationUnits(FURTHER, 100)]);
    harness.pushMarked(3600, [TRAIL, FURTHER_TRAIL]);
    harness.pushMarked(7200, [aggregation(SETS), IDR, FURTHER]);
    harness.pushMarked(10_800, [TRAIL]);
    const idr = toHex(avcc(...SETS, IDR, FURTHER));
    assert.deepEqual(harness.data, [idr, toHex(avcc(TRAIL, FURTHER_TRAIL)), idr]);
    assert.equal(harness.damagedUnits, 0);
  });

  test('on every slice: learned from one torn picture, at the start of a GOP', () => {
    const harness = harnessWith();
    for (const timestamp of [0, 7200, 14_400]) {
      harness.push(timestamp, SETS, { marker: false });
      harness.pushMarked(timestamp, [IDR, FURTHER]);
      harness.pushMarked(timestamp + 3600, [TRAIL, FURTHER_TRAIL]);
    }
    assert.deepEqual(harness.timestamps, [0, 7200, 10_800, 14_400]);
    assert.equal(harness.data[3], toHex(avcc(...SETS, IDR, FURTHER)));
    assert.equal(harness.damagedUnits, 2);
  });

  test('fields: each is a picture, also with the timestamp of the other', () => {
    const harness = harnessWith();
    harness.pushMarked(0, [IDR, TRAIL]);
    harness.pushMarked(3600, [TRAIL, TRAIL]);
    assert.deepEqual(harness.timestamps, [0, 0, 3600, 3600]);
    assert.equal(harness.damagedUnits, 0);
  });

  test('a suffix SEI behind the marker says nothing of the marker', () => {
    const harness = harnessWith();
    harness.push(0, [IDR]);
    harness.push(0, [SUFFIX_SEI], { marker: false });
    harness.push(3600, [TRAIL]);
    harness.push(7200, [TRAIL]);
    assert.equal(harness.units.length, 3);
    assert.equal(harness.damagedUnits, 0);
  });
});

// Loss ------------------------------------------------------------------------------------------

const FRAGMENTS = fragmentationUnits(IDR, 500);

for (const { name, keep } of [
  { name: 'its start', keep: [1, 2, 3, 4, 5] },
  { name: 'its middle', keep: [0, 1, 3, 4, 5] },
  { name: 'its end', keep: [0, 1, 2, 3, 4] },
]) {
  test(`a picture that lost ${name} is dropped, and all up to the next random access point`, () => {
    const harness = harnessWith();
    harness.push(0, [...SETS, IDR]);
    harness.push(3600, SETS, { marker: false });
    let last = -1;
    for (const index of keep) {
      const gap = index !== last + 1;
      harness.push(3600, [FRAGMENTS[index]!], { marker: index === FRAGMENTS.length - 1, gap });
      last = index;
    }
    harness.push(7200, [TRAIL], { gap: last !== FRAGMENTS.length - 1 });
    harness.push(10_800, [TRAIL]);
    harness.push(14_400, [...SETS, IDR]);
    harness.push(18_000, [TRAIL]);
    assert.deepEqual(harness.timestamps, [0, 14_400, 18_000]);
    assert.equal(harness.damagedUnits, 3);
  });
}

test('directly after a gap a picture is whole when it begins with its VPS or delimiter', () => {
  for (const payloads of [
    [...SETS, IDR],
    [AUD, ...SETS, IDR],
    [aggregation(SETS), ...FRAGMENTS],
    [...SETS, IDR].map((unit) => concat(START_CODE, unit)),
  ]) {
    const harness = harnessWith();
    harness.push(0, [...SETS, IDR]);
    harness.push(3600, payloads, { gap: true });
    assert.equal(harness.units.length, 2);
    assert.equal(harness.damagedUnits, 0);
  }
});

test('directly after a gap a picture that begins otherwise is not', () => {
  for (const payloads of [[IDR], [SPS, PPS, IDR], FRAGMENTS.slice(1), [FRAGMENTS[5]!]]) {
    const harness = harnessWith();
    harness.push(0, [...SETS, IDR]);
    harness.push(3600, payloads, { gap: true });
    assert.equal(harness.units.length, 1);
    assert.equal(harness.damagedUnits, 1);
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
  harness.push(3600, [IDR.with(2, 0x40)], { gap: true });
  assert.equal(harness.units.length, 1, 'the first slice segment is missing');
});

for (const [name, payload] of [
  ['an aggregate whose size runs past the end', hex`6001 0fff 0201`],
  ['a fragment without a header', hex`6201`],
  ['a fragment out of nowhere', hex`6201 13 0000`],
  ['a PACI packet', hex`6401 2600 0000`],
  ['a reserved type', hex`7e01 00`],
  ['a header without temporal id and no start code', hex`0200 11 22 33`],
] as const) {
  test(`${name} damages its picture, no more`, () => {
    const harness = harnessWith();
    harness.push(0, [...SETS, IDR]);
    harness.push(3600, [payload, TRAIL]);
    harness.push(7200, [...SETS, IDR]);
    assert.equal(harness.units.length, 2);
    assert.equal(harness.damagedUnits, 1);
  });
}

test('a picture past the limit is dropped, and the next comes whole', () => {
  const harness = harnessWith();
  harness.push(0, [...SETS, IDR]);
  const huge = h265NalUnit(19, 60_000);
  for (let n = 0; n < 150; n += 1) harness.push(3600, [huge], { marker: n === 149 });
  harness.push(7200, [...SETS, IDR]);
  assert.deepEqual(harness.timestamps, [0, 7200]);
  assert.equal(harness.damagedUnits, 1);
});

test('an endless parameter set in fragments is bounded', () => {
  const harness = harnessWith();
  const [first, second] = fragmentationUnits(h265NalUnit(32, 60_000), 50_000);
  harness.push(0, [first!], { marker: false });
  for (let n = 0; n < 200; n += 1) {
    harness.push(0, [second!.with(2, 32)], { marker: false });
  }
  harness.push(0, [TRAIL]);
  harness.push(3600, [...SETS, IDR]);
  assert.deepEqual(harness.timestamps, [3600]);
});

// Properties -------------------------------------------------------------------------------------

/** NAL units without start codes inside, as emulation prevention makes them. */
const anyNalUnit = fc
  .tuple(
    fc.constantFrom(19, 1, 0, 32, 33, 34, 39, 35, 40),
    fc.uint8Array({ minLength: 6, maxLength: 90 }),
  )
  .map(([type, rest]) =>
    concat(
      Uint8Array.of(type << 1, 1),
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
        return how === 1 ? [aggregation([unit])] : fragmentationUnits(unit, how * 7);
      });
      harness.push(0, [...payloads, IDR]);
      const units = packed.map(([unit]) => unit);
      assert.deepEqual(harness.data, [toHex(avcc(...units, IDR))]);
    }),
  );
});

test('arbitrary payloads never throw, and what leaves is well-formed', () => {
  const type = fc.constantFrom(0, 1, 9, 19, 21, 32, 33, 34, 39, 48, 49, 50, 63);
  const payload = fc
    .tuple(type, fc.nat(255), fc.uint8Array({ maxLength: 60 }))
    .map(([first, second, rest]) => concat(Uint8Array.of(first << 1, second), rest));
  const packet = fc.record({
    payload,
    marker: fc.boolean(),
    timestamp: fc.nat(3),
    gap: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 30 }), fc.boolean(), (packets, hasDecodingOrder) => {
      const receiver = { unit: (data: Uint8Array) => [...nalUnits(data)].length < 0 };
      const depacketizer = new H265Depacketizer(receiver, { sets: SETS, hasDecodingOrder });
      for (const { gap, ...fields } of packets) depacketizer.push(rtpPacket(fields), gap);
    }),
  );
});
