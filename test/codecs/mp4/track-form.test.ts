/** The golden boxes are those of ffmpeg 5.1.9's MP4 muxer for the same tracks (2026-11-25). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { aacTrack } from '../../../codecs/aac/audio-specific-config.ts';
import { boxes, findBox } from '../../../codecs/mp4/boxes.ts';
import { trackForm } from '../../../codecs/mp4/track-form.ts';
import { opusTrack } from '../../../codecs/opus/identification-header.ts';
import type { Track } from '../../../codecs/track.ts';
import { hex, toHex } from '../../support/hex.ts';
import { AUDIO_TRACK, G711_TRACK, HEVC_TRACK } from '../../support/units.ts';

/** Fields before the first box: ISO/IEC 14496-12 §12.1.3 and §12.2.3. */
const VISUAL_BYTES = 78;
const AUDIO_BYTES = 28;

interface Case {
  readonly name: string;
  readonly track: Track;
  readonly firstUnit?: Uint8Array;
  readonly codec: string;
  readonly timescale: number;
  readonly ticks?: number;
  /** Of the sample entry: its type and the fields before its boxes, then one of them. */
  readonly entry: string;
  readonly box: readonly [type: string, payload: string];
  /** ffmpeg writes an encoder's name into the fields, and the encoder's SEI into the box. */
  readonly size?: string;
}

const CASES: readonly Case[] = [
  {
    name: 'H.264, x264, High',
    track: {
      kind: 'video',
      codec: 'h264',
      sps: hex`6764000dacd941519e227c0440000003004000000c83c50a6580`,
      pps: hex`68ebe3cb22c0`,
    },
    codec: 'avc1.64000d',
    timescale: 90_000,
    entry: 'avc1',
    size: '014200b4',
    box: [
      'avcC',
      '0164000dffe1001a6764000dacd941519e227c0440000003004000000c83c50a658001000668ebe3cb22c0fdf8f800',
    ],
  },
  {
    name: 'H.265, x265, Main',
    track: {
      kind: 'video',
      codec: 'h265',
      vps: hex`40010c01ffff01600000030090000003000003003c959809`,
      sps: hex`42010101600000030090000003000003003ca00a480b9c9796566924caf0168080000003008000000c84`,
      pps: hex`4401c172b46240`,
    },
    codec: 'hvc1.1.6.L60.90',
    timescale: 90_000,
    entry: 'hvc1',
    size: '014200b4',
    // Without the encoder's SEI, and with what is not known left unknown.
    box: [
      'hvcC',
      `01 01 60000000 900000000000 3c f000 fc fd f8 f8 0000 0f 03
       a0 0001 0018 40010c01ffff01600000030090000003000003003c959809
       a1 0001 002a 42010101600000030090000003000003003ca00a480b9c9796566924caf0168080000003008000000c84
       a2 0001 0007 4401c172b46240`,
    ],
  },
  {
    name: 'VP9, libvpx',
    track: { kind: 'video', codec: 'vp9', config: hex`01000000 000b82020202 0000` },
    firstUnit: hex`824983420014100b360638241c184a00`,
    codec: 'vp09.00.11.08',
    timescale: 90_000,
    entry: 'vp09',
    size: '014200b4',
    box: ['vpcC', '01000000000b820202020000'],
  },
  {
    name: 'AV1, libaom',
    track: {
      kind: 'video',
      codec: 'av1',
      config: hex`81000c00 0a0b000000043d06ccdaf900403288`,
    },
    codec: 'av01.0.00M.08',
    timescale: 90_000,
    entry: 'av01',
    size: '014200b4',
    box: ['av1C', '81000c000a0b000000043d06ccdaf900403288'],
  },
  {
    name: 'AAC, ffmpeg, stereo',
    track: aacTrack(hex`119056e500`),
    codec: 'mp4a.40.2',
    timescale: 48_000,
    ticks: 1024,
    entry: 'mp4a000000000000000100000000000000000002001000000000bb800000',
    box: [
      'esds',
      // Without ES_ID and bit rates.
      '00000000 03 80808025 0000 00 04 80808017 40 15 000000 00000000 00000000 05 80808005 119056e500 06 80808001 02',
    ],
  },
  {
    name: 'HE-AAC, signalled in front: twice the samples of the core',
    track: aacTrack(hex`2b92 0800`),
    codec: 'mp4a.40.5',
    timescale: 44_100,
    ticks: 2048,
    entry: 'mp4a000000000000000100000000000000000002001000000000ac440000',
    box: [
      'esds',
      '00000000 03 80808024 0000 00 04 80808016 40 15 000000 00000000 00000000 05 80808004 2b920800 06 80808001 02',
    ],
  },
  {
    name: 'AAC at 96 kHz: more than the entry holds',
    track: aacTrack(hex`1010`),
    codec: 'mp4a.40.2',
    timescale: 96_000,
    ticks: 1024,
    entry: 'mp4a00000000000000010000000000000000000200100000000000000000',
    box: [
      'esds',
      '00000000 03 80808022 0000 00 04 80808014 40 15 000000 00000000 00000000 05 80808002 1010 06 80808001 02',
    ],
  },
  {
    name: 'MP3, LAME, 48 kHz',
    track: { kind: 'audio', codec: 'mp3', sampleRate: 48_000, channels: 2 },
    firstUnit: hex`fffb9464000001ee0850bd3c60080000`,
    codec: 'mp4a.6B',
    timescale: 48_000,
    ticks: 1152,
    entry: 'mp4a000000000000000100000000000000000002001000000000bb800000',
    box: [
      'esds',
      '00000000 03 8080801b 0000 00 04 8080800d 6b 15 000000 00000000 00000000 06 80808001 02',
    ],
  },
  {
    name: 'MP3, LAME, 16 kHz: MPEG-2',
    track: { kind: 'audio', codec: 'mp3', sampleRate: 16_000, channels: 1 },
    firstUnit: hex`fff338c40013d8aa680d5830007d6098`,
    codec: 'mp4a.69',
    timescale: 16_000,
    ticks: 576,
    entry: 'mp4a0000000000000001000000000000000000010010000000003e800000',
    box: [
      'esds',
      '00000000 03 8080801b 0000 00 04 8080800d 69 15 000000 00000000 00000000 06 80808001 02',
    ],
  },
  {
    name: 'Opus, libopus, mono',
    track: opusTrack(hex`4f70757348656164 01 01 3801 80bb0000 0000 00`),
    firstUnit: hex`f8b4afcaaae5b5b0a61cb17ae9fe3ad0`,
    codec: 'opus',
    timescale: 48_000,
    ticks: 960,
    entry: 'Opus000000000000000100000000000000000001001000000000bb800000',
    box: ['dOps', '000101380000bb80000000'],
  },
  {
    name: 'Opus, 5.1: its table, a gain below zero',
    track: opusTrack(hex`4f70757348656164 01 06 0000 803e0000 00ff 01 04 02 000401020305`),
    codec: 'opus',
    timescale: 48_000,
    entry: 'Opus000000000000000100000000000000000006001000000000bb800000',
    box: ['dOps', '0006000000003e80ff00010402000401020305'],
  },
  {
    name: 'AC-3, 5.1 at 384 kbit/s',
    track: { kind: 'audio', codec: 'ac3', sampleRate: 48_000, channels: 2 },
    firstUnit: hex`0b771e8b1c40ebf8403eff74fe1e1080`,
    codec: 'ac-3',
    timescale: 48_000,
    ticks: 1536,
    entry: 'ac-3000000000000000100000000000000000002001000000000bb800000',
    box: ['dac3', '103dc0'],
  },
  {
    name: 'E-AC-3, 5.1 at 384 kbit/s',
    track: { kind: 'audio', codec: 'eac3', sampleRate: 48_000, channels: 2 },
    firstUnit: hex`0b7702ff3f87c0002080200002004000`,
    codec: 'ec-3',
    timescale: 48_000,
    ticks: 1536,
    entry: 'ec-3000000000000000100000000000000000002001000000000bb800000',
    box: ['dec3', '0c00200f00'],
  },
];

