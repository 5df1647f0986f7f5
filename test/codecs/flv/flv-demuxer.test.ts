import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../../codecs/access-unit.ts';
import { concat } from '../../../codecs/bytes.ts';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { type FlvCounters, FlvDemuxer } from '../../../codecs/flv/flv-demuxer.ts';
import { sequenceHeader } from '../../../codecs/flv/sequence-header.ts';
import { serializeHevcDecoderConfigurationRecord } from '../../../codecs/h265/decoder-configuration-record.ts';
import type { H265Track, Track } from '../../../codecs/track.ts';
import { hex, toHex } from '../../support/hex.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { AUDIO_TRACK, OTHER_VIDEO_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { MAIN } from '../h265/streams.ts';

const AUDIO = 8;
const VIDEO = 9;
const SCRIPT = 18;

/** A demuxer, its sink, and a clock that the test turns. */
class Bench {
  readonly sink = new RecordingSink();
  nowMs = 5_000;
  readonly demuxer = new FlvDemuxer(this.sink, () => this.nowMs);

  /** The body is overwritten behind it, as a reader would. */
  push(type: number, timestampMs: number, body: Uint8Array): this {
    const lent = new Uint8Array(ACCESS_UNIT_HEADROOM + body.length);
    lent.set(body, ACCESS_UNIT_HEADROOM);
    const isKept = this.demuxer.push(type, timestampMs, lent.subarray(ACCESS_UNIT_HEADROOM));
    assert.equal(isKept, false);
    assert.deepEqual(lent.subarray(ACCESS_UNIT_HEADROOM), body);
    lent.fill(0xee);
    return this;
  }

  video(timestampMs: number, body: Uint8Array): this {
    return this.push(VIDEO, timestampMs, body);
  }

  audio(timestampMs: number, body: Uint8Array): this {
    return this.push(AUDIO, timestampMs, body);
  }

  /** Sequence headers of H.264 and AAC. */
  configured(): this {
    return this.video(0, header(VIDEO_TRACK)).audio(0, header(AUDIO_TRACK));
  }

  get counters(): FlvCounters {
    const counters: FlvCounters = { damagedUnits: 0, awaits: undefined, clockPercent: undefined };
    this.demuxer.readCounters(counters);
    return counters;
  }

  /** What the sink got, one line each: kind, DTS and PTS in ms, K, bytes. */
  get seen(): string[] {
    return this.sink.units.map(({ kind, dtsUs, ptsUs, randomAccess, data }) => {
      const key = kind === 'video' && randomAccess ? ' K' : '';
      return `${kind} ${dtsUs / 1000} ${ptsUs / 1000}${key} ${toHex(data)}`;
    });
  }
}

/** The whole body of a sequence header. */
function header(track: Track): Uint8Array {
  if (track.codec === 'h265') return concat(hex`90 68766331`, hevcRecord(track));
  const body = sequenceHeader(track, 'enhanced');
  assert.ok(body !== undefined);
  return body;
}

function hevcRecord({ vps, sps, pps }: H265Track): Uint8Array {
  return serializeHevcDecoderConfigurationRecord([vps], [sps], [pps]);
}

const IDR = hex`17 01 000000 00000003 658801`;
const INTER = hex`27 01 000000 00000003 419a01`;
const AAC = hex`af01 21004f`;

