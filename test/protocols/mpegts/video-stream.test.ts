import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { VideoStream } from '../../../protocols/mpegts/video-stream.ts';
import { MAIN } from '../../codecs/h265/streams.ts';
import { hex, toHex } from '../../support/hex.ts';
import { avcc } from '../../support/rtp-packets.ts';
import { VIDEO_TRACK } from '../../support/units.ts';
import { StreamBench } from './elementary-streams.ts';

const AUD = hex`09f0`;
const { sps: SPS, pps: PPS } = VIDEO_TRACK;
const SEI = hex`060504deadbeef80`;
const IDR = hex`6588840a0b0c`;
/** A further slice of the same picture: first_mb_in_slice is not 0. */
const IDR_MORE = hex`65408a0d0e0f`;
const slice = (n: number) => hex`419a ${n.toString(16).padStart(4, '0')} 77`;
const KEY = [AUD, SPS, PPS, IDR] as const;
const LONG_START = hex`00000001`;
const FRAME = 3600;

/** As x264 has it: four bytes before the first and the parameter sets, three before the others. */
function annexB(...nalUnits: readonly Uint8Array[]): Uint8Array {
  return concat(
    ...nalUnits.flatMap((nalUnit, index) => {
      const isLong = index === 0 || nalUnit === SPS || nalUnit === PPS;
      return [isLong ? LONG_START : LONG_START.subarray(1), nalUnit];
    }),
  );
}

const h264 = () => new StreamBench((outlet, clock) => new VideoStream('h264', outlet, clock));
const picture = (n: number) => annexB(AUD, slice(n));
const unit = (...nalUnits: readonly Uint8Array[]) => toHex(avcc(...nalUnits));

describe('pictures of H.264', () => {
  test('leave bit for bit, delimiters included, with their times, however the packets are cut', () => {
    for (let pieceBytes = 1; pieceBytes <= 90; pieceBytes += 1) {
      const bench = h264();
      bench.pieceBytes = pieceBytes;
      bench.send(
        { payload: annexB(...KEY), pts: 2 * FRAME, dts: 0 },
        { payload: annexB(AUD, SEI, slice(1)), pts: 5 * FRAME, dts: FRAME },
        { payload: picture(2), pts: 3 * FRAME, dts: 2 * FRAME },
        { payload: concat(picture(3), new Uint8Array(5)), pts: 4 * FRAME, dts: 3 * FRAME },
        { payload: picture(4), pts: 8 * FRAME, dts: 4 * FRAME },
      );
      bench.flush();
      assert.deepEqual(bench.data, [
        unit(...KEY),
        unit(AUD, SEI, slice(1)),
        unit(AUD, slice(2)),
        unit(AUD, slice(3)),
        unit(AUD, slice(4)),
      ]);
      assert.deepEqual(bench.times, [
        '7200/0',
        '18000/3600',
        '10800/7200',
        '14400/10800',
        '28800/14400',
      ]);
      assert.deepEqual(
        bench.units.map(({ randomAccess }) => randomAccess),
        [true, false, false, false, false],
      );
      assert.deepEqual(bench.units[0]?.track, VIDEO_TRACK);
      assert.equal(bench.stream.damagedUnits, 0);
    }
  });

  test('whose bytes a sink keeps', () => {
    const bench = h264();
    bench.keeps = true;
    bench.send({ payload: annexB(...KEY), pts: 0 }, { payload: picture(1), pts: FRAME }).flush();
    assert.deepEqual(bench.data, [unit(...KEY), unit(AUD, slice(1))]);
  });

  test('begin with a keyframe: what comes before it is nobody’s damage', () => {
    const bench = h264().send(
      { payload: picture(1), pts: 0 },
      { payload: annexB(...KEY), pts: FRAME },
      { payload: picture(2), pts: 2 * FRAME },
    );
    assert.deepEqual(bench.flush().data, [unit(...KEY), unit(AUD, slice(2))]);
    assert.equal(bench.stream.damagedUnits, 0);
  });

  test('new parameter sets make a new track', () => {
    const pps = hex`68 cb83cb40`;
    const bench = h264().send(
      { payload: annexB(...KEY), pts: 0 },
      { payload: annexB(AUD, SPS, pps, IDR), pts: FRAME },
    );
    assert.deepEqual(bench.flush().units.at(-1)?.track, { ...VIDEO_TRACK, pps });
  });

  test('tell what they wait for', () => {
    const bench = h264();
    assert.equal(bench.stream.awaits, undefined);
    bench.send({ payload: picture(1), pts: 0 }, { payload: picture(2), pts: FRAME });
    assert.equal(bench.stream.awaits, 'parameter-sets');
    bench.send(
      { payload: annexB(AUD, SPS, PPS, slice(3)), pts: 0 },
      { payload: annexB(...KEY), pts: 1 },
    );
    assert.equal(bench.stream.awaits, 'keyframe');
    assert.equal(bench.flush().stream.awaits, undefined);
  });
});

