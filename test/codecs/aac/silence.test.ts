import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseAudioSpecificConfig,
  SAMPLING_FREQUENCIES,
} from '../../../codecs/aac/audio-specific-config.ts';
import { SILENT_AAC_SAMPLES, silentAac } from '../../../codecs/aac/silence.ts';
import { bits } from '../../support/bits.ts';

// ffmpeg 5.1.9 and FAAD 2.10.1 decode a hundred of either, at each of the thirteen rates, to as many times 1024
// samples of zero (2026-11-24).

test('mono: a single channel element and the end', () => {
  const element = '000 0000 00000000 0 00 0 000000 0 0 0 0';
  assert.deepEqual(silentAac(48_000, 1).frame, bits(element, '111'));
});

test('stereo: a channel pair element and the end', () => {
  const channel = '00000000 0 0 0';
  const element = `001 0000 1 0 00 0 000000 0 00 ${channel} ${channel}`;
  assert.deepEqual(silentAac(48_000, 2).frame, bits(element, '111'));
});

test('a track at every rate', () => {
  for (const sampleRate of [...SAMPLING_FREQUENCIES, 12_345]) {
    for (const channels of [1, 2] as const) {
      const { track } = silentAac(sampleRate, channels);
      assert.deepEqual([track.sampleRate, track.channels], [sampleRate, channels]);
      const config = parseAudioSpecificConfig(track.config);
      assert.equal(config.objectType, 2);
      assert.equal(config.frameLength, SILENT_AAC_SAMPLES);
    }
  }
});

test('two callers never share bytes', () => {
  silentAac(48_000, 2).frame.fill(0xee);
  assert.equal(silentAac(48_000, 2).frame[0], 0x21);
});
