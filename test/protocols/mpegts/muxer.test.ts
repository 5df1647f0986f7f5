import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { concat } from '../../../codecs/bytes.ts';
import {
  opusTrack,
  serializeOpusIdentificationHeader,
} from '../../../codecs/opus/identification-header.ts';
import type { AudioTrack, Track, VideoTrack } from '../../../codecs/track.ts';
import { TsDemuxer } from '../../../protocols/mpegts/demuxer.ts';
import { TsMuxer } from '../../../protocols/mpegts/muxer.ts';
import { pcrBase, TS_PACKET_BYTES, TsPacket } from '../../../protocols/mpegts/ts-packet.ts';
import { hex, toHex } from '../../support/hex.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { avcc } from '../../support/rtp-packets.ts';
import {
  AUDIO_TRACK,
  G711_TRACK,
  HEVC_TRACK,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
} from '../../support/units.ts';

const AUD = hex`09f0`;
const { sps, pps } = VIDEO_TRACK;
const IDR = hex`658884aabbcc`;
/** first_mb_in_slice is not 0. */
const FURTHER_SLICE = hex`411a77`;
const HEVC_AUD = hex`460150`;
const HEVC_IDR = hex`2601aabbcc`;
const START_TICKS = 126_000;

function slice(n: number, byteLength = 4): Uint8Array {
  return concat(hex`419a`, Uint8Array.of(n, 0x77), new Uint8Array(byteLength).fill(0x55));
}

function unit(
  track: Track,
  data: Uint8Array,
  dtsUs: number,
  { ptsUs = dtsUs, randomAccess = true } = {},
): AccessUnit {
  return { track, data, dtsUs, ptsUs, randomAccess, kept: false };
}

function mux(tracks: readonly Track[], units: readonly AccessUnit[], muxer = new TsMuxer()) {
  muxer.start(tracks);
  return units.map((each) => {
    const before = toHex(each.data);
    const frame = muxer.frame(each);
    assert.equal(toHex(each.data), before, 'the unit is as it was');
    return frame ?? new Uint8Array(0);
  });
}

function demux(frames: readonly Uint8Array[]) {
  const sink = new RecordingSink();
  const demuxer = new TsDemuxer({ sink, now: () => 0, program: undefined });
  for (const frame of frames) demuxer.push(frame, 0, frame.length);
  demuxer.flush();
  assert.deepEqual([...demuxer.continuityErrors], []);
  assert.deepEqual(demuxer.notes, []);
  return sink;
}

function packetsOf(frame: Uint8Array): TsPacket[] {
  assert.equal(frame.length % TS_PACKET_BYTES, 0);
  return Array.from({ length: frame.length / TS_PACKET_BYTES }, (_, index) => {
    const packet = new TsPacket();
    assert.ok(packet.read(frame, index * TS_PACKET_BYTES));
    return packet;
  });
}

