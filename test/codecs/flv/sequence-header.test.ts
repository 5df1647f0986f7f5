import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aacTrack } from '../../../codecs/aac/audio-specific-config.ts';
import { sequenceHeader } from '../../../codecs/flv/sequence-header.ts';
import { hex } from '../../support/hex.ts';

test('H.264: equal to what ffmpeg 5.1.9 writes for the same parameter sets', () => {
  const sps = hex`67640028acd940780227e5c044000003000400000300c83c60c658`;
  const pps = hex`68ebe3cb22c0`;
  assert.deepEqual(
    sequenceHeader({ kind: 'video', codec: 'h264', sps, pps }),
    hex`17 00 000000 01640028 ff e1 001b 67640028acd940780227e5c044000003000400000300c83c60c658 01 0006 68ebe3cb22c0 fd f8 f8 00`,
  );
});

test('AAC: the configuration as it came', () => {
  assert.deepEqual(sequenceHeader(aacTrack(hex`1190 56e500`)), hex`af 00 1190 56e500`);
});

test('a SPS that cannot be read throws a ParseError', () => {
  const track = { kind: 'video', codec: 'h264', sps: hex`67`, pps: hex`68` } as const;
  assert.throws(() => sequenceHeader(track), { name: 'ParseError' });
});
