import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { adtsFrames } from '../../../codecs/aac/adts.ts';
import {
  LatmReader,
  parseStreamMuxConfig,
  plainStreamMuxConfig,
} from '../../../codecs/aac/latm.ts';
import { loasElements } from '../../../codecs/aac/loas.ts';
import { ParseError, UnsupportedError } from '../../../codecs/errors.ts';
import { bits, bitsOf, number } from '../../support/bits.ts';
import { hex, toHex } from '../../support/hex.ts';
import { ADTS, LOAS, RTP_CONFIG } from './latm-fixture.ts';

const LC_48_STEREO = hex`1190`;
/** Explicit SBR in front: 24 kHz core, 48 kHz as heard. */
const HE_AAC = hex`2b118800`;

interface Element {
  readonly frames: readonly Uint8Array[];
  /** undefined: no configuration (cpresent 0); null: the same as before. */
  readonly config?: string | null;
}

/** StreamMuxConfig of audioMuxVersion 0; `asc` in bits. */
function config0(asc: string, { subframes = 1, rest = '000 11111111 0 0' } = {}): string {
  return `0 1 ${number(subframes - 1, 6)} 0000 000 ${asc} ${rest}`;
}

function length(bytes: number): string {
  return '1'.repeat(8).repeat(Math.floor(bytes / 255)) + number(bytes % 255, 8);
}

/** AudioMuxElement with common framing. */
function element({ frames, config }: Element): Uint8Array {
  const head = config === undefined ? '' : config === null ? '1' : `0${config}`;
  return bits(head, ...frames.map((frame) => length(frame.length) + bitsOf(frame)));
}

function frames(reader: LatmReader, bytes: Uint8Array): string[] {
  return Array.from(reader.frames(bytes), toHex);
}

describe('StreamMuxConfig', () => {
  const cases = [
    {
      name: 'ffmpeg 5.1.9, 48 kHz, stereo',
      bytes: hex`400023203fc0`,
      want: { config: '1190', sampleRate: 48_000, channels: 2, subframes: 1 },
    },
    {
      name: 'ffmpeg 5.1.9, 8 kHz, mono',
      bytes: RTP_CONFIG,
      want: { config: '1588', sampleRate: 8000, channels: 1, subframes: 1 },
    },
    {
      // bluenviron/mediamtx#1881: everything behind the AudioSpecificConfig is cut off
      name: 'GStreamer 1.22 rtpmp4apay, 44.1 kHz, mono',
      bytes: hex`40002410`,
      want: { config: '1208', sampleRate: 44_100, channels: 1, subframes: 1 },
    },
    {
      name: 'GStreamer 1.22 rtpmp4apay behind avenc_aac: "no SBR" behind the AudioSpecificConfig',
      bytes: hex`40002410adca00`,
      want: { config: '120856e500', sampleRate: 44_100, channels: 1, subframes: 1 },
    },
    {
      name: 'four subframes, other data of 300 bits, a checksum',
      bytes: bits(
        config0(bitsOf(LC_48_STEREO), {
          subframes: 4,
          rest: '000 11111111 1 1 00000001 0 00101100 1 10101010',
        }),
      ),
      want: { config: '1190', sampleRate: 48_000, channels: 2, subframes: 4 },
    },
    {
      name: 'HE-AAC, signalled in front',
      bytes: bits(config0(bitsOf(HE_AAC).slice(0, 25))),
      want: { config: '2b118800', sampleRate: 48_000, channels: 2, subframes: 1 },
    },
    {
      name: 'version 1: HE-AAC v2 signalled behind, in 49 bits and four to fill',
      bytes: bits(
        '1 0 00 11111111 1 000000 0000 000',
        `00 ${number(53, 8)} ${bitsOf(hex`1308 56e59d4880`).slice(0, 49)} 0000`,
        '000 11111111 1 01 00000001 00101100 0',
      ),
      want: { config: '130856e59d4880', sampleRate: 48_000, channels: 2, subframes: 1 },
    },
    {
      name: 'a program_config_element: its alignment counts from the configuration’s first bit',
      bytes: bits(config0(bitsOf(hex`118004c4010020000d4c61766335392e33372e313030`))),
      want: {
        config: '118004c4010020000d4c61766335392e33372e313030',
        sampleRate: 48_000,
        channels: 3,
        subframes: 1,
      },
    },
  ];

  for (const { name, bytes, want } of cases) {
    test(name, () => {
      const { track, subframes } = parseStreamMuxConfig(bytes);
      const { sampleRate, channels } = track;
      const config = toHex(track.config).slice(0, want.config.length);
      assert.deepEqual({ config, sampleRate, channels, subframes }, want);
    });

    test(`${name}: cut anywhere`, () => {
      for (let end = 0; end < bytes.length; end += 1) {
        try {
          parseStreamMuxConfig(bytes.subarray(0, end));
        } catch (error) {
          assert.ok(error instanceof ParseError, String(error));
        }
      }
    });
  }

  test('frames of HE-AAC last as long as those of its core', () => {
    const { audio } = parseStreamMuxConfig(bits(config0(bitsOf(HE_AAC).slice(0, 25))));
    assert.deepEqual([audio.frameLength, audio.sampleRate], [1024, 24_000]);
  });

  for (const [name, bytes] of [
    ['audioMuxVersionA 1', bits('1 1 00 00000000')],
    ['two programs', bits('0 1 000000 0001 000', bitsOf(LC_48_STEREO))],
    ['two layers', bits('0 1 000000 0000 001', bitsOf(LC_48_STEREO))],
    ['CELP', bits(config0(bitsOf(LC_48_STEREO), { rest: '100 000000 0 0 00' }))],
    ['ELD, whose end only version 1 tells', bits(config0(bitsOf(hex`f8e62000`)))],
  ] as const) {
    test(`${name} is not supported, and says so`, () => {
      assert.throws(() => parseStreamMuxConfig(bytes), UnsupportedError);
    });
  }
});

