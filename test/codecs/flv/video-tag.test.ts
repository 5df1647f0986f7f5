import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError, UnsupportedError } from '../../../codecs/errors.ts';
import {
  MAX_VIDEO_TAG_HEADER_BYTES,
  parseVideoTagBody,
  videoHeaderLength,
  videoSequenceHeader,
  videoTagForm,
  writeVideoHeader,
} from '../../../codecs/flv/video-tag.ts';
import type { VideoTrack } from '../../../codecs/track.ts';
import { hex, toHex } from '../../support/hex.ts';

const AVC = videoTagForm('h264', 'enhanced');
const HEVC = videoTagForm('h265', 'enhanced');
const HEVC_12 = videoTagForm('h265', 'legacy12');
const AV1 = videoTagForm('av1', 'legacy12');
const VP9 = videoTagForm('vp9', 'enhanced');

/** Written behind two bytes that must stay. */
function header(form: typeof AVC, keyframe: boolean, compositionTimeMs: number): Uint8Array {
  const length = videoHeaderLength(form, compositionTimeMs);
  const target = new Uint8Array(length + 4).fill(0xee);
  writeVideoHeader(target, 2, form, keyframe, compositionTimeMs);
  assert.equal(toHex(target.subarray(0, 2)) + toHex(target.subarray(length + 2)), 'eeeeeeee');
  return target.subarray(2, length + 2);
}

/** AVC as FFmpeg 5.1.9 writes it; hvc1, av01 and vp09 as FFmpeg 8 (libavformat 62.12) does. */
for (const [name, form, keyframe, compositionTimeMs, want] of [
  ['AVC keyframe', AVC, true, 80, hex`17 01 000050`],
  ['AVC inter frame', AVC, false, 160, hex`27 01 0000a0`],
  ['AVC, a negative composition time', AVC, false, -1, hex`27 01 ffffff`],
  ['AVC, a composition time past 24 bits', AVC, false, 1e9, hex`27 01 7fffff`],
  ['AVC, one below 24 bits', AVC, false, -1e9, hex`27 01 800000`],
  ['HEVC keyframe', HEVC, true, 80, hex`91 68766331 000050`],
  ['HEVC inter frame', HEVC, false, 160, hex`a1 68766331 0000a0`],
  ['HEVC keyframe without composition time: CodedFramesX', HEVC, true, 0, hex`93 68766331`],
  ['HEVC inter frame without composition time', HEVC, false, 0, hex`a3 68766331`],
  ['HEVC with codec id 12, keyframe', HEVC_12, true, 80, hex`1c 01 000050`],
  ['HEVC with codec id 12, inter frame', HEVC_12, false, 0, hex`2c 01 000000`],
  ['AV1 keyframe', AV1, true, 0, hex`91 61763031`],
  ['AV1 inter frame', AV1, false, 40, hex`a1 61763031`],
  ['VP9 keyframe', VP9, true, 0, hex`91 76703039`],
  ['VP9 inter frame', VP9, false, 0, hex`a1 76703039`],
] as const) {
  test(`written: ${name}`, () => {
    assert.equal(toHex(header(form, keyframe, compositionTimeMs)), toHex(want));
    assert.ok(want.length <= MAX_VIDEO_TAG_HEADER_BYTES);
  });
}

test('sequence headers of both forms', () => {
  assert.deepEqual(videoSequenceHeader(HEVC, hex`0101`), hex`90 68766331 0101`);
  assert.deepEqual(videoSequenceHeader(HEVC_12, hex`0101`), hex`1c 00 000000 0101`);
});

