import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError, UnsupportedError } from '../../../codecs/errors.ts';
import {
  audioTagForm,
  MAX_AUDIO_TAG_HEADER_BYTES,
  parseAudioTagBody,
} from '../../../codecs/flv/audio-tag.ts';
import type { AudioTrack } from '../../../codecs/track.ts';
import { hex, toHex } from '../../support/hex.ts';

function track(codec: AudioTrack['codec'], sampleRate: number, channels: number): AudioTrack {
  return { kind: 'audio', codec, config: hex``, sampleRate, channels } as AudioTrack;
}

/** FFmpeg 5.1.9 for what it can write, FFmpeg 8 for the FourCCs; MP3 of other rates by FLV 10.1 §E.4.2.1. */
for (const [codec, sampleRate, channels, want] of [
  ['aac', 16_000, 1, hex`af 01`],
  ['mp3', 44_100, 2, hex`2f`],
  ['mp3', 48_000, 2, hex`2f`],
  ['mp3', 32_000, 1, hex`2e`],
  ['mp3', 22_050, 1, hex`2a`],
  ['mp3', 24_000, 2, hex`2b`],
  ['mp3', 16_000, 1, hex`2a`],
  ['mp3', 11_025, 1, hex`26`],
  ['mp3', 12_000, 1, hex`26`],
  ['mp3', 8_000, 1, hex`e2`],
  ['mp3', 8_000, 2, hex`e3`],
  ['pcma', 8_000, 1, hex`72`],
  ['pcma', 8_000, 2, hex`73`],
  ['pcmu', 8_000, 1, hex`82`],
  ['opus', 48_000, 2, hex`91 4f707573`],
  ['ac3', 48_000, 6, hex`91 61632d33`],
  ['eac3', 48_000, 2, hex`91 65632d33`],
] as const) {
  test(`written: ${codec}, ${sampleRate} Hz, ${channels} channels`, () => {
    const header = audioTagForm(track(codec, sampleRate, channels))?.frameHeader;
    assert.equal(toHex(header ?? hex``), toHex(want));
    assert.ok(want.length <= MAX_AUDIO_TAG_HEADER_BYTES);
  });
}

for (const [sampleRate, channels] of [
  [16_000, 1],
  [44_100, 2],
  [8_000, 3],
] as const) {
  test(`no form for G.711 of ${sampleRate} Hz, ${channels} channels`, () => {
    assert.equal(audioTagForm(track('pcma', sampleRate, channels)), undefined);
  });
}

describe('reading', () => {
  const frame = { content: 'frame', channels: 1, data: hex`21` } as const;
  for (const [name, body, want] of [
    ['AAC', hex`af 01 21`, { ...frame, codec: 'aac', channels: 2 }],
    [
      'its configuration',
      hex`af 00 1190`,
      { ...frame, codec: 'aac', content: 'config', channels: 2, data: hex`1190` },
    ],
    ['MP3', hex`2f 21`, { ...frame, codec: 'mp3', channels: 2 }],
    ['MP3 of 8 kHz', hex`e2 21`, { ...frame, codec: 'mp3' }],
    ['A-law', hex`72 21`, { ...frame, codec: 'pcma' }],
    ['A-law, stereo', hex`73 21`, { ...frame, codec: 'pcma', channels: 2 }],
    ['µ-law', hex`82 21`, { ...frame, codec: 'pcmu' }],
    ['Opus', hex`91 4f707573 21`, { ...frame, codec: 'opus' }],
    [
      'its header',
      hex`90 4f707573 4f7075`,
      { ...frame, codec: 'opus', content: 'config', data: hex`4f7075` },
    ],
    ['its end', hex`92 4f707573`, { ...frame, codec: 'opus', content: 'end', data: hex`` }],
    ['AC-3', hex`91 61632d33 21`, { ...frame, codec: 'ac3' }],
    [
      'its empty start',
      hex`90 61632d33`,
      { ...frame, codec: 'ac3', content: 'config', data: hex`` },
    ],
    ['E-AC-3', hex`91 65632d33 21`, { ...frame, codec: 'eac3' }],
    ['AAC with a FourCC', hex`91 6d703461 21`, { ...frame, codec: 'aac' }],
    ['MP3 with a FourCC', hex`91 2e6d7033 21`, { ...frame, codec: 'mp3' }],
    [
      'a time in nanoseconds before it',
      hex`97 02 0f423f 01 4f707573 21`,
      { ...frame, codec: 'opus' },
    ],
    [
      'the default track of two',
      hex`95 11 6d703461 01 000002 4242 00 000001 21`,
      { ...frame, codec: 'aac' },
    ],
    ['another track, as FFmpeg 8 sends it: nothing', hex`95 01 61632d33 01 0b77`, undefined],
    ['a channel map of FFmpeg 8: nothing', hex`94 4f707573 01 02 00000003`, undefined],
    ['the end of audio of Flash Media Server: nothing', hex``, undefined],
  ] as const) {
    test(name, () => assert.deepEqual(parseAudioTagBody(body), want));
  }

  for (const [name, body] of [
    ['AAC without a packet type', hex`af`],
    ['half a FourCC', hex`91 4f7075`],
  ] as const) {
    test(`${name} is a ParseError`, () =>
      assert.throws(() => parseAudioTagBody(body), { name: 'ParseError' }));
  }

  for (const [name, body, words] of [
    ['Speex', hex`b2 00`, /Speex/],
    ['a reserved format', hex`c2 00`, /format 12/],
    ['FLAC', hex`91 664c6143`, /codec fLaC is/],
    ['a FourCC that is no text', hex`91 01020304`, /codec 0x1020304 is/],
    ['Opus as SRS and lal send it', hex`d2 01`, /13 \(Opus in a form of SRS\)/],
    ['an AAC packet of another kind', hex`af 02`, /packet type 2/],
    ['a packet type to come', hex`93 4f707573`, /packet type 3/],
  ] as const) {
    test(`${name} is an UnsupportedError`, () =>
      assert.throws(() => parseAudioTagBody(body), { name: 'UnsupportedError', message: words }));
  }

  test('what was written', () => {
    const codec = fc.constantFrom('aac', 'mp3', 'pcma', 'pcmu', 'opus', 'ac3', 'eac3' as const);
    fc.assert(
      fc.property(codec, fc.uint8Array(), (codec, data) => {
        const header = audioTagForm(track(codec as AudioTrack['codec'], 8_000, 1))?.frameHeader;
        const { channels: _, ...body } = parseAudioTagBody(concat(header ?? hex``, data)) ?? {};
        assert.deepEqual(body, { codec, content: 'frame', data });
      }),
    );
  });

  test('arbitrary bytes give a value or an error of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(255), (bytes, first) => {
        try {
          parseAudioTagBody(concat(Uint8Array.of(first), bytes));
        } catch (error) {
          assert.ok(error instanceof ParseError || error instanceof UnsupportedError);
        }
      }),
    );
  });
});
