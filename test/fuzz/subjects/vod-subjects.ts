/** Files of others that players ask for: MP4, FLV's index, MP3. */
import { concat } from '../../../codecs/bytes.ts';
import { EcmaArray } from '../../../codecs/flv/amf0.ts';
import {
  parseRecordedMetadata,
  serializeRecordedMetadata,
} from '../../../codecs/flv/recorded-metadata.ts';
import { parseFragment } from '../../../codecs/mp4/fragment-samples.ts';
import { parseMovie } from '../../../codecs/mp4/movie.ts';
import {
  MFRO_BYTES,
  parseRandomAccessIndex,
  randomAccessIndexSize,
} from '../../../codecs/mp4/random-access-index.ts';
import { SampleCursor } from '../../../codecs/mp4/sample-table.ts';
import { parseMpegAudioHeader } from '../../../codecs/mpeg-audio/frame-header.ts';
import { id3v2Length } from '../../../codecs/mpeg-audio/id3.ts';
import { parseVbrHeader } from '../../../codecs/mpeg-audio/vbr-header.ts';
import {
  FIRST_MOOF,
  FRAGMENTED_MOOV,
  MFRA,
  PLAIN_MOOV,
  SECOND_MOOF,
} from '../../codecs/mp4/ffmpeg-files.ts';
import { hex } from '../../support/hex.ts';
import { parserOf, type Subject } from '../subject.ts';

const BOX_HEADER_BYTES = 8;
/** Of a track: what a player reads in some minutes. */
const MOST_SAMPLES = 10_000;

function contents(box: Uint8Array): Uint8Array {
  return box.subarray(BOX_HEADER_BYTES);
}

function walkMovie(moov: Uint8Array): void {
  const { video, audio } = parseMovie(moov);
  for (const track of [video, audio]) {
    if (track === undefined) continue;
    const { samples } = track;
    const cursor = new SampleCursor(samples);
    for (let count = 0; count < MOST_SAMPLES && cursor.next() !== undefined; count += 1);
    for (const ticks of [0, 1000, samples.endTicks]) {
      cursor.moveTo(samples.syncBefore(samples.sampleAt(ticks)));
      cursor.next();
    }
  }
}

const DEFAULTS = parseMovie(contents(FRAGMENTED_MOOV)).fragmentDefaults ?? new Map();
const INDEX = serializeRecordedMetadata(new EcmaArray({ width: 640 }), 4000, 100_000, [
  { timeMs: 0, position: 33_000 },
  { timeMs: 2000, position: 60_000 },
]);

export const VOD_SUBJECTS: readonly Subject[] = [
  parserOf('MP4 movie', walkMovie, contents(PLAIN_MOOV), contents(FRAGMENTED_MOOV)),
  parserOf(
    'MP4 fragment',
    (bytes) => parseFragment(bytes, 1246, DEFAULTS, new Map()),
    contents(FIRST_MOOF),
    contents(SECOND_MOOF),
  ),
  parserOf(
    'MP4 index of fragments',
    (bytes) => {
      randomAccessIndexSize(bytes.subarray(-MFRO_BYTES));
      parseRandomAccessIndex(bytes, 1);
    },
    contents(MFRA),
  ),
  parserOf('FLV index of keyframes', parseRecordedMetadata, INDEX.subarray(0, 600)),
  parserOf(
    'MP3 beginning',
    (bytes) => {
      const frame = bytes.subarray(id3v2Length(bytes));
      parseVbrHeader(frame, parseMpegAudioHeader(frame));
    },
    concat(
      hex`494433 0400 00 00000003 000000 fffb9044`,
      new Uint8Array(32),
      hex`58696e67 0000000f 0000007b`,
      new Uint8Array(20),
    ),
  ),
];