describe('pictures and PES packets', () => {
  test('several pictures in one packet: those without a time get the next ones', () => {
    const bench = h264().send(
      { payload: concat(annexB(...KEY), picture(1)), pts: 0 },
      { payload: concat(picture(2), picture(3)), pts: 2 * 3003 },
      { payload: concat(picture(4), picture(5)), pts: 4 * 3003 },
    );
    assert.deepEqual(
      bench.flush().data.slice(2),
      [2, 3, 4, 5].map((n) => unit(AUD, slice(n))),
    );
    assert.deepEqual(bench.times.slice(2), [
      '6006/6006',
      '9009/9009',
      '12012/12012',
      '15015/15015',
    ]);
    assert.equal(bench.stream.repairedTimes, 3);
  });

  test('one picture over several packets, cut anywhere', () => {
    const whole = annexB(AUD, SPS, PPS, IDR, IDR_MORE);
    for (let cut = 1; cut < whole.length; cut += 1) {
      const bench = h264().send(
        { payload: whole.subarray(0, cut), pts: 0, bounded: true },
        { payload: whole.subarray(cut), bounded: true },
        { payload: picture(1), pts: FRAME, bounded: true },
      );
      assert.deepEqual(
        bench.flush().data,
        [unit(AUD, SPS, PPS, IDR, IDR_MORE), unit(AUD, slice(1))],
        `cut at ${cut}`,
      );
      assert.deepEqual(bench.times, ['0/0', '3600/3600']);
    }
  });

  test('a packet for each slice, all with the picture’s time', () => {
    const bench = h264().send(
      { payload: annexB(AUD, SPS, PPS, IDR), pts: 0 },
      { payload: annexB(IDR_MORE), pts: 0 },
      { payload: picture(1), pts: FRAME },
    );
    assert.deepEqual(bench.flush().data, [unit(AUD, SPS, PPS, IDR, IDR_MORE), unit(AUD, slice(1))]);
  });

  test('no delimiters, and packets without times: a first slice begins a picture', () => {
    const bench = h264().send(
      { payload: annexB(SPS, PPS, IDR), pts: 0 },
      { payload: annexB(slice(1)) },
      { payload: annexB(slice(2)) },
    );
    assert.deepEqual(bench.flush().data.slice(1), [unit(slice(1)), unit(slice(2))]);
    assert.deepEqual(bench.times, ['0/0', '3600/3600', '7200/7200']);
  });

  test('a time in the middle of a picture is that of the picture which begins in the packet', () => {
    const [first, second] = [annexB(...KEY), picture(1)];
    const bench = h264().send(
      { payload: first.subarray(0, 45), pts: 0 },
      { payload: concat(first.subarray(45), second), pts: 2 * FRAME, dts: FRAME },
    );
    assert.deepEqual(bench.flush().times, ['0/0', '7200/3600']);
  });

  test('stated lengths that proved right end a picture at once', () => {
    const bench = h264().send({ payload: annexB(...KEY), pts: 0, bounded: true });
    for (let n = 1; n <= 20; n += 1)
      bench.send({ payload: picture(n), pts: n * FRAME, bounded: true });
    assert.equal(bench.units.length, 21);
    assert.equal(bench.stream.damagedUnits, 0);
    // Cut to sixteen bits, as some encoders do: the packet goes on after its stated end.
    const big = annexB(AUD, concat(slice(99), new Uint8Array(500).fill(0x55)));
    bench.send({ payload: big, pts: 21 * FRAME, bounded: true, lengthError: -300 });
    bench.send({ payload: picture(22), pts: 22 * FRAME });
    assert.equal(bench.flush().units.length, 23);
    assert.equal(bench.data[21]?.length, 2 * (big.length + 1));
    assert.equal(bench.stream.damagedUnits, 0);
  });

  describe('a picture over several packets, after many that were whole in theirs', () => {
    const whole = () => {
      const bench = h264().send({ payload: annexB(...KEY), pts: 0, bounded: true });
      for (let n = 1; n <= 20; n += 1)
        bench.send({ payload: picture(n), pts: n * FRAME, bounded: true });
      return bench;
    };

    test('cut because sixteen bits of length hold no more of it', () => {
      const large = concat(IDR, new Uint8Array(100_000).fill(0x55));
      const payload = annexB(AUD, SPS, PPS, large);
      for (const cutBytes of [40_000, 65_000]) {
        const bench = whole();
        for (let at = 0; at < payload.length; at += cutBytes) {
          const time = at === 0 ? { pts: 21 * FRAME } : {};
          bench.send({ payload: payload.subarray(at, at + cutBytes), ...time, bounded: true });
        }
        bench.send({ payload: picture(22), pts: 22 * FRAME, bounded: true });
        assert.equal(bench.flush().units.length, 23);
        assert.equal(bench.data[21], unit(AUD, SPS, PPS, large));
        assert.equal(bench.stream.damagedUnits, 0);
      }
    });

    test('cut anywhere else: one is torn and counted, and no other', () => {
      const payload = annexB(AUD, SPS, PPS, concat(IDR, new Uint8Array(2000).fill(0x55)));
      const bench = whole();
      for (let n = 21; n < 25; n += 1) {
        bench.send(
          { payload: payload.subarray(0, 1000), pts: n * FRAME, bounded: true },
          { payload: payload.subarray(1000), bounded: true },
        );
      }
      bench.flush();
      assert.equal(bench.stream.damagedUnits, 1);
      assert.equal(bench.data.filter((data) => data.length > 4000).length, 3);
    });
  });

  test('a length that proved right, and now bytes are missing: a loss that the counters do not show', () => {
    const bench = h264().send({ payload: annexB(...KEY), pts: 0, bounded: true });
    for (let n = 1; n <= 20; n += 1)
      bench.send({ payload: picture(n), pts: n * FRAME, bounded: true });
    bench.send({ payload: picture(21), pts: 21 * FRAME, bounded: true, lengthError: 2944 });
    bench.send({ payload: picture(22), pts: 22 * FRAME, bounded: true });
    bench.send({ payload: annexB(...KEY), pts: 23 * FRAME, bounded: true });
    assert.equal(bench.flush().units.length, 22);
    assert.equal(bench.stream.damagedUnits, 2);
  });

  test('lengths that are never right do no harm', () => {
    const bench = h264().send({ payload: annexB(...KEY), pts: 0, bounded: true, lengthError: 50 });
    for (let n = 1; n <= 20; n += 1) {
      bench.send({ payload: picture(n), pts: n * FRAME, bounded: true, lengthError: 50 });
    }
    assert.equal(bench.flush().units.length, 21);
  });

  test('a header over two transport packets', () => {
    const bench = h264();
    bench.pieceBytes = 12;
    bench.send({ payload: annexB(...KEY), pts: 2 * FRAME, dts: FRAME, stuffing: 20 }).flush();
    assert.deepEqual(bench.times, ['7200/3600']);
  });
});

