import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  NO_TIMESTAMP,
  PesHeader,
  pesHeaderBytes,
  UNBOUNDED,
  writePesHeader,
} from '../../../protocols/mpegts/pes-header.ts';
import { hex } from '../../support/hex.ts';
import { pes } from '../../support/ts-packets.ts';

const NONE = { pts: NO_TIMESTAMP, dts: NO_TIMESTAMP, payloadBytes: UNBOUNDED };

describe('a PES header', () => {
  const cases = [
    {
      name: 'ffmpeg 5.1: a picture with PTS and DTS, unbounded',
      bytes: hex`000001 e0 0000 80 c0 0a 31000910a1 11000 7d861 00000001`,
      want: { pts: 133_200, dts: 126_000, payloadBytes: UNBOUNDED, start: 19 },
    },
    {
      name: 'a sound with PTS, bounded',
      bytes: hex`000001 c0 0010 80 80 05 2100 07e721 fff15080`,
      want: { ...NONE, pts: 127_888, payloadBytes: 8, start: 14 },
    },
    { name: 'no times', bytes: pes(hex`aabb`), want: { ...NONE, start: 9 } },
    {
      name: 'the largest time, marker bits not set',
      bytes: hex`000001 e0 0000 80 80 05 0e fffe fffe aa`,
      want: { ...NONE, pts: 2 ** 33 - 1, start: 14 },
    },
    {
      name: 'flags of times for which there is no room',
      bytes: hex`000001 e0 0000 80 c0 05 3100091001 aa`,
      want: { ...NONE, pts: 133_120, start: 14 },
    },
    {
      name: 'a length that does not hold the header',
      bytes: hex`000001 e0 0002 80 00 00 aa`,
      want: { ...NONE, start: 9 },
    },
  ];
  for (const { name, bytes, want } of cases) {
    test(name, () => {
      const header = new PesHeader();
      assert.equal(header.read(bytes, 0, bytes.length), 'whole');
      assert.deepEqual({ ...header }, want);
    });
  }

  test('every cut before its end is short; the times are those of the whole', () => {
    const bytes = pes(hex`aa`, { pts: 2 ** 32 + 12_345, dts: 2 ** 32 + 8_745, stuffing: 3 });
    const header = new PesHeader();
    for (let end = 0; end < bytes.length - 1; end += 1) {
      assert.equal(header.read(bytes, 0, end), 'short', `${end} bytes`);
    }
    assert.equal(header.read(bytes, 0, bytes.length - 1), 'whole');
    assert.deepEqual([header.pts, header.dts], [2 ** 32 + 12_345, 2 ** 32 + 8_745]);
  });

  for (const bytes of [
    hex`000002`,
    hex`0001`,
    hex`ff`,
    hex`000001 be 0010 ffffff`,
    hex`000001 e0 0000 40 00 00`,
  ]) {
    test(`none: ${Buffer.from(bytes).toString('hex')}`, () => {
      assert.equal(new PesHeader().read(bytes, 0, bytes.length), 'invalid');
    });
  }
});

test('what was written is read', () => {
  const ticks = fc.integer({ min: 0, max: 2 ** 33 - 1 });
  fc.assert(
    fc.property(ticks, ticks, fc.nat(200), fc.boolean(), (pts, dts, stuffing, bounded) => {
      const header = new PesHeader();
      const bytes = pes(new Uint8Array(7), { pts, dts, stuffing, bounded });
      assert.equal(header.read(bytes, 0, bytes.length), 'whole');
      const payloadBytes = bounded ? 7 : UNBOUNDED;
      assert.deepEqual({ ...header }, { pts, dts, payloadBytes, start: bytes.length - 7 });
    }),
  );
});

describe('written', () => {
  const cases = [
    // As ffmpeg 5.1 has it, but for the alignment indicator.
    {
      pts: 133_200,
      dts: 126_000,
      payload: 70_000,
      bytes: '000001e0000084c00a31000910a111000 7d861',
    },
    { pts: 127_888, dts: 127_888, payload: 8, bytes: '000001e000108480052100 07e721' },
    { pts: 2 ** 33 - 1, dts: 2 ** 33 - 1, payload: 65_527, bytes: '000001e0ffff8480052fffffffff' },
    { pts: 0, dts: 0, payload: 65_528, bytes: '000001e00000848005 2100010001' },
  ];
  for (const { pts, dts, payload, bytes } of cases) {
    test(`${pts}, ${dts}, ${payload} bytes`, () => {
      const target = new Uint8Array(3 + pesHeaderBytes(pts, dts)).fill(0xee);
      writePesHeader(target, 3, 0xe0, payload, pts, dts);
      assert.equal(Buffer.from(target).toString('hex'), `eeeeee${bytes.replaceAll(' ', '')}`);
      const header = new PesHeader();
      assert.equal(header.read(target, 3, target.length), 'whole');
      assert.equal(header.pts, pts);
      assert.equal(header.dts, pts === dts ? NO_TIMESTAMP : dts);
    });
  }
});
