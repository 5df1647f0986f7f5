import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../../codecs/bytes.ts';
import { ParseError } from '../../../../codecs/errors.ts';
import { AacDepacketizer, type AacPayloadFormat } from '../../../../protocols/rtp/payload/aac.ts';
import { hex, toHex } from '../../../support/hex.ts';
import { type RtpFields, rtpPacket } from '../../../support/rtp-packets.ts';

/** AAC-LC, 48 kHz, stereo; mode AAC-hbr. */
const HBR: AacPayloadFormat = {
  config: hex`1190`,
  isConfigAssumed: false,
  clockRate: 48_000,
  sizeLength: 13,
  indexLength: 3,
  indexDeltaLength: 3,
  isInterleaved: false,
};

class Harness {
  readonly units: [data: string, timestamp: number][] = [];
  readonly depacketizer: AacDepacketizer;

  constructor(format: AacPayloadFormat = HBR) {
    const unit = (data: Uint8Array, timestamp: number, randomAccess: boolean) => {
      assert.equal(randomAccess, true);
      this.units.push([toHex(data), timestamp]);
      return false;
    };
    this.depacketizer = new AacDepacketizer({ unit }, format);
  }

  push(payload: Uint8Array, fields: RtpFields & { gap?: boolean } = {}): void {
    const { gap = false, ...rest } = fields;
    const packet = rtpPacket({ payload, ...rest });
    this.depacketizer.push(packet, gap);
    packet.bytes.fill(0xee);
  }
}

/** AU-headers-length and one AU header a frame, AAC-hbr. */
function headers(...sizes: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 + sizes.length * 2);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, sizes.length * 16);
  for (const [index, size] of sizes.entries()) view.setUint16(2 + index * 2, size << 3);
  return bytes;
}

function frame(byteLength: number, fill: number): Uint8Array {
  return new Uint8Array(byteLength).fill(fill);
}

test('one frame in a packet', () => {
  const harness = new Harness();
  harness.push(hex`0010 0028 2112345678`, { timestamp: 7 });
  assert.deepEqual(harness.units, [['2112345678', 7]]);
});

test('several frames in a packet, 1024 ticks apart, over the wrap of the clock', () => {
  const harness = new Harness();
  const payload = concat(headers(3, 4, 2), frame(3, 1), frame(4, 2), frame(2, 3));
  harness.push(payload, { timestamp: 0xffff_fc00 });
  assert.deepEqual(harness.units, [
    ['010101', 0xffff_fc00],
    ['02020202', 0],
    ['0303', 1024],
  ]);
});

test('HE-AAC whose clock is that of the doubled rate: 2048 ticks apart', () => {
  // Explicit SBR: 24 kHz core, 48 kHz after it.
  const harness = new Harness({ ...HBR, config: hex`2b11 8800` });
  harness.push(concat(headers(1, 1), hex`aa bb`), { timestamp: 0 });
  assert.deepEqual(harness.units, [
    ['aa', 0],
    ['bb', 2048],
  ]);
});

test('mode AAC-lbr: six bits of size, two of index', () => {
  const harness = new Harness({ ...HBR, sizeLength: 6, indexLength: 2, indexDeltaLength: 2 });
  harness.push(hex`0010 0c 08 112233 4455`, { timestamp: 0 });
  assert.deepEqual(
    harness.units.map(([data]) => data),
    ['112233', '4455'],
  );
});

test('one frame over three packets', () => {
  const harness = new Harness();
  const whole = Uint8Array.from({ length: 300 }, (_, n) => n);
  for (const [at, marker] of [
    [0, false],
    [100, false],
    [200, true],
  ] as const) {
    harness.push(concat(headers(300), whole.subarray(at, at + 100)), { timestamp: 9, marker });
  }
  assert.deepEqual(harness.units, [[toHex(whole), 9]]);
});

for (const [name, kept] of [
  ['start', [1, 2]],
  ['middle', [0, 2]],
  ['end', [0, 1]],
] as const) {
  test(`a frame that lost its ${name} is dropped, and only that one`, () => {
    const harness = new Harness();
    let last = -1;
    for (const n of kept) {
      const gap = n !== last + 1;
      harness.push(concat(headers(300), frame(100, n)), { timestamp: 9, marker: n === 2, gap });
      last = n;
    }
    harness.push(concat(headers(2), hex`aabb`), { timestamp: 1033, gap: last !== 2 });
    assert.deepEqual(harness.units, [['aabb', 1033]]);
    assert.equal(harness.depacketizer.damagedUnits, 1);
  });
}

test('a lost packet between whole frames costs nothing else', () => {
  const harness = new Harness();
  harness.push(concat(headers(1), hex`aa`), { timestamp: 0 });
  harness.push(concat(headers(1), hex`bb`), { timestamp: 2048, gap: true });
  assert.equal(harness.units.length, 2);
  assert.equal(harness.depacketizer.damagedUnits, 0);
});

test('an ADTS header that does not belong there is taken off', () => {
  const harness = new Harness();
  const adts = hex`fff14c80021ffc`;
  harness.push(concat(headers(9), adts, hex`21 22`), { timestamp: 0 });
  const withCrc = hex`fff04c80025ffc 1234`;
  harness.push(concat(headers(10), withCrc, hex`21`), { timestamp: 1024 });
  assert.deepEqual(
    harness.units.map(([data]) => data),
    ['2122', '21'],
  );
});

const broken = [
  ['no payload', hex``],
  ['half a length', hex`00`],
  ['headers past the end', hex`ffff 0028 21`],
  ['a frame of no bytes', hex`0010 0000 21`],
] as const;