describe('pictures and sounds', () => {
  test('H.264 with B-frames, AAC: bytes and times as they came', () => {
    const bench = new Bench()
      .configured()
      .video(40, hex`17 01 000050 00000002 6588`)
      .audio(45, AAC)
      .video(80, hex`27 01 0000a0 00000002 419a 00000001 0c`)
      .video(120, hex`27 01 ffffd8 00000002 019e`);
    assert.deepEqual(bench.sink.tracks, [VIDEO_TRACK, AUDIO_TRACK]);
    assert.deepEqual(bench.seen, [
      'video 40 120 K 000000026588',
      'audio 45 45 21004f',
      'video 80 240 00000002419a000000010c',
      'video 120 80 00000002019e',
    ]);
    assert.equal(bench.sink.starts, 1);
    assert.equal(bench.counters.damagedUnits, 0);
  });

  const pictures: [string, Uint8Array, Uint8Array, string][] = [
    [
      'lengths of one byte become four',
      hex`17 00 000000 01 42c01e fc e1 0017 ${toHex(VIDEO_TRACK.sps)} 01 0005 68cb83cb20`,
      hex`17 01 000000 02 0910 03 658801`,
      '000000020910 00000003658801',
    ],
    [
      'lengths of two bytes become four',
      hex`17 00 000000 01 42c01e fd e1 0017 ${toHex(VIDEO_TRACK.sps)} 01 0005 68cb83cb20`,
      hex`17 01 000000 0002 0910 0003 658801`,
      '000000020910 00000003658801',
    ],
    [
      'further parameter sets of the record go before the picture, behind its delimiter',
      hex`17 00 000000 01 42c01e ff e1 0017 ${toHex(VIDEO_TRACK.sps)} 02 0005 68cb83cb20 0003 685ace`,
      hex`17 01 000000 00000002 0910 00000003 658801`,
      '000000020910 00000003685ace 00000003658801',
    ],
    [
      'the same without a delimiter',
      hex`17 00 000000 01 42c01e ff e1 0017 ${toHex(VIDEO_TRACK.sps)} 02 0005 68cb83cb20 0003 685ace`,
      IDR,
      '00000003685ace 00000003658801',
    ],
    [
      'empty NAL units disappear',
      header(VIDEO_TRACK),
      hex`17 01 000000 00000000 00000001 65`,
      '0000000165',
    ],
  ];
  for (const [name, record, picture, want] of pictures) {
    test(name, () => {
      const bench = new Bench();
      bench.video(0, record).audio(0, header(AUDIO_TRACK)).video(0, picture).audio(0, AAC);
      assert.deepEqual(bench.sink.tracks?.[0], VIDEO_TRACK);
      assert.equal(toHex(bench.sink.video[0]!.data), want.replaceAll(' ', ''));
    });
  }

  const HEVC = '00000003 260188';
  const hevc: [string, Uint8Array, Uint8Array, string][] = [
    [
      'with codec id 12',
      concat(hex`1c 00 000000`, hevcRecord(MAIN)),
      hex`1c 01 000028 ${HEVC}`,
      '0 40',
    ],
    ['of enhanced RTMP', header(MAIN), hex`91 68766331 000028 ${HEVC}`, '0 40'],
    ['of enhanced RTMP without composition time', header(MAIN), hex`93 68766331 ${HEVC}`, '0 0'],
  ];
  for (const [name, record, picture, times] of hevc) {
    test(`H.265 ${name}`, () => {
      const bench = new Bench().video(0, record).audio(0, header(AUDIO_TRACK));
      bench.video(0, picture).audio(0, AAC);
      assert.deepEqual(bench.sink.tracks, [MAIN, AUDIO_TRACK] satisfies [H265Track, Track]);
      assert.equal(bench.seen[0], `video ${times} K ${HEVC.replaceAll(' ', '')}`);
    });
  }

  /** Reolink, with codec id 12 or as enhanced RTMP (go2rtc#1938). */
  test('H.265: pictures that refer to what is before the first random access point are held back', () => {
    const bench = new Bench().video(0, header(MAIN)).audio(0, header(AUDIO_TRACK)).audio(0, AAC);
    bench.video(40, hex`93 68766331 00000003 2a0188`).video(80, hex`a3 68766331 00000003 120188`);
    bench.video(120, hex`a3 68766331 00000003 020188`);
    assert.deepEqual(
      bench.sink.video.map(({ data }) => toHex(data.subarray(4))),
      ['2a0188', '020188'],
    );
  });

  const passed: [string, Uint8Array, Uint8Array, Uint8Array, Track][] = [
    [
      'AV1',
      hex`90 61763031 81040c00`,
      hex`91 61763031 0a0b`,
      hex`a1 61763031 320c`,
      { kind: 'video', codec: 'av1', config: hex`81040c00` },
    ],
    [
      'VP9',
      hex`90 76703039 01000000 00 0a 82 01 01 01 0000`,
      hex`91 76703039 8249`,
      hex`a1 76703039 8600`,
      { kind: 'video', codec: 'vp9', config: hex`01000000 00 0a 82 01 01 01 0000` },
    ],
  ];
  for (const [name, record, key, inter, track] of passed) {
    test(`${name} passes through, from the first keyframe on`, () => {
      const bench = new Bench().video(0, record).audio(0, header(AUDIO_TRACK)).audio(0, AAC);
      bench.video(0, inter).video(40, key).video(80, inter).video(100, record).video(120, inter);
      assert.deepEqual(bench.sink.tracks, [track, AUDIO_TRACK]);
      assert.deepEqual(
        bench.sink.video.map(({ data }) => toHex(data)),
        [key, inter, inter].map((body) => toHex(body.subarray(5))),
      );
      assert.equal(new Set(bench.sink.video.map((unit) => unit.track)).size, 1);
    });
  }

  const sounds: [string, Uint8Array[], Uint8Array, Track][] = [
    // Headers as ffmpeg 5.1.9 writes them: libmp3lame, ac3.
    [
      'MP3',
      [],
      hex`2e fffb10c4 0000`,
      { kind: 'audio', codec: 'mp3', sampleRate: 44_100, channels: 1 },
    ],
    [
      'G.711 A-law',
      [],
      hex`72 d5d5`,
      { kind: 'audio', codec: 'pcma', sampleRate: 8_000, channels: 1 },
    ],
    [
      'G.711 µ-law, stereo',
      [],
      hex`83 ffff`,
      { kind: 'audio', codec: 'pcmu', sampleRate: 8_000, channels: 2 },
    ],
    [
      'Opus',
      [hex`90 4f707573 4f70757348656164 01 02 3801 80bb0000 0000 00`],
      hex`91 4f707573 fcff`,
      {
        kind: 'audio',
        codec: 'opus',
        config: hex`4f70757348656164 01 02 3801 80bb0000 0000 00`,
        sampleRate: 48_000,
        channels: 2,
      },
    ],
    [
      'AC-3',
      [hex`90 61632d33`],
      hex`91 61632d33 0b77a8e6504043e1`,
      { kind: 'audio', codec: 'ac3', sampleRate: 44_100, channels: 2 },
    ],
  ];
  for (const [name, headers, frame, track] of sounds) {
    test(name, () => {
      const bench = new Bench().video(0, header(VIDEO_TRACK)).video(0, IDR);
      for (const body of headers) bench.audio(0, body);
      bench.audio(20, frame).audio(40, frame);
      assert.deepEqual(bench.sink.tracks, [VIDEO_TRACK, track]);
      const [first, second] = bench.sink.audio;
      assert.equal(first?.data.length, second?.data.length);
      assert.ok(toHex(frame).endsWith(toHex(first!.data)));
      assert.equal(first?.track, second?.track);
    });
  }
});