describe('reading', () => {
  const frame = { content: 'frame', keyframe: false, compositionTimeMs: 0, data: hex`41` } as const;
  for (const [name, body, want] of [
    ['AVC', hex`27 01 fffff6 41`, { ...frame, codec: 'h264', compositionTimeMs: -10 }],
    [
      'a keyframe that a server made',
      hex`47 01 000000 41`,
      { ...frame, codec: 'h264', keyframe: true },
    ],
    [
      'the end of AVC',
      hex`17 02 000000`,
      { ...frame, codec: 'h264', content: 'end', keyframe: true, data: hex`` },
    ],
    [
      'HEVC with codec id 12',
      hex`2c 01 000028 41`,
      { ...frame, codec: 'h265', compositionTimeMs: 40 },
    ],
    [
      'its record',
      hex`1c 00 000000 0101`,
      { ...frame, codec: 'h265', content: 'config', keyframe: true, data: hex`0101` },
    ],
    [
      'AVC with a FourCC',
      hex`a1 61766331 ffffd8 41`,
      { ...frame, codec: 'h264', compositionTimeMs: -40 },
    ],
    [
      'HEVC',
      hex`91 68766331 000050 41`,
      { ...frame, codec: 'h265', keyframe: true, compositionTimeMs: 80 },
    ],
    ['HEVC without composition time', hex`a3 68766331 41`, { ...frame, codec: 'h265' }],
    [
      'its record',
      hex`90 68766331 0101`,
      { ...frame, codec: 'h265', content: 'config', keyframe: true, data: hex`0101` },
    ],
    [
      'its end',
      hex`92 68766331`,
      { ...frame, codec: 'h265', content: 'end', keyframe: true, data: hex`` },
    ],
    ['AV1', hex`a1 61763031 41`, { ...frame, codec: 'av1' }],
    [
      'AV1 without a record, as libaom leaves it',
      hex`90 61763031`,
      { ...frame, codec: 'av1', content: 'config', keyframe: true, data: hex`` },
    ],
    ['VP9', hex`a1 76703039 41`, { ...frame, codec: 'vp9' }],
    [
      'a time in nanoseconds before it',
      hex`a7 02 0f423f 01 61763031 41`,
      { ...frame, codec: 'av1' },
    ],
    [
      'two modifiers, one of 300 bytes',
      concat(hex`a7 ff 012b`, new Uint8Array(300), hex`17 00 99 03 68766331 41`),
      { ...frame, codec: 'h265' },
    ],
    [
      'one of 256 bytes',
      concat(hex`a7 ff 00ff`, new Uint8Array(256), hex`03 68766331 41`),
      { ...frame, codec: 'h265' },
    ],
    [
      'one track',
      hex`a6 01 68766331 00 000028 41`,
      { ...frame, codec: 'h265', compositionTimeMs: 40 },
    ],
    [
      'the first of many',
      hex`a6 13 68766331 00 000001 41 01 000002 4242`,
      { ...frame, codec: 'h265' },
    ],
    [
      'the default one behind another',
      hex`a6 13 68766331 01 000002 4242 00 000001 41`,
      { ...frame, codec: 'h265' },
    ],
    [
      'the default one of many codecs',
      hex`a6 21 76703039 01 000002 4242 61763031 00 000001 41`,
      { ...frame, codec: 'av1' },
    ],
    ['a modifier before tracks', hex`a7 00 99 06 01 61763031 00 41`, { ...frame, codec: 'av1' }],
    ['another track, as FFmpeg 8 sends it: nothing', hex`a6 01 76703039 01 8600`, undefined],
    ['a message of no bytes: nothing', hex``, undefined],
    ['a command: nothing', hex`57 00`, undefined],
    [
      'colour metadata of FFmpeg 8: nothing',
      hex`d4 68766331 02 0009 636f6c6f72496e666f 03 000009`,
      undefined,
    ],
    ['a MPEG-2 descriptor: nothing', hex`95 61763031 80`, undefined],
  ] as const) {
    test(name, () => assert.deepEqual(parseVideoTagBody(body), want));
  }

  for (const [name, body] of [
    ['no packet type', hex`17`],
    ['half a composition time', hex`17 01 0000`],
    ['half a FourCC', hex`91 687663`],
    ['a modifier past the end', hex`a7 05 00 01 61763031`],
    ['a track past the end', hex`a6 13 68766331 00 000009 41`],
    ['tracks within tracks', hex`a6 16 68766331 00 000001 41`],
    ['a modifier within tracks', hex`a6 17 68766331 00 000001 41`],
  ] as const) {
    test(`${name} is a ParseError`, () =>
      assert.throws(() => parseVideoTagBody(body), { name: 'ParseError' }));
  }

  for (const [name, body, words] of [
    ['Sorenson H.263', hex`12 00`, /Sorenson H\.263/],
    ['VP8', hex`91 76703038`, /codec vp08 is/],
    ['a packet type to come', hex`98 68766331`, /packet type 8/],
    ['a third kind of multitrack', hex`a6 31 68766331`, /multitrack type 3/],
  ] as const) {
    test(`${name} is an UnsupportedError`, () =>
      assert.throws(() => parseVideoTagBody(body), { name: 'UnsupportedError', message: words }));
  }

  test('what was written', () => {
    const codec = fc.constantFrom<VideoTrack['codec']>('h264', 'h265', 'av1', 'vp9');
    const hevcForm = fc.constantFrom('enhanced' as const, 'legacy12' as const);
    const timeMs = fc.integer({ min: -0x800000, max: 0x7fffff });
    fc.assert(
      fc.property(codec, hevcForm, fc.boolean(), timeMs, fc.uint8Array(), (...values) => {
        const [codec, hevcForm, keyframe, timeMs, data] = values;
        const form = videoTagForm(codec, hevcForm);
        const compositionTimeMs = form.hasCompositionTime ? timeMs : 0;
        const body = concat(header(form, keyframe, timeMs), data);
        const want = { codec, content: 'frame', keyframe, compositionTimeMs, data };
        assert.deepEqual(parseVideoTagBody(body), want);
      }),
    );
  });

  test('arbitrary bytes give a value or an error of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(255), (bytes, first) => {
        try {
          parseVideoTagBody(concat(Uint8Array.of(first), bytes));
        } catch (error) {
          assert.ok(error instanceof ParseError || error instanceof UnsupportedError);
        }
      }),
    );
  });
});