describe('how tracks look in MP4', () => {
  for (const { name, track, firstUnit, codec, timescale, ticks, entry, box, size } of CASES) {
    test(name, () => {
      const form = trackForm(track, firstUnit);
      assert.ok(form !== undefined);
      assert.deepEqual([form.codec, form.timescale, form.kind], [codec, timescale, track.kind]);
      if (firstUnit !== undefined || ticks !== undefined)
        assert.equal(form.ticksOf(firstUnit ?? hex``), ticks);
      const [only, ...others] = boxes(form.sampleEntry);
      assert.deepEqual(others, []);
      const fields = only!.payload.subarray(0, size === undefined ? AUDIO_BYTES : VISUAL_BYTES);
      if (size === undefined) assert.equal(only!.type + toHex(fields), entry);
      else assert.equal(only!.type + toHex(fields.subarray(24, 28)), entry + size);
      const description = findBox(only!.payload.subarray(fields.length), box[0]);
      assert.equal(toHex(description ?? hex``), box[1].replace(/\s/g, ''));
    });
  }

  test('H.265 of other profiles: compatibility reversed, constraints without the zeros at their end', () => {
    assert.equal(trackForm(HEVC_TRACK)?.codec, 'hvc1.1.6.L60.90');
    // HEVC_TRACK's, with High tier, profile 2, level 4.
    const sps = hex`420101 2220000003 00b0000003 0000030078 a00a080b9f796566924caf016808000003000800000300c840`;
    assert.equal(trackForm({ ...HEVC_TRACK, sps })?.codec, 'hvc1.2.4.H120.B0');
  });

  test('what MP4 has no form for, or not without its first unit', () => {
    assert.equal(trackForm(G711_TRACK), undefined);
    assert.equal(
      trackForm({ kind: 'audio', codec: 'ac3', sampleRate: 48_000, channels: 2 }),
      undefined,
    );
    assert.equal(trackForm({ kind: 'video', codec: 'vp9', config: hex`000b82` }), undefined);
  });

  test('a damaged frame does not say how long it plays; damaged parameter sets throw', () => {
    const opus = trackForm(opusTrack(hex`4f70757348656164 01 01 3801 80bb0000 0000 00`));
    assert.equal(opus?.ticksOf(hex``), undefined);
    assert.equal(trackForm(AUDIO_TRACK)?.ticksOf(hex``), 1024);
    assert.throws(() => trackForm({ kind: 'video', codec: 'h264', sps: hex`67`, pps: hex`68` }), {
      name: 'ParseError',
    });
  });
});
