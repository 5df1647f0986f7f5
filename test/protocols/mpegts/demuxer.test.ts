import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { TsDemuxer } from '../../../protocols/mpegts/demuxer.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex } from '../../support/hex.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { avcc } from '../../support/rtp-packets.ts';
import {
  type PmtStream,
  patSection,
  pes,
  pmtSection,
  TsWriter,
  tsPacket,
} from '../../support/ts-packets.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';

const PMT_PID = 0x1000;
const VIDEO = { pid: 0x100, type: 0x1b };
const AUDIO = { pid: 0x101, type: 0x0f };
const FRAME = 3600;
const { sps, pps } = VIDEO_TRACK;
const AUD = hex`09f0`;
const IDR = hex`658884aabbcc`;
const KEY_UNIT = avcc(AUD, sps, pps, IDR);
const slice = (n: number) => hex`419a ${n.toString(16).padStart(4, '0')} 77`;
const annexB = (...nalUnits: readonly Uint8Array[]) =>
  concat(...nalUnits.flatMap((each) => [hex`00000001`, each]));
const KEY = annexB(AUD, sps, pps, IDR);
const AAC = hex`fff14c8001bffc 210049900219`;

/** An encoder of 25 pictures a second, a keyframe every ten, and a sound for each. */
class Encoder {
  readonly ts = new TsWriter();
  video = VIDEO;
  audio: { pid: number; type: number } | undefined = AUDIO;
  n = 0;

  tables(
    options: { program?: number; version?: number; others?: readonly PmtStream[] } = {},
  ): Uint8Array[] {
    const { program = 1, version = 0, others = [] } = options;
    const streams = [this.video, ...(this.audio === undefined ? [] : [this.audio]), ...others];
    return [
      ...this.ts.section(0, patSection({ [program]: PMT_PID })),
      ...this.ts.section(PMT_PID, pmtSection(program, streams, { version })),
    ];
  }

  frames(count: number): Uint8Array[] {
    return Array.from({ length: count }, () => this.frame()).flat();
  }

  frame(): Uint8Array[] {
    const { n, ts, video, audio } = this;
    this.n += 1;
    const payload = n % 10 === 0 ? KEY : annexB(AUD, slice(n));
    const pts = 90_000 + n * FRAME;
    const packets = ts.pes(video.pid, pesBytes(payload, pts, 0xe0), { pcr: pts - 9000 });
    if (audio !== undefined) packets.push(...ts.pes(audio.pid, pesBytes(AAC, pts, 0xc0)));
    return packets;
  }
}

function pesBytes(payload: Uint8Array, pts: number, streamId: number): Uint8Array {
  return pes(payload, { pts, streamId });
}

function receive(options: { program?: number } = {}) {
  const sink = new RecordingSink();
  const clock = { nowMs: 0 };
  const demuxer = new TsDemuxer({ sink, now: () => clock.nowMs, program: options.program });
  const push = (packets: readonly Uint8Array[]) => {
    const bytes = concat(...packets);
    demuxer.push(bytes, 0, bytes.length);
  };
  const counters = () => {
    const into = {
      lostPackets: 0,
      damagedUnits: 0,
      awaits: undefined,
      receivedBytes: 0,
      receivedPackets: 0,
      jitterMs: 0,
      clockPercent: undefined,
    };
    demuxer.readCounters(into);
    return into;
  };
  return { sink, demuxer, push, clock, counters };
}

describe('a programme with video and audio', () => {
  test('comes out whole, wherever the bytes are cut', () => {
    const encoder = new Encoder();
    const bytes = concat(...encoder.tables(), ...encoder.frames(2));
    for (const chunks of everySplit(bytes)) {
      const { sink, demuxer } = receive();
      for (const chunk of chunks) demuxer.push(chunk, 0, chunk.length);
      demuxer.flush();
      assert.deepEqual(sink.tracks, [VIDEO_TRACK, AUDIO_TRACK]);
      assert.deepEqual(
        sink.video.map(({ data }) => data),
        [KEY_UNIT, avcc(AUD, slice(1))],
      );
      assert.deepEqual(
        sink.audio.map(({ data, ptsUs }) => [data, ptsUs]),
        [
          [AAC.subarray(7), 1_000_000],
          [AAC.subarray(7), 1_040_000],
        ],
      );
    }
  });

  test('is counted', () => {
    const { push, counters, clock, demuxer } = receive();
    const encoder = new Encoder();
    push(encoder.tables());
    for (let n = 0; n < 5; n += 1) {
      clock.nowMs = n * 40 + (n % 2) * 8;
      push(encoder.frame());
    }
    const packets = 2 + 5 * 2;
    const { jitterMs, ...rest } = counters();
    assert.deepEqual(rest, {
      lostPackets: 0,
      damagedUnits: 0,
      awaits: undefined,
      receivedBytes: packets * 188,
      receivedPackets: packets,
      clockPercent: undefined,
    });
    assert.ok(jitterMs > 1 && jitterMs < 8, `${jitterMs}`);
    assert.deepEqual(demuxer.notes, []);
  });

  test('joined in the middle: begins at the tables and a keyframe', () => {
    const { push, sink } = receive();
    const encoder = new Encoder();
    encoder.n = 3;
    push([...encoder.frames(2), ...encoder.tables(), ...encoder.frames(6)]);
    assert.equal(sink.units.length, 0);
    push(encoder.frames(2));
    assert.equal(sink.starts, 1);
    assert.equal(sink.video[0]?.randomAccess, true);
  });
});

