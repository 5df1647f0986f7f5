import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aacTrack } from '../../../codecs/aac/audio-specific-config.ts';
import { parseAmf0, serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { streamMetadata } from '../../../codecs/flv/metadata.ts';
import type { AudioTrack, H264Track, VideoTrack } from '../../../codecs/track.ts';
import { hex } from '../../support/hex.ts';

const VIDEO: H264Track = {
  kind: 'video',
  codec: 'h264',
  sps: hex`67640028acd940780227e5c044000003000400000300c83c60c658`,
  pps: hex`68ebe3cb22c0`,
};
const AUDIO = aacTrack(hex`1190`);

test('video and audio', () => {
  assert.deepEqual(
    streamMetadata([VIDEO, AUDIO], 'enhanced', 'sluice', { videoKbps: 4000 }).entries,
    {
      duration: 0,
      videocodecid: 7,
      width: 1920,
      height: 1080,
      framerate: 25,
      audiocodecid: 10,
      audiosamplerate: 48_000,
      audiochannels: 2,
      stereo: true,
      audiosamplesize: 16,
      videodatarate: 4000,
      encoder: 'sluice',
    },
  );
});

test('what is not there or not known is left out', () => {
  assert.deepEqual(streamMetadata([{ ...VIDEO, sps: hex`67` }], 'enhanced', 'sluice').entries, {
    duration: 0,
    videocodecid: 7,
    encoder: 'sluice',
  });
  const mono = streamMetadata([aacTrack(hex`1208`)], 'enhanced', 'sluice', {
    audioKbps: 64,
  }).entries;
  assert.equal(mono['stereo'], false);
  assert.equal(mono['audiodatarate'], 64);
  assert.equal(mono['videocodecid'], undefined);
});

test('goes over the wire as an ECMA array', () => {
  const bytes = serializeAmf0('onMetaData', streamMetadata([AUDIO], 'enhanced', 'x'));
  assert.deepEqual(bytes.subarray(0, 14), hex`02 000a 6f6e4d65746144617461 08`);
  const [, entries] = parseAmf0(bytes);
  assert.equal((entries as Record<string, unknown>)['audiochannels'], 2);
});

test("ffmpeg's own onMetaData is read", () => {
  const bytes = hex`02000a6f6e4d6574614461746108000000080008 6475726174696f6e 003fa47ae147ae147b
    0005 7769647468 00409e000000000000 0006 737465726572 0101 000009`;
  const [name, entries] = parseAmf0(bytes);
  assert.equal(name, 'onMetaData');
  assert.equal((entries as Record<string, unknown>)['width'], 1920);
});

for (const [codec, hevcForm, want] of [
  ['h265', 'enhanced', 0x68766331],
  ['h265', 'legacy12', 12],
  ['av1', 'enhanced', 0x61763031],
  ['vp9', 'enhanced', 0x76703039],
] as const) {
  test(`videocodecid of ${codec}, ${hevcForm}`, () => {
    const none = hex``;
    const track = { kind: 'video', codec, config: none, vps: none, sps: none, pps: none } as const;
    const { entries } = streamMetadata([track as VideoTrack], hevcForm, 'x');
    assert.equal(entries['videocodecid'], want);
  });
}

for (const [codec, want] of [
  ['mp3', 2],
  ['pcma', 7],
  ['pcmu', 8],
  ['opus', 0x4f707573],
  ['ac3', 0x61632d33],
  ['eac3', 0x65632d33],
] as const) {
  test(`audiocodecid of ${codec}`, () => {
    const sampleRate = codec === 'pcma' || codec === 'pcmu' ? 8_000 : 48_000;
    const track = { kind: 'audio', codec, config: hex``, sampleRate, channels: 1 } as AudioTrack;
    const { entries } = streamMetadata([track], 'enhanced', 'x');
    assert.deepEqual(
      [entries['audiocodecid'], entries['audiosamplerate'], entries['stereo']],
      [want, sampleRate, false],
    );
  });
}
