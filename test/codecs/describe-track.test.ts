import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aacTrack } from '../../codecs/aac/audio-specific-config.ts';
import { describeTrack } from '../../codecs/describe-track.ts';
import type { H264Track } from '../../codecs/track.ts';
import { hex } from '../support/hex.ts';
import {
  FIELDS_SPS,
  MAIN,
  MAIN_10_SPS,
  MAIN_12_SPS,
  MAIN_422_10,
  MAIN_444_SPS,
  MONOCHROME_SPS,
} from './h265/streams.ts';

function h264(sps: Uint8Array): H264Track {
  return { kind: 'video', codec: 'h264', sps, pps: hex`68cb83cb20` };
}

test('H.264: size, rate and profile as an encoder shows them', () => {
  const sps = hex`67640028acd940780227e5c044000003000400000300c83c60c658`;
  assert.deepEqual(describeTrack(h264(sps)), {
    kind: 'video',
    codec: 'h264',
    width: 1920,
    height: 1080,
    fps: 25,
    profile: 'High 4.0',
  });
});

for (const [name, sps, want] of [
  ['Main', MAIN.sps, { width: 1920, height: 1080, fps: 25, profile: 'Main 4.0' }],
  ['Main 10', MAIN_10_SPS, { width: 1278, height: 718, fps: 29.97, profile: 'Main 10 3.1' }],
  [
    'pictures of two fields',
    FIELDS_SPS,
    { width: 704, height: 1152, fps: 12.5, profile: 'Main 3.0' },
  ],
  ['a damaged SPS', hex`4201`, {}],
  [
    '4:2:2 with 10 bits',
    MAIN_422_10.sps,
    { width: 640, height: 360, fps: 25, profile: 'Main 4:2:2 10 2.1' },
  ],
] as const) {
  test(`H.265: ${name}`, () => {
    assert.deepEqual(describeTrack({ ...MAIN, sps }), { kind: 'video', codec: 'h265', ...want });
  });
}

test('H.265: the profiles that are told apart by constraint flags, and the high tier', () => {
  const profile = (sps: Uint8Array) => describeTrack({ ...MAIN, sps }).profile;
  assert.equal(profile(MAIN_444_SPS), 'Main 4:4:4 3.0');
  assert.equal(profile(MAIN_12_SPS), 'Main 12 3.0');
  assert.equal(profile(MONOCHROME_SPS), 'Monochrome 3.0');
  assert.equal(profile(MAIN.sps.with(3, 0x21)), 'Main 4.0 High tier');
  assert.equal(profile(MAIN.sps.with(3, 0x0b)), 'profile 11 4.0');
});

/** Made 2026-11-25 with ffmpeg 5.1.9: libaom 640×360, SVT-AV1 1920×1080 with 10 bits, libvpx-vp9. */
for (const [name, codec, config, want] of [
  [
    'libaom',
    'av1',
    hex`81010c00 0a0b0000000cc4ff6736be4010`,
    { width: 640, height: 360, profile: 'Main 2.1' },
  ],
  [
    'SVT-AV1',
    'av1',
    hex`81094c00 0a0b0000004aabbfc3700be101`,
    { width: 1920, height: 1080, profile: 'Main 4.1' },
  ],
  ['no sequence header', 'av1', hex`812dcc00`, { profile: 'High 5.1 High tier' }],
  ['a level without limits', 'av1', hex`811f0c00 0a0b00`, { profile: 'Main' }],
  ['none', 'av1', hex`0109`, {}],
  ['4:2:0', 'vp9', hex`0015820202020000`, { profile: 'Profile 0 2.1' }],
  ['as MP4 has it', 'vp9', hex`01000000 0328a40202020000`, { profile: 'Profile 3 4.0' }],
  ['a level that is not known', 'vp9', hex`0000820202020000`, { profile: 'Profile 0' }],
  ['none', 'vp9', hex`00`, {}],
] as const) {
  test(`${codec}: ${name}`, () => {
    const track = { kind: 'video', codec, config } as const;
    assert.deepEqual(describeTrack(track), { kind: 'video', codec, ...want });
  });
}

test('H.264: 29.97 fps is rounded, Constrained Baseline has its name', () => {
  const main = hex`674d401feca02802df55808800001f480007530078c18cb0`;
  assert.equal(describeTrack(h264(main)).fps, 29.97);
  const baseline = hex`6742c028d900780227e5c044000003000400000300c83c60c920`;
  assert.equal(describeTrack(h264(baseline)).profile, 'Constrained Baseline 4.0');
});

test('H.264: level 1b, in Baseline by its flag', () => {
  assert.equal(describeTrack(h264(hex`6742f00bda02c0f644`)).profile, 'Constrained Baseline 1b');
});

test('a SPS that cannot be read leaves what is known', () => {
  assert.deepEqual(describeTrack(h264(hex`67`)), { kind: 'video', codec: 'h264' });
});

test('AAC: LC, HE-AAC, HE-AAC v2', () => {
  assert.deepEqual(describeTrack(aacTrack(hex`1190`)), {
    kind: 'audio',
    codec: 'aac',
    sampleRate: 48_000,
    channels: 2,
    profile: 'LC',
  });
  assert.equal(describeTrack(aacTrack(hex`2b118800`)).profile, 'HE-AAC');
  assert.equal(describeTrack(aacTrack(hex`eb098800`)).profile, 'HE-AAC v2');
});

test('an AudioSpecificConfig that cannot be read leaves what the track says', () => {
  const track = { ...aacTrack(hex`1190`), config: hex`` };
  const want = { kind: 'audio', codec: 'aac', sampleRate: 48_000, channels: 2 };
  assert.deepEqual(describeTrack(track), want);
});