describe('losses', () => {
  const key = { payload: annexB(...KEY), pts: 0 };
  const nth = (n: number) => ({ payload: picture(n), pts: n * FRAME });

  test('of a picture’s middle: it is dropped, and all up to the next keyframe', () => {
    const bench = h264().send(key, nth(1));
    const damaged = concat(picture(2), new Uint8Array(400).fill(0x55));
    bench.raw(damaged.subarray(0, 0));
    bench.reader.payload(damaged, 0, 0, false);
    bench.send(nth(2));
    bench.reader.gap();
    bench.reader.payload(damaged, 100, 284, false);
    bench.send(nth(3), nth(4), { ...key, pts: 5 * FRAME }, nth(6)).flush();
    assert.deepEqual(bench.times, ['0/0', '3600/3600', '18000/18000', '21600/21600']);
    assert.equal(bench.stream.damagedUnits, 3);
    assert.equal(bench.stream.awaits, undefined);
  });

  test('of a picture’s beginning, with the packet’s: the one before it is not whole either', () => {
    const bench = h264().send(key, nth(1));
    bench.reader.gap();
    bench.reader.payload(picture(2), 2, 10, false);
    bench.send(nth(3), { ...key, pts: 4 * FRAME }).flush();
    assert.deepEqual(bench.times, ['0/0', '14400/14400']);
  });

  test('of the end: the next packet begins at once', () => {
    const bench = h264().send(key, nth(1), { ...nth(2), gap: true }, { ...key, pts: 3 * FRAME });
    assert.deepEqual(bench.flush().times, ['0/0', '10800/10800']);
    assert.equal(bench.stream.damagedUnits, 2);
  });

  test('before a keyframe: that one is whole', () => {
    const bench = h264()
      .send(key, nth(1), { ...key, pts: 2 * FRAME, gap: true })
      .flush();
    assert.deepEqual(bench.times, ['0/0', '7200/7200']);
    assert.equal(bench.stream.damagedUnits, 1);
  });
});

