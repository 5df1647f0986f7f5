import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { type AudioFormat, openFraming } from '../../../protocols/mpegts/audio-framing.ts';
import { AudioStream } from '../../../protocols/mpegts/audio-stream.ts';
import { hex, toHex } from '../../support/hex.ts';
import { StreamBench } from './elementary-streams.ts';

function open(format: AudioFormat, channels: 1 | 2 = 2) {
  const unsupported: string[] = [];
  const bench = new StreamBench(
    (outlet, clock) =>
      new AudioStream(openFraming(format, channels), outlet, clock, (what) =>
        unsupported.push(what),
      ),
  );
  return { bench, unsupported };
}

/** A frame without its header, long enough to hold what looks like sync words. */
const aacFrame = (n: number) =>
  concat(Uint8Array.of(n), hex`21 fff1 4c80 0b77 56e0 7fe0`, new Uint8Array(n).fill(n));

/** 48 kHz, stereo, AAC-LC; `44100` and so on by `rateIndex`. */
function adts(frame: Uint8Array, { rateIndex = 3, withCrc = false, blocks = 1 } = {}): Uint8Array {
  const length = (withCrc ? 9 : 7) + frame.length;
  return concat(
    Uint8Array.of(0xff, withCrc ? 0xf0 : 0xf1, 0x40 | (rateIndex << 2), 0x80 | (length >> 11)),
    Uint8Array.of((length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc | (blocks - 1)),
    withCrc ? hex`abcd` : new Uint8Array(),
    frame,
  );
}

const frames = (...numbers: readonly number[]) => numbers.map(aacFrame);
const adtsFrames = (...numbers: readonly number[]) =>
  concat(...frames(...numbers).map((frame) => adts(frame)));
const texts = (...numbers: readonly number[]) => frames(...numbers).map(toHex);
/** 1024 samples at 48 kHz. */
const FRAME = 1920;

describe('AAC in ADTS', () => {
  test('several frames in a packet: bare, each with its time, however the packets are cut', () => {
    for (let pieceBytes = 1; pieceBytes <= 70; pieceBytes += 1) {
      const { bench } = open('adts');
      bench.pieceBytes = pieceBytes;
      bench.send(
        { payload: adtsFrames(1, 2, 3), pts: 9000 },
        { payload: adtsFrames(4, 5), pts: 9000 + 3 * FRAME },
      );
      assert.deepEqual(bench.data, texts(1, 2, 3, 4, 5));
      assert.deepEqual(
        bench.times,
        [0, 1, 2, 3, 4].map((n) => `${9000 + n * FRAME}/${9000 + n * FRAME}`),
      );
      const [first] = bench.units;
      assert.deepEqual(first?.track, {
        kind: 'audio',
        codec: 'aac',
        config: hex`1190`,
        sampleRate: 48_000,
        channels: 2,
      });
      assert.ok(
        bench.units.every(({ track, randomAccess }) => track === first?.track && randomAccess),
      );
    }
  });

  test('frames over several packets: a time is for the first frame that begins in its packet', () => {
    const bytes = adtsFrames(1, 2, 3, 4);
    const second = adts(aacFrame(1)).length;
    for (let cut = second; cut <= bytes.length; cut += 1) {
      const { bench } = open('adts');
      const begun =
        [1, 2, 3].findLast((n) => cut > adtsFrames(...[1, 2, 3, 4].slice(0, n)).length) ?? 0;
      bench.send(
        { payload: bytes.subarray(0, cut), pts: 0 },
        { payload: bytes.subarray(cut), pts: (begun + 1) * FRAME },
      );
      assert.deepEqual(bench.data, texts(1, 2, 3, 4), `cut at ${cut}`);
      assert.deepEqual(
        bench.times,
        [0, 1, 2, 3].map((n) => `${n * FRAME}/${n * FRAME}`),
        `cut at ${cut}`,
      );
    }
  });

  test('times from sample counts: no error adds up at 44.1 kHz', () => {
    const { bench } = open('adts');
    const many = Array.from({ length: 43 }, (_, n) => adts(aacFrame(n), { rateIndex: 4 }));
    bench.send({ payload: concat(...many), pts: 0 });
    assert.equal(bench.units.at(-1)?.ptsUs, Math.round((42 * 1024 * 1_000_000) / 44_100));
  });

  test('a packet without a time goes on', () => {
    const { bench } = open('adts');
    bench.send({ payload: adtsFrames(1, 2), pts: 0 }, { payload: adtsFrames(3) });
    assert.deepEqual(bench.times.at(-1), '3840/3840');
  });

  test('never a time: from the PCR', () => {
    const { bench } = open('adts');
    bench.clock.notePcr(90_000);
    bench.send({ payload: adtsFrames(1, 2) });
    assert.deepEqual(bench.times, ['90000/90000', '91920/91920']);
    assert.equal(bench.stream.repairedTimes, 1);
  });

  test('with checksums', () => {
    const { bench } = open('adts');
    bench.send({ payload: adts(aacFrame(7), { withCrc: true }), pts: 0 });
    assert.deepEqual(bench.data, texts(7));
  });

  test('another rate: another track', () => {
    const { bench } = open('adts');
    bench.send({ payload: concat(adtsFrames(1), adts(aacFrame(2), { rateIndex: 4 })), pts: 0 });
    assert.deepEqual(
      bench.units.map(({ track }) => track.kind === 'audio' && track.sampleRate),
      [48_000, 44_100],
    );
    assert.equal(bench.units[1]?.ptsUs, 21_333);
  });

  test('joined in the middle of a frame', () => {
    const { bench } = open('adts');
    bench.send(
      { payload: concat(aacFrame(9).subarray(3), adtsFrames(1, 2)), pts: 0 },
      { payload: adtsFrames(3), pts: 2 * FRAME },
    );
    assert.deepEqual(bench.data, texts(1, 2, 3));
    assert.equal(bench.stream.damagedUnits, 0);
  });

  test('junk between frames: the step is found again, and what only looked like a frame is dropped', () => {
    const { bench } = open('adts');
    bench.send({ payload: adtsFrames(1), pts: 0 });
    bench.send({
      payload: concat(hex`00ff f1ff f1 4c80 0001 1ffc 00`, adtsFrames(2, 3)),
      pts: FRAME,
    });
    bench.send({ payload: adtsFrames(4, 5), pts: 3 * FRAME });
    assert.deepEqual(bench.data.slice(0, 1), texts(1));
    assert.deepEqual(bench.data.slice(-2), texts(4, 5));
    assert.ok(bench.stream.damagedUnits > 0);
  });

  test('a loss: what was begun is dropped, up to the next packet', () => {
    const { bench } = open('adts');
    bench.send({ payload: adtsFrames(1, 2), pts: 0 });
    bench.send({ payload: adtsFrames(3).subarray(0, 12), pts: 2 * FRAME });
    bench.reader.gap();
    bench.reader.payload(adtsFrames(4, 5), 5, 20, false);
    bench.send({ payload: adtsFrames(6), pts: 5 * FRAME });
    assert.deepEqual(bench.data, texts(1, 2, 6));
    assert.deepEqual(bench.times.at(-1), '9600/9600');
    assert.equal(bench.stream.damagedUnits, 1);
  });

  test('several raw data blocks in a frame are told, not carried', () => {
    const { bench, unsupported } = open('adts');
    const frame = adts(aacFrame(1), { blocks: 2 });
    bench.send(
      { payload: frame, pts: 0 },
      { payload: frame, pts: FRAME },
      { payload: frame, pts: 2 * FRAME },
    );
    assert.deepEqual(bench.data, []);
    assert.deepEqual(unsupported, ['2 AAC frames in one ADTS frame']);
  });

  test('frames that a sink keeps', () => {
    const { bench } = open('adts');
    bench.keeps = true;
    bench.send({ payload: adtsFrames(1, 2, 3), pts: 0 });
    assert.deepEqual(bench.data, texts(1, 2, 3));
  });
});

describe('MPEG audio', () => {
  /** 48 kHz, 64 kbit/s, mono: 192 bytes. */
  const mp3 = (n: number) => concat(hex`fffb54c4`, new Uint8Array(188).fill(n));
  /** The same of layer II. */
  const mp2 = (n: number) => concat(hex`fffd44c4`, new Uint8Array(188).fill(n));

  test('layer III: frames with their headers', () => {
    for (const pieceBytes of [1, 7, 184, 1000]) {
      const { bench } = open('mpeg-audio');
      bench.pieceBytes = pieceBytes;
      bench.send({ payload: concat(mp3(1), mp3(2)), pts: 0 }, { payload: mp3(3), pts: 2 * 2160 });
      assert.deepEqual(bench.data, [mp3(1), mp3(2), mp3(3)].map(toHex));
      assert.deepEqual(bench.times, ['0/0', '2160/2160', '4320/4320']);
      assert.deepEqual(bench.units[0]?.track, {
        kind: 'audio',
        codec: 'mp3',
        sampleRate: 48_000,
        channels: 1,
      });
    }
  });

  test('layer II is named', () => {
    const { bench, unsupported } = open('mpeg-audio');
    for (let n = 0; n < 6; n += 1) bench.send({ payload: mp2(n), pts: n * 2160 });
    assert.deepEqual(bench.units, []);
    assert.deepEqual(unsupported, ['MPEG audio layer II']);
  });
});

describe('AC-3', () => {
  /** 48 kHz, 32 kbit/s, stereo: 128 bytes. */
  const ac3 = (n: number) => concat(hex`0b77 0000 00 40 43 00`, new Uint8Array(120).fill(n));
  /** E-AC-3, 48 kHz, stereo, 64 bytes, six blocks; independent, or dependent on the one before. */
  const eac3 = (n: number, streamType: 0 | 1) =>
    concat(
      Uint8Array.of(0x0b, 0x77, streamType << 6, 31, 0x34, 0x80, 0, 0),
      new Uint8Array(56).fill(n),
    );

  test('syncframes as they are; the last of a packet that states its length does not wait', () => {
    const { bench } = open('ac3');
    for (let n = 0; n < 20; n += 1) {
      bench.send({ payload: concat(ac3(n), ac3(n)), pts: n * 2 * 2880, bounded: true });
    }
    assert.equal(bench.units.length, 40);
    assert.deepEqual(bench.times.slice(0, 3), ['0/0', '2880/2880', '5760/5760']);
    assert.deepEqual(bench.units[0]?.track, {
      kind: 'audio',
      codec: 'ac3',
      sampleRate: 48_000,
      channels: 2,
    });
  });

  test('E-AC-3 with dependent substreams: one unit', () => {
    for (const pieceBytes of [1, 9, 184]) {
      const { bench } = open('ac3');
      bench.pieceBytes = pieceBytes;
      const units = [1, 2, 3].map((n) => concat(eac3(n, 0), eac3(n, 1)));
      bench.send({ payload: concat(...units), pts: 0 }).flush();
      assert.deepEqual(bench.data, units.map(toHex));
      assert.deepEqual(bench.times, ['0/0', '2880/2880', '5760/5760']);
      assert.equal(bench.units[0]?.track.codec, 'eac3');
    }
  });
});

describe('Opus', () => {
  /** CELT, 20 ms, stereo. */
  const packet = (length: number) => concat(hex`fc`, new Uint8Array(length - 1).fill(0x33));
  const control = (size: number, flags = 0) => {
    const sizes = [...new Array<number>(Math.floor(size / 255)).fill(255), size % 255];
    return Uint8Array.of(0x7f, 0xe0 | flags, ...sizes);
  };
  const TRIMS = 0x18;
  const EXTENSION = 0x04;

  test('packets behind their control headers, of every length', () => {
    const lengths = [1, 2, 3, 254, 255, 256, 600];
    const payload = concat(...lengths.flatMap((length) => [control(length), packet(length)]));
    for (const pieceBytes of [1, 5, 184]) {
      const { bench } = open('opus');
      bench.pieceBytes = pieceBytes;
      bench.send({ payload, pts: 0 });
      assert.deepEqual(
        bench.data,
        lengths.map((length) => toHex(packet(length))),
      );
      assert.deepEqual(bench.times.slice(0, 3), ['0/0', '1800/1800', '3600/3600']);
    }
  });

  test('trims and extensions are passed over', () => {
    const { bench } = open('opus', 1);
    const payload = concat(
      control(9, TRIMS | EXTENSION),
      hex`0138 0000 02 aabb`,
      packet(9),
      control(4),
      packet(4),
    );
    bench.send({ payload, pts: 0 });
    assert.deepEqual(bench.data, [packet(9), packet(4)].map(toHex));
    const [track] = bench.units.map((unit) => unit.track);
    assert.ok(track?.codec === 'opus' && track.channels === 1);
  });
});

describe('AAC in LATM', () => {
  // ffmpeg 5.1, `-c:a aac -f latm`, silence of 48 kHz, stereo: with its configuration, and without.
  const WITH_CONFIG = hex`56e01e 200011901fe0bef01002630bb319a9c97199b9718981800211004608c1c0`;
  const WITHOUT = hex`56e008 8310880230460e00`;
  /** What lies in the second one from its tenth bit on. */
  const BARE = '211004608c1c';

  test('frames moved to where bytes begin, the configuration from the stream', () => {
    for (const pieceBytes of [1, 10, 184]) {
      const { bench } = open('loas');
      bench.pieceBytes = pieceBytes;
      bench.keeps = true;
      // Nothing can be made of the first one, and nobody knows how long it lasts.
      bench.send({ payload: concat(WITHOUT, WITHOUT), pts: 0 });
      bench.send({ payload: concat(WITH_CONFIG, WITHOUT, WITHOUT), pts: FRAME });
      assert.deepEqual(bench.data.slice(1), [BARE, BARE]);
      assert.deepEqual(bench.times, ['1920/1920', '3840/3840', '5760/5760']);
      assert.deepEqual(bench.units[0]?.track, {
        kind: 'audio',
        codec: 'aac',
        config: hex`1190`,
        sampleRate: 48_000,
        channels: 2,
      });
    }
  });
});

test('arbitrary bytes in arbitrary packets never throw', () => {
  const byte = fc.oneof(fc.constantFrom(0xff, 0xf1, 0x0b, 0x77, 0x56, 0xe0, 0x7f, 0), fc.nat(255));
  const packet = fc.record({
    payload: fc.array(byte, { maxLength: 300 }).map((list) => Uint8Array.from(list)),
    pts: fc.integer({ min: 0, max: 2 ** 33 - 1 }),
    gap: fc.boolean(),
  });
  for (const format of ['adts', 'loas', 'mpeg-audio', 'ac3', 'opus'] as const) {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 10 }), (packets) => {
        open(format)
          .bench.send(...packets)
          .flush();
      }),
      { numRuns: 200 },
    );
  }
});