describe('the start', () => {
  test('pictures wait for the sound, and sounds for the picture', () => {
    const bench = new Bench().video(0, header(VIDEO_TRACK)).video(0, IDR).video(40, INTER);
    assert.equal(bench.sink.starts, 0);
    bench.audio(30, header(AUDIO_TRACK)).audio(30, AAC);
    assert.deepEqual(bench.sink.tracks, [VIDEO_TRACK, AUDIO_TRACK]);
    assert.deepEqual(
      bench.sink.units.map(({ kind }) => kind),
      ['video', 'video', 'audio'],
    );
  });

  test('a track that does not come is not waited for longer than two seconds, by arrival', () => {
    const bench = new Bench().video(0, header(VIDEO_TRACK)).video(0, IDR);
    bench.nowMs += 1_999;
    assert.equal(bench.video(40, INTER).sink.starts, 0);
    bench.nowMs += 1;
    assert.deepEqual(bench.video(80, INTER).sink.tracks, [VIDEO_TRACK]);
    assert.equal(bench.sink.video.length, 3);
  });

  test('nor by the stream’s own clock, when a server sends what it had kept', () => {
    const bench = new Bench().video(0, header(VIDEO_TRACK)).video(0, IDR);
    for (let ms = 40; ms <= 1_960; ms += 40) bench.video(ms, INTER);
    assert.equal(bench.sink.starts, 0);
    assert.equal(bench.video(2_000, INTER).sink.video.length, 51);
  });

  test('nor longer than memory allows', () => {
    const large = concat(hex`17 01 000000 00200000 65`, new Uint8Array(0x1fffff));
    const bench = new Bench().video(0, header(VIDEO_TRACK));
    for (let count = 0; count < 4; count += 1) bench.video(count, large);
    assert.equal(bench.sink.video.length, 4);
  });

  test('sound alone begins after two seconds, too', () => {
    const bench = new Bench().audio(0, header(AUDIO_TRACK)).audio(0, AAC);
    bench.nowMs += 2_000;
    assert.deepEqual(bench.audio(21, AAC).sink.tracks, [AUDIO_TRACK]);
    assert.equal(bench.sink.audio.length, 2);
  });

  const metadata: [string, Uint8Array, 'video' | 'audio'][] = [
    ['no sound', serializeAmf0('onMetaData', { width: 640, videocodecid: 7 }), 'video'],
    [
      'no sound, by @setDataFrame',
      serializeAmf0('@setDataFrame', 'onMetaData', {
        width: 640,
        hasAudio: false,
        audiocodecid: 10,
      }),
      'video',
    ],
    ['no picture', serializeAmf0('onMetaData', { audiocodecid: 10 }), 'audio'],
    [
      'no sound, cut off',
      serializeAmf0('onMetaData', { width: 640 }, { a: 'b' }).slice(0, -5),
      'video',
    ],
  ];
  for (const [name, script, kind] of metadata) {
    test(`onMetaData that announces ${name}: nothing is waited for`, () => {
      const bench = new Bench().push(SCRIPT, 0, script);
      if (kind === 'video') bench.video(0, header(VIDEO_TRACK)).video(0, IDR);
      else bench.audio(0, header(AUDIO_TRACK)).audio(0, AAC);
      assert.equal(bench.sink.units.length, 1);
    });
  }

  test('metadata is a hint: what was not announced is taken when it comes', () => {
    const bench = new Bench().push(SCRIPT, 0, serializeAmf0('onMetaData', { width: 640 }));
    bench.video(0, header(VIDEO_TRACK)).video(0, IDR);
    bench.audio(20, header(AUDIO_TRACK)).audio(20, AAC);
    assert.deepEqual(bench.sink.audio[0]?.track, AUDIO_TRACK);
    assert.equal(bench.sink.starts, 1);
  });

  test('what metadata no longer announces, and does not come, is no track any more; until it comes', () => {
    const bench = new Bench().configured().video(0, IDR).audio(20, AAC);
    bench.push(SCRIPT, 40, serializeAmf0('onMetaData', { width: 640, hasAudio: false }));
    bench.nowMs += 1_900;
    bench.video(1_940, IDR);
    assert.deepEqual([bench.sink.starts, bench.sink.stops], [1, 0]);
    bench.nowMs += 200;
    bench.video(2_140, INTER);
    assert.equal(bench.sink.starts, 1);
    bench.video(2_180, IDR).video(2_220, IDR);
    assert.deepEqual([bench.sink.starts, bench.sink.stops], [2, 1]);
    assert.deepEqual(bench.sink.tracks, [VIDEO_TRACK]);
    bench.audio(2_240, AAC);
    assert.deepEqual(bench.sink.audio.at(-1)?.track, AUDIO_TRACK);
    assert.equal(bench.sink.starts, 2);
  });

  test('metadata that leaves out what goes on changes nothing', () => {
    const bench = new Bench().configured().video(0, IDR).audio(20, AAC);
    for (const timeMs of [40, 3_040, 6_040]) {
      bench.push(SCRIPT, timeMs, serializeAmf0('onMetaData', { audiocodecid: 10 }));
      bench.nowMs += 3_000;
      bench.video(timeMs + 2_960, IDR).audio(timeMs + 2_980, AAC);
    }
    assert.deepEqual([bench.sink.starts, bench.sink.stops], [1, 0]);
  });

  test('script data that announces nothing changes nothing', () => {
    for (const script of [
      serializeAmf0('onMetaData', {}),
      serializeAmf0('onTextData', { width: 640 }),
      hex`02 00ff 6f`,
      hex``,
    ]) {
      const bench = new Bench().push(SCRIPT, 0, script);
      assert.equal(bench.video(0, header(VIDEO_TRACK)).video(0, IDR).sink.starts, 0);
    }
  });

  test('all before the first keyframe is left out, sound too; people are told what is waited for', () => {
    const bench = new Bench().video(0, INTER);
    assert.equal(bench.counters.awaits, 'parameter-sets');
    bench.configured().video(0, INTER).audio(10, AAC);
    assert.equal(bench.counters.awaits, 'keyframe');
    assert.equal(bench.sink.starts, 0);
    bench.video(40, IDR).audio(50, AAC).video(80, INTER);
    assert.equal(bench.counters.awaits, undefined);
    assert.equal(bench.counters.damagedUnits, 0);
    assert.deepEqual(
      bench.sink.units.map(({ kind, dtsUs }) => `${kind} ${dtsUs / 1000}`),
      ['video 40', 'audio 50', 'video 80'],
    );
  });

  test('a stream without sequence header has its parameter sets in the picture', () => {
    const sets = hex`00000017 ${toHex(VIDEO_TRACK.sps)} 00000005 68cb83cb20`;
    const bench = new Bench().audio(0, header(AUDIO_TRACK)).audio(0, AAC);
    bench.video(0, concat(hex`17 01 000000`, sets, hex`00000001 65`));
    assert.deepEqual(bench.sink.tracks, [VIDEO_TRACK, AUDIO_TRACK]);
    assert.deepEqual(bench.sink.video[0]?.data, concat(sets, hex`00000001 65`));
  });
});

