import assert from 'node:assert/strict';
import { test } from 'node:test';
import { id3v2Length } from '../../../codecs/mpeg-audio/id3.ts';
import { hex } from '../../support/hex.ts';

const cases = [
  {
    name: 'ffmpeg 5.1.9 writes 35 bytes behind the header',
    bytes: hex`494433 0400 00 00000023`,
    want: 45,
  },
  { name: 'seven bits of a byte count', bytes: hex`494433 0300 00 00000201`, want: 10 + 257 },
  { name: 'a footer is as long as a header', bytes: hex`494433 0400 10 00000000`, want: 20 },
  { name: 'a size with eight bits is none', bytes: hex`494433 0400 00 00000080`, want: 0 },
  { name: 'half a header', bytes: hex`494433 0400 00 000000`, want: 0 },
  { name: 'sound', bytes: hex`fffb90c4 00000000 0000`, want: 0 },
];

for (const { name, bytes, want } of cases) {
  test(name, () => assert.equal(id3v2Length(bytes), want));
}