describe('damage', () => {
  function damaged(change: (packets: Uint8Array[]) => Uint8Array[]) {
    const received = receive();
    const encoder = new Encoder();
    received.push([...encoder.tables(), ...encoder.frames(12)]);
    received.push(change(encoder.frames(2)));
    received.push(encoder.frames(8));
    received.demuxer.flush();
    return received;
  }

  test('a lost packet: its picture, and those up to the next keyframe', () => {
    const { sink, counters, demuxer } = damaged(([, ...rest]) => rest);
    assert.deepEqual(
      sink.video.map(({ ptsUs }) => ptsUs / 40_000 - 25),
      [...Array(11).keys(), 20, 21],
    );
    assert.equal(counters().lostPackets, 1);
    // The one before it may have lost its end: 11, and 13 to 19.
    assert.equal(counters().damagedUnits, 8);
    assert.deepEqual([...demuxer.continuityErrors], [[0x100, 1]]);
    assert.equal(sink.audio.length, 22);
  });

  test('a packet twice', () => {
    const { sink, counters } = damaged((packets) => packets.flatMap((packet) => [packet, packet]));
    assert.equal(sink.video.length, 22);
    assert.equal(sink.audio.length, 22);
    assert.equal(counters().damagedUnits, 0);
  });

  test('transport_error_indicator, scrambling: skipped, counted, told', () => {
    const { demuxer, counters } = damaged((packets) => {
      const [first, second, third, ...rest] = packets;
      first![1] = first![1]! | 0x80;
      second![3] = second![3]! | 0x80;
      return [first!, second!, third!, ...rest];
    });
    assert.equal(demuxer.erroneousPackets, 1);
    assert.equal(demuxer.scrambledPackets, 1);
    assert.deepEqual(demuxer.notes, ['Scrambled packets were skipped.']);
    assert.ok(counters().lostPackets >= 2);
  });

  test('bytes that are no packets', () => {
    const { demuxer, sink } = damaged(([first, ...rest]) => [first!, new Uint8Array(33), ...rest]);
    assert.equal(demuxer.resyncs, 1);
    assert.equal(sink.video.length, 22);
  });

  test('a table with a wrong CRC changes nothing', () => {
    const { demuxer, sink } = damaged((packets) => {
      const [pat, pmt] = new Encoder().tables();
      pmt![40] = pmt![40]! ^ 1;
      return [
        ...packets,
        pat!,
        tsPacket({ pid: PMT_PID, counter: 1, unitStart: true, payload: pmt!.subarray(4) }),
      ];
    });
    assert.equal(demuxer.damagedTables, 1);
    assert.equal(sink.video.length, 22);
  });
});