describe('times', () => {
  test('over the wrap of 33 bits', () => {
    const wrap = 2 ** 33;
    const bench = h264().send(
      { payload: annexB(...KEY), pts: wrap - 2 * FRAME },
      { payload: picture(1), pts: wrap - FRAME },
      { payload: picture(2), pts: 0 },
      { payload: picture(3), pts: FRAME },
    );
    const first = wrap - 2 * FRAME;
    assert.deepEqual(
      bench.flush().times,
      [0, 1, 2, 3].map((n) => `${first + n * FRAME}/${first + n * FRAME}`),
    );
  });

  test('missing of a picture with reordering: after the one before it', () => {
    const bench = h264().send(
      { payload: annexB(...KEY), pts: 2 * FRAME, dts: 0 },
      { payload: picture(1), pts: 3 * FRAME, dts: FRAME },
      { payload: picture(2) },
      { payload: picture(3), pts: 5 * FRAME, dts: 3 * FRAME },
    );
    assert.deepEqual(bench.flush().times, ['7200/0', '10800/3600', '14400/7200', '18000/10800']);
    assert.equal(bench.stream.repairedTimes, 1);
  });

  /** mediamtx#2103. */
  test('never sent: the PCR stands in', () => {
    const bench = h264();
    for (const [n, pcr] of [126_000, 129_600, 129_600, 136_800].entries()) {
      bench.clock.notePcr(pcr);
      bench.send({ payload: n === 0 ? annexB(...KEY) : picture(n) });
      // The picture is over when the next begins, by which time the PCR has gone on.
      if (n === 0) bench.flush();
    }
    const times = bench.flush().times.map((text) => Number(text.split('/')[0]));
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.equal(times[0], 126_000);
    assert.ok((times.at(-1) ?? 0) >= 136_800);
  });

  test('reordered, with PTS alone: decoding times are worked out', () => {
    const order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11];
    const bench = h264().send(
      ...order.map((n) => ({
        payload: n === 0 ? annexB(...KEY) : picture(n),
        pts: 90_000 + n * FRAME,
      })),
    );
    const { units } = bench.flush();
    assert.deepEqual(
      units.map(({ ptsUs }) => ptsUs),
      order.map((n) => 1_000_000 + n * 40_000),
    );
    const late = units.slice(5);
    for (const [index, { ptsUs, dtsUs }] of late.entries()) {
      assert.ok(dtsUs <= ptsUs, `${dtsUs} > ${ptsUs}`);
      assert.ok(index === 0 || dtsUs > (late[index - 1]?.dtsUs ?? 0), 'rises');
    }
  });

  test('a clock that jumps goes on', () => {
    const bench = h264();
    for (let n = 0; n < 50; n += 1) {
      bench.clock.arrivalMs = n * 40;
      const jump = n < 25 ? 0 : 5_000_000;
      bench.send({ payload: n % 25 === 0 ? annexB(...KEY) : picture(n), pts: n * FRAME + jump });
    }
    const { units } = bench.flush();
    assert.equal(units.length, 50);
    for (const [index, { dtsUs }] of units.entries()) {
      const before = units[index - 1]?.dtsUs ?? -40_000;
      assert.ok(dtsUs - before > 0 && dtsUs - before < 200_000, `${dtsUs - before} us`);
    }
    assert.deepEqual(bench.clock.notes, [
      'The video: its clock jumped; times went on from arrival.',
    ]);
  });
});