for (const [name, payload] of broken) {
  test(`${name} is counted, and the next packet is read`, () => {
    const harness = new Harness();
    harness.push(payload);
    harness.push(concat(headers(1), hex`aa`), { timestamp: 0 });
    assert.deepEqual(harness.units, [['aa', 0]]);
    assert.equal(harness.depacketizer.damagedUnits, 1);
  });
}

test('bytes behind the last frame are nobody’s', () => {
  const harness = new Harness();
  harness.push(concat(headers(1), hex`aa ffffff`), { timestamp: 0 });
  assert.deepEqual(harness.units, [['aa', 0]]);
});

test('a clock that frames do not fit is no reason to drift within a packet', () => {
  // 44.1 kHz on a clock of 90 kHz: 2089.796 ticks a frame.
  const harness = new Harness({ ...HBR, config: hex`1210`, clockRate: 90_000 });
  harness.push(concat(headers(...Array<number>(6).fill(1)), frame(6, 0xaa)), { timestamp: 0 });
  assert.deepEqual(
    harness.units.map(([, timestamp]) => timestamp),
    [0, 2090, 4180, 6269, 8359, 10_449],
  );
});

describe('a configuration that the camera did not state', () => {
  const format = { ...HBR, isConfigAssumed: true };

  test('is what ADTS headers tell, from the first on', () => {
    const harness = new Harness(format);
    const { track } = harness.depacketizer;
    // 16 kHz, mono, two frames a packet
    const adts = hex`fff16040013ffc`;
    harness.push(concat(headers(9, 9), adts, hex`2122`, adts, hex`2324`), { timestamp: 0 });
    assert.notEqual(harness.depacketizer.track, track);
    assert.deepEqual(harness.depacketizer.track.config, hex`1408`);
    assert.deepEqual(harness.units, [
      ['2122', 0],
      ['2324', 3072],
    ]);
    const learnt = harness.depacketizer.track;
    harness.push(concat(headers(9), adts, hex`2122`), { timestamp: 6144 });
    assert.equal(harness.depacketizer.track, learnt);
  });

  test('stays where the headers cannot be read, and where there are none', () => {
    const harness = new Harness(format);
    const { track } = harness.depacketizer;
    harness.push(concat(headers(9), hex`fff1748024fffc`, hex`2122`), { timestamp: 0 });
    harness.push(concat(headers(2), hex`2122`), { timestamp: 1024 });
    assert.equal(harness.depacketizer.track, track);
    assert.equal(harness.units.length, 2);
  });

  test('but a stated one is never overruled', () => {
    const harness = new Harness();
    harness.push(concat(headers(9), hex`fff16040013ffc`, hex`2122`), { timestamp: 0 });
    assert.deepEqual(harness.depacketizer.track.config, hex`1190`);
  });
});

describe('implicit SBR: a core of 24 kHz on a clock of 48', () => {
  const harness = new Harness({ ...HBR, config: hex`1310` });

  test('is heard at 48 kHz', () => assert.equal(harness.depacketizer.track.sampleRate, 48_000));

  test('and a frame lasts 2048 ticks', () => {
    harness.push(concat(headers(1, 1), hex`aa bb`), { timestamp: 0 });
    assert.deepEqual(harness.units.at(-1), ['bb', 2048]);
  });
});

describe('interleaved frames', () => {
  const format = { ...HBR, isInterleaved: true };
  /** Frames 0 3 6, 1 4 7, 2 5 8: AU-Index-delta 2 between those of a packet (RFC 3640 §3.3.6). */
  const packet = (first: number) => {
    const fields = [0, 2, 2].flatMap((delta) => [0x00, (1 << 3) | delta]);
    const frames = [first, first + 3, first + 6];
    return Uint8Array.from([0, 48, ...fields, ...frames]);
  };

  test('leave in the order of their times, over the wrap of the clock', () => {
    const harness = new Harness(format);
    const begin = 0xffff_f000;
    for (const at of [0, 1, 2]) harness.push(packet(at), { timestamp: begin + at * 1024 });
    harness.push(packet(9), { timestamp: begin + 9 * 1024 });
    const want = Array.from({ length: 10 }, (_, n) => [`0${n}`, (begin + n * 1024) % 2 ** 32]);
    assert.deepEqual(harness.units, want);
  });

  test('a lost packet costs its frames only', () => {
    const harness = new Harness(format);
    harness.push(packet(0), { timestamp: 0 });
    harness.push(packet(2), { timestamp: 2048, gap: true });
    harness.push(packet(9), { timestamp: 9216 });
    assert.deepEqual(
      harness.units.map(([data]) => Number(data)),
      [0, 2, 3, 5, 6, 8, 9],
    );
  });

  test('those that wait for nothing are bounded', () => {
    const harness = new Harness(format);
    for (let n = 0; n < 100; n += 1) harness.push(packet(0), { timestamp: 0 });
    assert.ok(harness.units.length >= 300 - 64 - 3, `${harness.units.length}`);
  });

  test('where the description does not name interleaving, indexes mean nothing', () => {
    const harness = new Harness();
    harness.push(packet(0), { timestamp: 0 });
    assert.deepEqual(
      harness.units.map(([, timestamp]) => timestamp),
      [0, 1024, 2048],
    );
  });
});

test('a config that is none is refused', () => {
  assert.throws(() => new Harness({ ...HBR, config: hex`` }), ParseError);
});

test('arbitrary payloads never throw', () => {
  const packet = fc.record({
    payload: fc.uint8Array({ maxLength: 60 }),
    timestamp: fc.nat(2),
    gap: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(packet, { maxLength: 20 }),
      fc.nat(16),
      fc.boolean(),
      (packets, sizeLength, flag) => {
        const harness = new Harness({
          ...HBR,
          sizeLength,
          isInterleaved: flag,
          isConfigAssumed: flag,
        });
        for (const { payload, ...fields } of packets) harness.push(payload, fields);
      },
    ),
  );
});