describe('a picture', () => {
  const cases: readonly {
    readonly name: string;
    readonly track: VideoTrack;
    readonly sent: readonly Uint8Array[];
    readonly randomAccess?: boolean;
    readonly want: readonly Uint8Array[];
  }[] = [
    {
      name: 'its parameter sets are put before it',
      track: VIDEO_TRACK,
      sent: [IDR],
      want: [AUD, sps, pps, IDR],
    },
    {
      name: 'what it brings itself stays as it is',
      track: VIDEO_TRACK,
      sent: [hex`0910`, sps, pps, hex`0605 01 aa 80`, IDR],
      want: [hex`0910`, sps, pps, hex`0605 01 aa 80`, IDR],
    },
    {
      name: 'one set of two: both come, behind its own delimiter',
      track: VIDEO_TRACK,
      sent: [hex`0910`, sps, IDR],
      want: [hex`0910`, sps, pps, sps, IDR],
    },
    {
      name: 'not a random access point: only the delimiter',
      track: VIDEO_TRACK,
      sent: [slice(1), FURTHER_SLICE],
      randomAccess: false,
      want: [AUD, slice(1), FURTHER_SLICE],
    },
    {
      name: 'H.265',
      track: HEVC_TRACK,
      sent: [HEVC_IDR],
      want: [HEVC_AUD, HEVC_TRACK.vps, HEVC_TRACK.sps, HEVC_TRACK.pps, HEVC_IDR],
    },
    {
      name: 'H.265 with everything',
      track: HEVC_TRACK,
      sent: [HEVC_AUD, HEVC_TRACK.vps, HEVC_TRACK.sps, HEVC_TRACK.pps, HEVC_IDR],
      want: [HEVC_AUD, HEVC_TRACK.vps, HEVC_TRACK.sps, HEVC_TRACK.pps, HEVC_IDR],
    },
  ];
  for (const { name, track, sent, randomAccess = true, want } of cases) {
    test(name, () => {
      const first = track.codec === 'h264' ? IDR : HEVC_IDR;
      const frames = mux(
        [track],
        [
          unit(track, avcc(first), 0),
          unit(track, avcc(...sent), 40_000, { ptsUs: 80_000, randomAccess }),
        ],
      );
      const [, got] = demux(frames).video;
      assert.equal(toHex(got!.data), toHex(avcc(...want)));
      assert.equal(got!.ptsUs - got!.dtsUs, 40_000);
      assert.equal(got!.randomAccess, randomAccess);
    });
  }

  test('of every size, to the byte: stuffing never adds or takes one', () => {
    const units = [unit(VIDEO_TRACK, avcc(AUD, sps, pps, IDR), 0)];
    for (let size = 0; size < 400; size += 1) {
      const data = avcc(AUD, slice(size & 0x7f, size));
      const at = (size + 1) * 40_000;
      units.push(unit(VIDEO_TRACK, data, at, { randomAccess: size % 3 === 0, ptsUs: at }));
    }
    const got = demux(mux([VIDEO_TRACK], units)).video;
    // The parameter sets that every third is given are the only difference.
    const withoutSets = got.map(({ data }) => toHex(data).replaceAll(toHex(avcc(sps, pps)), ''));
    const wanted = units.map(({ data }) => toHex(data).replaceAll(toHex(avcc(sps, pps)), ''));
    assert.deepEqual(withoutSets, wanted);
  });

  test('larger than a PES packet can say', () => {
    const data = avcc(AUD, sps, pps, concat(IDR, new Uint8Array(300_000).fill(0x5a)));
    const got = demux(
      mux([VIDEO_TRACK], [unit(VIDEO_TRACK, data, 0), unit(VIDEO_TRACK, data, 40_000)]),
    ).video;
    assert.equal(got.length, 2);
    assert.deepEqual(got[0]?.data, data);
    assert.deepEqual(got[1]?.data, data);
  });

  test('lengths that do not fit it: it is not carried, and the next is', () => {
    const muxer = new TsMuxer();
    muxer.start([VIDEO_TRACK]);
    for (const data of [hex`000000`, hex`00000005 65`, hex`ffffffff 65aa`]) {
      assert.equal(muxer.frame(unit(VIDEO_TRACK, data, 0)), undefined);
    }
    assert.ok(muxer.frame(unit(VIDEO_TRACK, avcc(IDR), 0)));
  });
});