describe('what changes', () => {
  test('a sequence header that says the same is no change', () => {
    const bench = new Bench().configured().video(0, IDR).audio(0, AAC);
    bench.configured().video(40, IDR).audio(40, AAC);
    assert.equal(new Set(bench.sink.units.map(({ track }) => track)).size, 2);
  });

  test('one with other bytes is a new track, from the next unit on', () => {
    const bench = new Bench().configured().video(0, IDR).audio(0, AAC);
    bench.video(40, header(OTHER_VIDEO_TRACK)).video(40, IDR);
    bench.audio(40, hex`af00 1210`).audio(40, AAC);
    assert.deepEqual(bench.sink.video[1]?.track, OTHER_VIDEO_TRACK);
    assert.deepEqual(bench.sink.audio[1]?.track, {
      ...AUDIO_TRACK,
      config: hex`1210`,
      sampleRate: 44_100,
    });
    assert.equal(bench.sink.starts, 1);
  });

  test('parameter sets within the picture that differ are a new track', () => {
    const bench = new Bench().configured().video(0, IDR).audio(0, AAC);
    bench.video(40, hex`17 01 000000 00000005 68cb83cb40 00000001 65`);
    assert.deepEqual(bench.sink.video[1]?.track, OTHER_VIDEO_TRACK);
  });

  test('another codec begins with its own sequence header', () => {
    const bench = new Bench().configured().video(0, IDR).audio(0, AAC);
    bench.video(40, header(MAIN)).video(40, hex`93 68766331 00000003 260188`);
    bench.audio(40, hex`72 d5`);
    assert.deepEqual(bench.sink.video[1]?.track, MAIN);
    assert.equal(bench.sink.audio[1]?.track.codec, 'pcma');
  });
});