describe('AudioMuxElement', () => {
  test('ffmpeg’s LOAS has the frames of its ADTS, bit for bit', () => {
    const reader = new LatmReader(true);
    const got = [...loasElements(LOAS)].flatMap((bytes) => frames(reader, bytes));
    assert.deepEqual(got, [...adtsFrames(ADTS)].map(toHex));
    assert.equal(got.length, 6);
    assert.deepEqual(reader.config?.track, {
      kind: 'audio',
      codec: 'aac',
      config: hex`1588`,
      sampleRate: 8000,
      channels: 1,
    });
  });

  test('nothing before the first configuration', () => {
    const reader = new LatmReader(true);
    assert.deepEqual(frames(reader, element({ frames: [hex`2112`], config: null })), []);
    assert.equal(reader.config, undefined);
  });

  test('a configuration that is known beforehand', () => {
    const known = parseStreamMuxConfig(RTP_CONFIG);
    const inBand = new LatmReader(true, known);
    assert.deepEqual(frames(inBand, element({ frames: [hex`2112`], config: null })), ['2112']);
    const outOfBand = new LatmReader(false, known);
    const bytes = hex`02 2112`;
    const [frame] = outOfBand.frames(bytes);
    assert.deepEqual(frame, hex`2112`);
    assert.equal(frame?.buffer, bytes.buffer, 'where bytes begin there is nothing to copy');
  });

  test('the same track while the configuration’s bytes are the same', () => {
    const reader = new LatmReader(true);
    const config = config0(bitsOf(LC_48_STEREO));
    frames(reader, element({ frames: [hex`21`], config }));
    const first = reader.config?.track;
    frames(reader, element({ frames: [hex`22`], config }));
    assert.equal(reader.config?.track, first);
    frames(reader, element({ frames: [hex`23`], config: config0(bitsOf(hex`1208`)) }));
    assert.notEqual(reader.config?.track, first);
    assert.equal(reader.config?.track.sampleRate, 44_100);
  });

  test('an AudioSpecificConfig alone: the usual framing', () => {
    const reader = new LatmReader(false, plainStreamMuxConfig(LC_48_STEREO));
    assert.deepEqual(frames(reader, hex`02 2112`), ['2112']);
  });

  test('frames of fixed length', () => {
    const config = config0(bitsOf(LC_48_STEREO), { rest: '001 000000010 0 0' });
    const frame = new Uint8Array(22).fill(0x5a);
    const reader = new LatmReader(true);
    assert.deepEqual(frames(reader, bits('0', config, bitsOf(frame))), [toHex(frame)]);
  });

  test('a frame in three chunks, without common framing', () => {
    const config = `0 0 000000 0000 000 ${bitsOf(LC_48_STEREO)} 000 11111111 0 0`;
    const chunks = `0010 ${[2, 1, 1].map((n, at) => `0000 ${length(n)} ${at === 2 ? 1 : 0}`).join('')}`;
    const reader = new LatmReader(true);
    const bytes = bits('0', config, chunks, bitsOf(hex`21 12 34 56`));
    assert.deepEqual(frames(reader, bytes), ['21123456']);
    const open = bits('1', chunks.replace(/1$/, '0'), bitsOf(hex`21 12 34 56`));
    assert.throws(() => frames(reader, open), UnsupportedError);
  });

  test('a frame that is longer than its element, and one that is longer than any', () => {
    const reader = new LatmReader(false, plainStreamMuxConfig(LC_48_STEREO));
    assert.throws(() => frames(reader, hex`03 2112`), ParseError);
    assert.throws(() => frames(reader, new Uint8Array(500).fill(0xff)), ParseError);
  });

  test('what is written is read again, wherever bytes begin', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 700 });
    fc.assert(
      fc.property(
        fc.array(bytes, { minLength: 1, maxLength: 64 }),
        fc.boolean(),
        (list, inBand) => {
          const config = config0(bitsOf(LC_48_STEREO), { subframes: list.length });
          const reader = inBand
            ? new LatmReader(true)
            : new LatmReader(false, parseStreamMuxConfig(bits(config)));
          const written = element(inBand ? { frames: list, config } : { frames: list });
          assert.deepEqual(frames(reader, written), list.map(toHex));
        },
      ),
      { seed: 1, numRuns: 30 },
    );
  });

  test('arbitrary bytes give frames or an error of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, inBand) => {
        const reader = new LatmReader(inBand, parseStreamMuxConfig(RTP_CONFIG));
        try {
          frames(reader, bytes);
        } catch (error) {
          assert.ok(error instanceof ParseError || error instanceof UnsupportedError);
        }
      }),
    );
  });
});