describe('sound', () => {
  const opus = opusTrack(serializeOpusIdentificationHeader(2));
  const cases: readonly { track: AudioTrack; units: readonly Uint8Array[] }[] = [
    { track: AUDIO_TRACK, units: [hex`210049900219`, new Uint8Array(700).fill(0x21)] },
    // AC-3, 48 kHz, 64 kbit/s, stereo.
    {
      track: { kind: 'audio', codec: 'ac3', sampleRate: 48_000, channels: 2 },
      units: [1, 2].map((fill) =>
        concat(hex`0b77 0000 08 40 43 00`, new Uint8Array(248).fill(fill)),
      ),
    },
    // MPEG-1 layer III, 48 kHz, 64 kbit/s, mono.
    {
      track: { kind: 'audio', codec: 'mp3', sampleRate: 48_000, channels: 1 },
      units: [1, 2].map((fill) => concat(hex`fffb54c4`, new Uint8Array(188).fill(fill))),
    },
    // CELT, 20 ms: shorter than 255 bytes, as long, and longer.
    { track: opus, units: [100, 255, 600].map((size) => new Uint8Array(size).fill(0xfc)) },
  ];
  for (const { track, units } of cases) {
    for (const video of [true, false]) {
      test(`${track.codec}${video ? ' beside pictures' : ' alone'}`, () => {
        const tracks = video ? [VIDEO_TRACK, track] : [track];
        const all = units.map((data, index) => unit(track, data, index * 1_000_000));
        if (video) all.unshift(unit(VIDEO_TRACK, avcc(IDR), 0));
        const { audio } = demux(mux(tracks, all));
        assert.deepEqual(
          audio.map(({ data }) => data),
          units,
        );
        assert.equal(audio[0]?.track.codec, track.codec);
        assert.equal(audio[1]!.ptsUs - audio[0]!.ptsUs, 1_000_000);
      });
    }
  }

  test('what MPEG-TS has no form for is left out', () => {
    const frames = mux(
      [VIDEO_TRACK, G711_TRACK],
      [unit(VIDEO_TRACK, avcc(IDR), 0), unit(G711_TRACK, hex`d5d5`, 0)],
    );
    assert.equal(frames[1]?.length, 0);
    assert.equal(demux(frames).tracks?.length, 1);
    const eldConfig = hex`f8e85000`;
    const eld: AudioTrack = { ...AUDIO_TRACK, config: eldConfig };
    for (const track of [eld, { ...AUDIO_TRACK, config: hex`11` }, { ...opus, channels: 6 }]) {
      assert.deepEqual(mux([track], [unit(track, hex`aabb`, 0)]), [new Uint8Array(0)]);
    }
    const tooLarge = unit(AUDIO_TRACK, new Uint8Array(8_185), 0);
    assert.deepEqual(mux([AUDIO_TRACK], [tooLarge]), [new Uint8Array(0)]);
  });
});

describe('for viewers who come and go', () => {
  const gop = (from: number) =>
    Array.from({ length: 5 }, (_, n) =>
      unit(
        VIDEO_TRACK,
        n === 0 ? avcc(AUD, sps, pps, IDR) : avcc(AUD, slice(n)),
        from + n * 40_000,
        {
          randomAccess: n === 0,
        },
      ),
    );

  test('any random access point is a beginning', () => {
    const units = [...gop(0), ...gop(200_000), ...gop(400_000)];
    const frames = mux([VIDEO_TRACK], units);
    for (const start of [0, 5, 10]) {
      const got = demux(frames.slice(start)).video;
      assert.deepEqual(
        got.map(({ data }) => data),
        units.slice(start).map(({ data }) => data),
      );
    }
  });

  test('tables at least every 500 ms', () => {
    const units = [
      unit(VIDEO_TRACK, avcc(IDR), 0),
      ...Array.from({ length: 20 }, (_, n) =>
        unit(VIDEO_TRACK, avcc(slice(n)), (n + 1) * 100_000, { randomAccess: false }),
      ),
    ];
    const at = mux([VIDEO_TRACK], units).flatMap((frame, index) =>
      packetsOf(frame)[0]?.pid === 0 ? [index] : [],
    );
    assert.deepEqual(at, [0, 5, 10, 15, 20]);
  });

  test('another codec is another version of the tables, in the same packets’ sequence', () => {
    const muxer = new TsMuxer();
    const frames = [
      ...mux([VIDEO_TRACK], gop(0), muxer),
      // Other parameter sets are no other tables.
      ...mux([OTHER_VIDEO_TRACK], [unit(OTHER_VIDEO_TRACK, avcc(IDR), 200_000)], muxer),
      ...mux([HEVC_TRACK], [unit(HEVC_TRACK, avcc(HEVC_IDR), 240_000)], muxer),
    ];
    const versions = frames.flatMap((frame) =>
      packetsOf(frame)
        .filter(({ pid }) => pid === 0x1000)
        .map(({ start }) => ((frame[start + 6] ?? 0) >> 1) & 0x1f),
    );
    assert.deepEqual(versions, [1, 1, 2]);
    assert.deepEqual(
      demux(frames)
        .video.map(({ track }) => track.codec)
        .slice(-2),
      ['h264', 'h265'],
    );
  });

  test('the clock is in the pictures, or in the sound where there is none, and before all times', () => {
    const videoAt = gop(0).map(({ dtsUs }) => dtsUs);
    const sounds = [0, 20_000].map((at) => unit(AUDIO_TRACK, hex`2100`, at));
    for (const [tracks, units, pid] of [
      [[VIDEO_TRACK, AUDIO_TRACK], [...gop(0), ...sounds], 0x100],
      [[AUDIO_TRACK], sounds, 0x101],
    ] as const) {
      const clocks = mux(tracks, units).flatMap((frame) =>
        packetsOf(frame)
          .filter(({ pcrAt }) => pcrAt > 0)
          .map((packet) => [packet.pid, pcrBase(frame, packet.pcrAt)] as const),
      );
      const times = pid === 0x100 ? videoAt : [0, 20_000];
      assert.deepEqual(
        clocks,
        times.map((us) => [pid, START_TICKS + us * 0.09 - 36_000]),
      );
    }
  });
});