describe('times', () => {
  /** After 49.7 days (frigate#1467). */
  test('32 bits wrap', () => {
    const bench = new Bench().configured();
    bench.video(0xffff_ffec, IDR).audio(0xffff_fff0, AAC).video(20, INTER).audio(13, AAC);
    assert.deepEqual(
      bench.sink.units.map(({ dtsUs }) => dtsUs / 1000),
      [-20, -16, 20, 13],
    );
  });

  test('sequence headers have no time: many servers send them with 0', () => {
    const bench = new Bench().configured().video(900_000_000, IDR).audio(900_000_005, AAC);
    bench.configured().video(900_000_040, INTER);
    assert.deepEqual(
      bench.sink.video.map(({ dtsUs }) => dtsUs / 1000),
      [900_000_000, 900_000_040],
    );
    assert.deepEqual(bench.demuxer.notes, []);
  });

  for (const [name, toMs] of [
    ['back to 0', 0],
    ['ahead by an hour', 3_600_000],
    ['to 24 bits', 200_000 - 0x1000000 + 2 ** 32],
  ] as const) {
    test(`a clock that jumps ${name} goes on from arrival, picture and sound together`, () => {
      const bench = new Bench().configured();
      const play = (fromMs: number, count: number) => {
        for (let n = 0; n < count; n += 1, bench.nowMs += 40) {
          bench.video((fromMs + n * 40) % 2 ** 32, IDR).audio((fromMs + n * 40 + 7) % 2 ** 32, AAC);
        }
      };
      play(200_000, 10);
      play(toMs, 10);
      for (const [units, firstMs] of [
        [bench.sink.video, 200_000],
        [bench.sink.audio, 200_007],
      ] as const) {
        assert.deepEqual(
          units.map(({ dtsUs }) => dtsUs / 1000),
          Array.from({ length: 20 }, (_, n) => firstMs + n * 40),
        );
      }
      assert.deepEqual(bench.demuxer.notes, [
        'The video: its clock jumped; times went on from arrival.',
        'The audio: its clock jumped; times went on from arrival.',
      ]);
    });
  }
});