/** minisatip#1346. */
describe('changes of the programme', () => {
  test('the video moves to another PID: it begins anew there', () => {
    const { push, sink, demuxer } = receive();
    const encoder = new Encoder();
    push([...encoder.tables(), ...encoder.frames(10)]);
    encoder.video = { pid: 0x200, type: 0x1b };
    push([...encoder.tables({ version: 1 }), ...encoder.frames(10)]);
    demuxer.flush();
    assert.equal(sink.video.length, 20);
    assert.equal(sink.starts, 1);
    assert.notEqual(sink.video[9]?.track, sink.video[10]?.track);
    assert.equal(sink.audio.length, 20);
  });

  test('another codec on the same PID, and no other version', () => {
    const { push, sink } = receive();
    const encoder = new Encoder();
    push([...encoder.tables(), ...encoder.frames(3)]);
    const ac3 = concat(hex`0b77 0000 00 40 43 00`, new Uint8Array(120));
    encoder.audio = { pid: 0x101, type: 0x81 };
    push(encoder.tables());
    push(encoder.ts.pes(0x101, pesBytes(concat(ac3, ac3), 200_000, 0xbd)));
    assert.deepEqual(
      sink.audio.map(({ track }) => track.codec),
      ['aac', 'aac', 'aac', 'ac3'],
    );
  });

  test('a new version with the same streams disturbs nothing', () => {
    const { push, sink, counters } = receive();
    const encoder = new Encoder();
    push([...encoder.tables(), ...encoder.frames(5)]);
    const [first, ...rest] = encoder.ts.pes(
      0x100,
      pesBytes(
        concat(annexB(AUD, slice(5)), new Uint8Array(400).fill(5)),
        90_000 + 5 * FRAME,
        0xe0,
      ),
    );
    push([
      first!,
      ...encoder.tables({ version: 1, others: [{ pid: 0x150, type: 0x86 }] }),
      ...rest,
    ]);
    encoder.n = 6;
    push(encoder.frames(2));
    assert.equal(sink.video.length, 7);
    assert.equal(counters().damagedUnits, 0);
    assert.equal(new Set(sink.video.map(({ track }) => track)).size, 1);
  });

  test('the programme goes, and another comes', () => {
    const { push, sink, demuxer } = receive();
    const encoder = new Encoder();
    push([...encoder.tables(), ...encoder.frames(3)]);
    encoder.video = { pid: 0x300, type: 0x1b };
    encoder.audio = { pid: 0x301, type: 0x0f };
    encoder.n = 10;
    push([...encoder.tables({ program: 7, version: 1 }), ...encoder.frames(3)]);
    demuxer.flush();
    assert.equal(sink.video.length, 6);
    assert.equal(sink.starts, 1);
  });

  test('a PMT that is not in force yet is not followed', () => {
    const { push, sink } = receive();
    const encoder = new Encoder();
    push([
      ...encoder.tables(),
      ...encoder.ts.section(
        PMT_PID,
        pmtSection(1, [{ pid: 0x400, type: 0x24 }], { current: false }),
      ),
    ]);
    push(encoder.frames(2));
    assert.equal(sink.video.length, 1);
  });
});

describe('an encoder that is restarted', () => {
  for (const counters of ['go on', 'begin anew'] as const) {
    for (const awayMs of [300, 3_000, 7_000]) {
      test(`after ${awayMs} ms, counters ${counters}: times go on, sound stays with the picture`, () => {
        const { push, sink, clock, demuxer } = receive();
        let encoder = new Encoder();
        for (const frames of [50, 20]) {
          push(encoder.tables());
          for (let n = 0; n < frames; n += 1) {
            push(encoder.frame());
            clock.nowMs += 40;
          }
          clock.nowMs += awayMs;
          if (counters === 'begin anew') encoder = new Encoder();
          else encoder.n = 0;
        }
        demuxer.flush();
        // Where counters jump, nobody can tell whether the last picture was whole.
        const pictures = counters === 'go on' ? 70 : 69;
        assert.deepEqual([sink.video.length, sink.audio.length], [pictures, 70]);
        const restarted = sink.video[pictures - 20];
        const last = sink.audio[49];
        const sinceUs = (restarted?.ptsUs ?? 0) - (last?.ptsUs ?? 0);
        assert.ok(Math.abs(sinceUs - (40 + awayMs) * 1000) <= 40_000, `${sinceUs} us`);
        assert.equal(sink.audio[50]?.ptsUs, restarted?.ptsUs);
        assert.equal(sink.audio.at(-1)?.ptsUs, sink.video.at(-1)?.ptsUs);
      });
    }
  }
});

