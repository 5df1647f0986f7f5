import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHints } from '../../codecs/decode-hints.ts';
import type { VideoTrack } from '../../codecs/track.ts';
import { hex } from '../support/hex.ts';

const PPS = hex`68ce0fc8`;

/** Made with ffmpeg 5.1.9, libx264 164 and libx265 3.5; depths are ffprobe's has_b_frames. */
const cases: readonly { name: string; track: VideoTrack; want: ReturnType<typeof decodeHints> }[] =
  [
    {
      name: 'H.264: the VUI states two',
      track: {
        kind: 'video',
        codec: 'h264',
        sps: hex`67640028acd940780227e5c044000003000400000300c83c60c658`,
        pps: PPS,
      },
      want: { reorderDepth: 2, fps: 25 },
    },
    {
      name: 'H.264: picture order count type 2 reorders none, whatever the VUI states',
      track: {
        kind: 'video',
        codec: 'h264',
        // max_num_reorder_frames made 2 by hand, max_dec_frame_buffering 3.
        sps: hex`6742c028d900780227e5c044000003000400000300c83c60c6c8`,
        pps: PPS,
      },
      want: { reorderDepth: 0, fps: 25 },
    },
    {
      name: 'H.264: a SPS that cannot be read says nothing',
      track: { kind: 'video', codec: 'h264', sps: hex`67ff`, pps: PPS },
      want: undefined,
    },
    {
      name: 'H.265 with a pyramid of B-pictures: two',
      track: {
        kind: 'video',
        codec: 'h265',
        vps: hex`40010c01ffff016000000300900000030000030078959809`,
        sps: hex`420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000c84`,
        pps: hex`4401c172b46240`,
      },
      want: { reorderDepth: 2, fps: 25 },
    },
    {
      name: 'AV1: pictures are shown as they come',
      track: { kind: 'video', codec: 'av1', config: hex`81` },
      want: { reorderDepth: 0, fps: undefined },
    },
  ];

for (const { name, track, want } of cases) {
  test(name, () => assert.deepEqual(decodeHints(track), want));
}