describe('damage', () => {
  test('a picture whose lengths do not add up costs itself and all up to the next keyframe, counted', () => {
    const bench = new Bench().configured().video(0, IDR).audio(0, AAC);
    bench.video(40, hex`27 01 000000 00000009 419a01`).video(80, INTER).audio(80, AAC);
    assert.equal(bench.counters.damagedUnits, 2);
    assert.equal(bench.counters.awaits, 'keyframe');
    bench.video(120, IDR).video(160, INTER);
    assert.deepEqual(
      bench.sink.video.map(({ dtsUs }) => dtsUs / 1000),
      [0, 120, 160],
    );
    assert.equal(bench.sink.audio.length, 2);
    assert.equal(bench.counters.damagedUnits, 2);
  });

  const bodies: [string, number, Uint8Array][] = [
    ['a header cut off', VIDEO, hex`17 01 00`],
    ['a record cut off', VIDEO, hex`17 00 000000 01 42c0`],
    ['half a NAL unit length', VIDEO, hex`17 01 000000 0000`],
    ['an AudioSpecificConfig cut off', AUDIO, hex`af 00 11`],
    ['MP3 that is none', AUDIO, hex`2f 00112233`],
  ];
  for (const [name, type, body] of bodies) {
    test(`${name} is counted, and the stream goes on`, () => {
      const bench = new Bench().configured().video(0, IDR).audio(0, AAC);
      bench.push(type, 40, body).video(80, IDR).audio(80, AAC);
      assert.equal(bench.counters.damagedUnits, 1);
      assert.equal(bench.sink.units.length, 4);
    });
  }

  test('what is no media is passed over', () => {
    const bench = new Bench().configured().video(0, IDR).audio(0, AAC);
    for (const body of [hex``, hex`57 00`, hex`17 02 000000`, hex`94 68766331 00`])
      bench.video(1, body);
    for (const body of [hex``, hex`af 01`, hex`92 4f707573`]) bench.audio(1, body);
    bench.push(15, 1, hex`00 02`);
    assert.equal(bench.sink.units.length, 2);
    assert.equal(bench.counters.damagedUnits, 0);
  });

  test('a sound that cannot be taken is left out and said once; the picture goes on at once', () => {
    const bench = new Bench()
      .video(0, header(VIDEO_TRACK))
      .audio(0, hex`b2 00`)
      .audio(20, hex`b2 00`);
    assert.deepEqual(bench.video(40, IDR).sink.tracks, [VIDEO_TRACK]);
    assert.deepEqual(bench.demuxer.notes, [
      'Left out: audio, because FLV audio format Speex is not supported.',
    ]);
  });

  test('sounds of ever other kinds make one note, not one each', () => {
    const bench = new Bench();
    for (let kind = 0; kind < 100; kind += 1) {
      bench.audio(kind, Uint8Array.of(0x91, 0x78, 0x78, 0x78, 0x30 + kind, 1));
    }
    assert.equal(bench.demuxer.notes.length, 1);
  });

  test('a picture that cannot be taken ends the session', () => {
    assert.throws(() => new Bench().video(0, hex`24 00`), {
      name: 'UnsupportedError',
      message: 'FLV video codec VP6 is not supported',
    });
  });
});