describe('which programme', () => {
  const other = { pid: 0x200, type: 0x1b };
  const pat = (ts: TsWriter) => ts.section(0, patSection({ 1: 0x1001, 2: 0x1002, 3: 0x1003 }));
  const pmt = (ts: TsWriter, program: number, ...streams: readonly PmtStream[]) =>
    ts.section(0x1000 + program, pmtSection(program, streams));
  const key = (ts: TsWriter, pid: number, pts: number) => ts.pes(pid, pesBytes(KEY, pts, 0xe0));
  const pids = (packets: readonly Uint8Array[]) => packets;

  test('the first with something that can be carried', () => {
    const { push, sink, demuxer } = receive();
    const ts = new TsWriter();
    push([
      ...pat(ts),
      ...pmt(ts, 3, VIDEO),
      ...pmt(ts, 1, { pid: 0x50, type: 0x02 }),
      ...pmt(ts, 2, other),
    ]);
    push(pids([...key(ts, 0x100, 0), ...key(ts, 0x200, FRAME)]));
    demuxer.flush();
    assert.deepEqual(
      sink.video.map(({ ptsUs }) => ptsUs),
      [40_000],
    );
  });

  test('that was asked for', () => {
    const { push, sink, demuxer } = receive({ program: 3 });
    const ts = new TsWriter();
    push([...pat(ts), ...pmt(ts, 2, other), ...pmt(ts, 3, VIDEO)]);
    push([...key(ts, 0x200, 0), ...key(ts, 0x100, FRAME)]);
    demuxer.flush();
    assert.deepEqual(
      sink.video.map(({ ptsUs }) => ptsUs),
      [40_000],
    );
  });

  test('does not wait for tables that never come', () => {
    const { push, sink, clock, demuxer } = receive();
    const ts = new TsWriter();
    push([...pat(ts), ...pmt(ts, 2, other), ...key(ts, 0x200, 0)]);
    clock.nowMs = 1000;
    push([...pat(ts), ...key(ts, 0x200, FRAME)]);
    demuxer.flush();
    assert.equal(sink.video.length, 1);
  });

  test('there is none: said so after a while, with what there is', () => {
    const cases = [
      {
        options: { program: 9 },
        streams: [VIDEO],
        words: /no programme 9, only 1, 2, 3\. Check program/,
      },
      {
        options: {},
        streams: [{ pid: 0x50, type: 0x02 }],
        words: /offers only video MPEG-2; H\.264/,
      },
      { options: { program: 1 }, streams: undefined, words: /do not come/ },
    ];
    for (const { options, streams, words } of cases) {
      const { push, clock } = receive(options);
      const ts = new TsWriter();
      const tables = () => [...pat(ts), ...(streams === undefined ? [] : pmt(ts, 1, ...streams))];
      push([...tables(), ...tables(), ...tables()]);
      clock.nowMs = 4_999;
      push([...tables(), ...tables()]);
      clock.nowMs = 5_000;
      assert.throws(
        () => push([...tables(), ...tables()]),
        (error) => error instanceof UnsupportedError && words.test(error.message),
      );
    }
  });

  test('layer II is refused when it comes, and the next audio is taken', () => {
    const { push, sink, demuxer } = receive();
    const ts = new TsWriter();
    const mp2 = concat(hex`fffd44c4`, new Uint8Array(188));
    const ac3 = concat(hex`0b77 0000 00 40 43 00`, new Uint8Array(120));
    push([
      ...pat(ts),
      ...pmt(ts, 1, VIDEO, { pid: 0x101, type: 0x03 }, { pid: 0x102, type: 0x81 }),
    ]);
    for (let n = 0; n < 6; n += 1) {
      push([
        ...key(ts, 0x100, n * FRAME),
        ...ts.pes(0x101, pesBytes(mp2, n * FRAME, 0xc0)),
        ...ts.pes(0x102, pesBytes(ac3, n * FRAME, 0xbd)),
      ]);
    }
    assert.deepEqual(
      sink.tracks?.map(({ codec }) => codec),
      ['h264', 'ac3'],
    );
    assert.ok(demuxer.notes.includes('Left out: audio, because it is MPEG audio layer II.'));
    assert.equal(sink.video[0]?.ptsUs, 0);
  });
});

test('what a keyframe is waited for with', () => {
  const { push, counters } = receive();
  const encoder = new Encoder();
  encoder.n = 1;
  push([...encoder.tables(), ...encoder.frames(3)]);
  assert.equal(counters().awaits, 'parameter-sets');
});

test('arbitrary packets, many of them plausible: only UnsupportedError', () => {
  const packet = fc.record({
    pid: fc.constantFrom(0, 0x100, 0x101, PMT_PID, 0x1fff),
    counter: fc.nat(15),
    unitStart: fc.boolean(),
    payload: fc.uint8Array({ minLength: 1, maxLength: 170 }),
    pcr: fc.nat(),
    discontinuity: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(packet, { minLength: 3, maxLength: 40 }), (packets) => {
      const { push, demuxer } = receive();
      const encoder = new Encoder();
      push([...encoder.tables(), ...encoder.frames(2)]);
      try {
        push(packets.map(tsPacket));
        demuxer.flush();
      } catch (error) {
        assert.ok(error instanceof UnsupportedError, String(error));
      }
    }),
  );
});