describe('pictures of H.265', () => {
  const { vps, sps, pps } = MAIN;
  const AUD_265 = hex`460150`;
  const CRA = hex`2a01af0102`;
  const RASL = hex`1201d00102`;
  const TRAIL = hex`0201d00102`;
  const key = annexB(AUD_265, vps, sps, pps, CRA);
  const h265 = () => new StreamBench((outlet, clock) => new VideoStream('h265', outlet, clock));

  test('leave bit for bit, however the packets are cut', () => {
    for (let pieceBytes = 1; pieceBytes <= 40; pieceBytes += 1) {
      const bench = h265();
      bench.pieceBytes = pieceBytes;
      bench.send(
        { payload: key, pts: FRAME, dts: 0 },
        { payload: annexB(AUD_265, TRAIL), pts: 2 * FRAME, dts: FRAME },
      );
      assert.deepEqual(bench.flush().data, [
        unit(AUD_265, vps, sps, pps, CRA),
        unit(AUD_265, TRAIL),
      ]);
      assert.deepEqual(bench.units[0]?.track, MAIN);
    }
  });

  test('joined at a CRA picture: those that refer to what was before it are left out', () => {
    const bench = h265().send(
      { payload: key, pts: FRAME, dts: 0 },
      { payload: annexB(AUD_265, RASL), pts: 0, dts: 0 },
      { payload: annexB(AUD_265, TRAIL), pts: 2 * FRAME, dts: 2 * FRAME },
    );
    assert.deepEqual(bench.flush().data, [unit(AUD_265, vps, sps, pps, CRA), unit(AUD_265, TRAIL)]);
  });

  test('a NAL unit of one byte is none', () => {
    const bench = h265()
      .send({ payload: concat(key, hex`000001 50 000001`), pts: 0 })
      .flush();
    assert.deepEqual(bench.data, [unit(AUD_265, vps, sps, pps, CRA)]);
  });
});

test('arbitrary bytes in arbitrary packets never throw', () => {
  const byte = fc.oneof(fc.constantFrom(0, 0, 1, 0x65, 0x41, 9), fc.nat(255));
  const packet = fc.record({
    payload: fc.array(byte, { maxLength: 60 }).map((list) => Uint8Array.from(list)),
    pts: fc.integer({ min: 0, max: 2 ** 33 - 1 }),
    gap: fc.boolean(),
    bounded: fc.boolean(),
  });
  for (const codec of ['h264', 'h265'] as const) {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 20 }), (packets) => {
        const bench = new StreamBench((outlet, clock) => new VideoStream(codec, outlet, clock));
        bench.send({ payload: annexB(...KEY), pts: 0 }, ...packets).flush();
      }),
    );
  }
});
