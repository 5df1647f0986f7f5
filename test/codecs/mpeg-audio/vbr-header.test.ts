import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { parseMpegAudioHeader } from '../../../codecs/mpeg-audio/frame-header.ts';
import { parseVbrHeader } from '../../../codecs/mpeg-audio/vbr-header.ts';
import { hex } from '../../support/hex.ts';

/** MPEG-1, 44.1 kHz, stereo: 32 bytes of side information; mono: 17. MPEG-2: 17 and 9. */
const STEREO = concat(hex`fffb9044`, new Uint8Array(32));
const MONO = concat(hex`fffb90c4`, new Uint8Array(17));
const LOW_MONO = concat(hex`fff330c4`, new Uint8Array(9));
const CHECKED = concat(hex`fffa9044 abcd`, new Uint8Array(32));

const cases = [
  {
    name: 'Xing of LAME, stereo',
    bytes: concat(STEREO, hex`58696e67 0000000f 0000007b 00001000`),
    want: { frames: 123 },
  },
  {
    name: 'Info, mono',
    bytes: concat(MONO, hex`496e666f 00000001 00000002 00000000`),
    want: { frames: 2 },
  },
  {
    name: 'MPEG-2, mono',
    bytes: concat(LOW_MONO, hex`496e666f 00000001 00000007 00000000`),
    want: { frames: 7 },
  },
  {
    name: 'with a checksum that is counted',
    bytes: concat(CHECKED, hex`496e666f 00000001 00000005 00000000`),
    want: { frames: 5 },
  },
  {
    name: 'Xing that does not say how many',
    bytes: concat(STEREO, hex`58696e67 00000002 0000007b 00001000`),
    want: { frames: undefined },
  },
  {
    name: 'VBRI of Fraunhofer',
    bytes: concat(STEREO, hex`56425249 0001 0000 004b 00001000 00000063 0000`),
    want: { frames: 99 },
  },
  {
    name: 'sound',
    bytes: concat(STEREO, hex`00112233 44556677 8899aabb`, new Uint8Array(40)),
    want: undefined,
  },
  { name: 'half a Xing header', bytes: concat(STEREO, hex`58696e67 0000`), want: undefined },
];

for (const { name, bytes, want } of cases) {
  test(name, () => assert.deepEqual(parseVbrHeader(bytes, parseMpegAudioHeader(bytes)), want));
}
