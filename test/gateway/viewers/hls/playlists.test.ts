import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeTrack } from '../../../../codecs/describe-track.ts';
import {
  initializationName,
  mediaPlaylist,
  multivariantPlaylist,
  partName,
  segmentName,
} from '../../../../gateway/viewers/hls/playlists.ts';
import { Segmenter } from '../../../../gateway/viewers/hls/segmenter.ts';
import { readMediaPlaylist } from '../../../support/hls-playlist.ts';
import { VIDEO_TRACK, videoUnit } from '../../../support/units.ts';

/** Keyframes each second, 5 pictures a second: two parts and a rest in each segment. */
function segmenterOf(seconds: number): Segmenter {
  let nowMs = Date.UTC(2026, 10, 25, 12);
  const segmenter = new Segmenter(7, () => nowMs, { changed: () => undefined });
  segmenter.start([VIDEO_TRACK]);
  for (let n = 0; n <= seconds * 5; n += 1) {
    segmenter.write(videoUnit({ dtsUs: n * 200_000, randomAccess: n % 5 === 0, byteLength: 1000 }));
    nowMs += 200;
  }
  return segmenter;
}

test('as it is written', () => {
  assert.equal(
    mediaPlaylist(segmenterOf(1.4), '?token=a%20b'),
    `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.35000,HOLD-BACK=6
#EXT-X-PART-INF:PART-TARGET=0.45000
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-0.mp4?token=a%20b"
#EXT-X-PROGRAM-DATE-TIME:2026-11-25T12:00:00.000Z
#EXT-X-PART:DURATION=0.40000,URI="part-7-0.m4s?token=a%20b",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.40000,URI="part-7-1.m4s?token=a%20b"
#EXT-X-PART:DURATION=0.20000,URI="part-7-2.m4s?token=a%20b"
#EXTINF:1.00000,
segment-7.m4s?token=a%20b
#EXT-X-PROGRAM-DATE-TIME:2026-11-25T12:00:01.000Z
#EXT-X-PART:DURATION=0.40000,URI="part-8-0.m4s?token=a%20b",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-8-1.m4s?token=a%20b"
`,
  );
});

test('seven whole segments at most; parts of the last three target durations only', () => {
  const playlist = readMediaPlaylist(mediaPlaylist(segmenterOf(30.4), ''));
  assert.equal(playlist.segments.filter(({ uri }) => uri !== undefined).length, 7);
  assert.ok(playlist.segments[0]!.parts.length === 0 && playlist.segments[6]!.parts.length > 0);
});

test('between two segments only the hint tells of the next', () => {
  const segmenter = segmenterOf(3);
  const playlist = readMediaPlaylist(mediaPlaylist(segmenter, ''));
  assert.ok(playlist.segments.every(({ uri }) => uri !== undefined));
  assert.equal(playlist.preloadHint, partName(playlist.segments.at(-1)!.number + 1, 0));
});

test('the multivariant playlist: bit rates of whole segments, codecs, size', () => {
  const segmenter = segmenterOf(5.4);
  const text = multivariantPlaylist(segmenter, describeTrack(VIDEO_TRACK), '?token=x');
  const perSecond = segmenter.segments[1]!.byteLength * 4;
  assert.match(text, /^#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-STREAM-INF:BANDWIDTH=\d+/);
  assert.ok(Number(/BANDWIDTH=(\d+)/.exec(text)![1]) >= perSecond);
  assert.match(
    text,
    /,CODECS="avc1.42c01e",RESOLUTION=640x480,FRAME-RATE=25.000\nmedia.m3u8\?token=x\n$/,
  );
});

test('sound without a picture has no size; what is left out is told in a comment', () => {
  const segmenter = segmenterOf(3);
  segmenter.leftOut = ['G.711 A-law'];
  const text = multivariantPlaylist(segmenter, undefined, '');
  assert.match(text, /\n# left out: G.711 A-law\n/);
  assert.doesNotMatch(text, /RESOLUTION|FRAME-RATE/);
});

test('names of files', () => {
  assert.deepEqual(
    [initializationName(3), segmentName(4), partName(5, 6)],
    ['init-3.mp4', 'segment-4.m4s', 'part-5-6.m4s'],
  );
});