test('times wrap at 33 bits, and PTS − DTS stays exact', () => {
  const wrapUs = Math.round((2 ** 33 - START_TICKS) / 0.09);
  const units = [-1_000_000, -33_333, 0, 33_333].map((at, index) =>
    unit(VIDEO_TRACK, avcc(AUD, sps, pps, IDR), wrapUs + at, {
      ptsUs: wrapUs + at + index * 33_333,
    }),
  );
  const got = demux(mux([VIDEO_TRACK], units)).video;
  assert.deepEqual(
    got.map(({ ptsUs, dtsUs }) => Math.round((ptsUs - dtsUs) / 100)),
    [0, 333, 667, 1000],
  );
  assert.ok(Math.abs(got[3]!.dtsUs - got[0]!.dtsUs - 1_033_333) < 20);
});

test('muxed and demuxed it is the same, whatever the sizes and times', () => {
  const arbitraryUnit = fc.record({
    isVideo: fc.boolean(),
    nalUnits: fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 4 }),
    delayUs: fc.integer({ min: 0, max: 200_000 }),
    stepUs: fc.integer({ min: 1_000, max: 100_000 }),
    fill: fc.integer({ min: 1, max: 255 }),
  });
  fc.assert(
    fc.property(fc.array(arbitraryUnit, { minLength: 1, maxLength: 30 }), (wanted) => {
      let at = 0;
      const units = [
        unit(VIDEO_TRACK, avcc(AUD, sps, pps, IDR), 0),
        unit(AUDIO_TRACK, hex`2100`, 0),
      ];
      for (const { isVideo, nalUnits, delayUs, stepUs, fill } of wanted) {
        at += stepUs;
        const [size = 0] = nalUnits;
        const data = isVideo
          ? avcc(
              AUD,
              ...nalUnits.map((bytes, index) =>
                concat(index === 0 ? hex`419a` : FURTHER_SLICE, new Uint8Array(bytes).fill(fill)),
              ),
            )
          : new Uint8Array(size + 1).fill(fill);
        units.push(
          isVideo
            ? unit(VIDEO_TRACK, data, at, { randomAccess: false, ptsUs: at + delayUs })
            : unit(AUDIO_TRACK, data, at),
        );
      }
      const sink = demux(mux([VIDEO_TRACK, AUDIO_TRACK], units));
      for (const kind of ['video', 'audio'] as const) {
        const sent = units.filter(({ track }) => track.kind === kind);
        const got = sink[kind];
        assert.equal(got.length, sent.length);
        for (const [index, each] of got.entries()) {
          assert.equal(toHex(each.data), toHex(sent[index]!.data));
          const delay = each.ptsUs - each.dtsUs - (sent[index]!.ptsUs - sent[index]!.dtsUs);
          assert.ok(Math.abs(delay) <= 12, `PTS − DTS is off by ${delay} µs`);
        }
      }
    }),
    { numRuns: 200 },
  );
});
