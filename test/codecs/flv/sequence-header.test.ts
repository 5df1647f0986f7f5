import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aacTrack } from '../../../codecs/aac/audio-specific-config.ts';
import { concat } from '../../../codecs/bytes.ts';
import { sequenceHeader } from '../../../codecs/flv/sequence-header.ts';
import { hex } from '../../support/hex.ts';
import { HEVC_TRACK } from '../../support/units.ts';

test('H.264: equal to what ffmpeg 5.1.9 writes for the same parameter sets', () => {
  const sps = hex`67640028acd940780227e5c044000003000400000300c83c60c658`;
  const pps = hex`68ebe3cb22c0`;
  assert.deepEqual(
    sequenceHeader({ kind: 'video', codec: 'h264', sps, pps }, 'enhanced'),
    hex`17 00 000000 01640028 ff e1 001b 67640028acd940780227e5c044000003000400000300c83c60c658 01 0006 68ebe3cb22c0 fd f8 f8 00`,
  );
});

/** The record of FFmpeg 8 (hvc1) but for the SEI it adds: array_completeness is 0. */
for (const [hevcForm, header] of [
  ['enhanced', hex`90 68766331`],
  ['legacy12', hex`1c 00 000000`],
] as const) {
  test(`H.265, ${hevcForm}`, () => {
    assert.deepEqual(
      sequenceHeader(HEVC_TRACK, hevcForm),
      concat(
        header,
        hex`01 01 60000000 900000000000 3c f000 fc fd f8 f8 0000 0f 03
          20 0001 0018 40010c01ffff01600000030090000003000003003c959809
          21 0001 002b 42010101600000030090000003000003003ca00a080b9f796566924caf016808000003000800000300c840
          22 0001 0007 4401c172b46240`,
      ),
    );
  });
}

test('AAC: the configuration as it came', () => {
  assert.deepEqual(sequenceHeader(aacTrack(hex`1190 56e500`), 'enhanced'), hex`af 00 1190 56e500`);
});

test('a SPS that cannot be read throws a ParseError', () => {
  const track = { kind: 'video', codec: 'h264', sps: hex`67`, pps: hex`68` } as const;
  assert.throws(() => sequenceHeader(track, 'enhanced'), { name: 'ParseError' });
});

for (const [codec, config, want] of [
  [
    'av1',
    hex`81000c00 0a0b000000043cfeccfff98040`,
    hex`90 61763031 81000c00 0a0b000000043cfeccfff98040`,
  ],
  ['vp9', hex`01000000 000b820202020000`, hex`90 76703039 01000000 000b820202020000`],
] as const) {
  test(`${codec}: the configuration as it came, as FFmpeg 8 writes it`, () => {
    assert.deepEqual(sequenceHeader({ kind: 'video', codec, config }, 'enhanced'), want);
  });
}

test('Opus: the identification header, as FFmpeg 8 writes it', () => {
  const config = hex`4f707573486561640102380180bb0000000000`;
  assert.deepEqual(
    sequenceHeader(
      { kind: 'audio', codec: 'opus', config, sampleRate: 48_000, channels: 2 },
      'enhanced',
    ),
    hex`90 4f707573 4f707573486561640102380180bb0000000000`,
  );
});

for (const [codec, want] of [
  ['ac3', hex`90 61632d33`],
  ['eac3', hex`90 65632d33`],
  ['mp3', undefined],
  ['pcma', undefined],
  ['pcmu', undefined],
] as const) {
  test(`${codec}: ${want === undefined ? 'none' : 'an empty one, as FFmpeg 8 writes it'}`, () => {
    const track = { kind: 'audio', codec, sampleRate: 8_000, channels: 1 } as const;
    assert.deepEqual(sequenceHeader(track, 'enhanced'), want);
  });
}