test('a unit is lent with headroom, and kept when the sink says so', () => {
  const units: AccessUnit[] = [];
  const sink = {
    start: () => undefined,
    stop: () => undefined,
    write: (unit: AccessUnit) => {
      assert.ok(unit.data.byteOffset >= ACCESS_UNIT_HEADROOM);
      unit.kept = true;
      units.push(unit);
    },
  };
  const demuxer = new FlvDemuxer(sink, () => 0);
  const push = (type: number, body: Uint8Array) => {
    const lent = new Uint8Array(ACCESS_UNIT_HEADROOM + body.length);
    lent.set(body, ACCESS_UNIT_HEADROOM);
    const isKept = demuxer.push(type, 0, lent.subarray(ACCESS_UNIT_HEADROOM));
    return { lent, isKept };
  };
  push(VIDEO, hex`17 00 000000 01 42c01e ff e1 0017 ${toHex(VIDEO_TRACK.sps)} 01 0005 68cb83cb20`);
  push(AUDIO, header(AUDIO_TRACK));
  push(AUDIO, AAC);
  assert.equal(push(VIDEO, IDR).isKept, false); // it waited, in a buffer of its own
  const whole = push(VIDEO, INTER);
  assert.equal(whole.isKept, true);
  assert.equal(units.at(-1)?.data.buffer, whole.lent.buffer);
  // Built anew: the bytes kept are not the tag's.
  const rebuilt = push(VIDEO, hex`27 01 000000 00000000 00000003 419a01`);
  const before = units.at(-1)!.data;
  assert.equal(rebuilt.isKept, false);
  push(VIDEO, hex`27 01 000000 00000000 00000003 419a02`);
  assert.equal(toHex(before), '00000003419a01');
});

test('a picture of nothing but the smallest NAL units takes no memory for each', () => {
  const count = 400_000;
  const body = new Uint8Array(5 + 5 * count);
  body.set(hex`17 01 000000`);
  for (let at = 5; at < body.length; at += 5) body.set(hex`00000001 65`, at);
  const bench = new Bench().configured().video(0, IDR).audio(0, AAC);
  const lent = concat(new Uint8Array(ACCESS_UNIT_HEADROOM), body).subarray(ACCESS_UNIT_HEADROOM);
  const before = process.memoryUsage().heapUsed;
  bench.demuxer.push(VIDEO, 40, lent);
  const grownBytes = process.memoryUsage().heapUsed - before;
  assert.equal(bench.sink.video.length, 2);
  assert.ok(grownBytes < 8_000_000, `${grownBytes} bytes`);
});

test('arbitrary bodies, at arbitrary times: units or an UnsupportedError, and times that never go back', () => {
  const bodies = [header(VIDEO_TRACK), header(AUDIO_TRACK), header(MAIN), IDR, INTER, AAC];
  const body = fc.oneof(
    fc.constantFrom(...bodies),
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(fc.constantFrom(...bodies), fc.nat(), fc.nat(255))
      .map(([known, at, byte]) => known.with(at % known.length, byte)),
  );
  const tags = fc.array(fc.tuple(fc.constantFrom(8, 9, 18), fc.nat(0xffff_ffff), body), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(tags, (list) => {
      const bench = new Bench();
      try {
        for (const [type, timestampMs, bytes] of list) {
          bench.nowMs += 10;
          bench.push(type, timestampMs, bytes);
        }
      } catch (error) {
        assert.ok(error instanceof UnsupportedError, String(error));
      }
      for (const units of [bench.sink.video, bench.sink.audio]) {
        const times = units.map(({ dtsUs }) => dtsUs);
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        );
      }
    }),
  );
});
