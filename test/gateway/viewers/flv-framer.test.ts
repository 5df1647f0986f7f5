import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { parseAmf0 } from '../../../codecs/flv/amf0.ts';
import { parseAudioTagBody } from '../../../codecs/flv/audio-tag.ts';
import { FlvTagType, flvFileHeader, flvTags } from '../../../codecs/flv/tag.ts';
import { parseVideoTagBody } from '../../../codecs/flv/video-tag.ts';
import type { Track } from '../../../codecs/track.ts';
import { FlvFramer, isCarriedInFlv, NO_ENVELOPE } from '../../../gateway/viewers/flv-framer.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  G711_TRACK,
  HEVC_TRACK,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../support/units.ts';

/** As a file: any reader that checks sizes is content. */
function tagsOf(bytes: Uint8Array) {
  return [...flvTags(concat(flvFileHeader(true, true), bytes))];
}

function framerFor(...tracks: Track[]): FlvFramer {
  const framer = new FlvFramer(NO_ENVELOPE);
  framer.start(tracks);
  return framer;
}

describe('the header', () => {
  test('onMetaData and a sequence header for each track, at the time 0', () => {
    const tags = tagsOf(framerFor(VIDEO_TRACK, AUDIO_TRACK).header());
    assert.deepEqual(
      tags.map(({ type, timestampMs }) => [type, timestampMs]),
      [
        [FlvTagType.scriptData, 0],
        [FlvTagType.video, 0],
        [FlvTagType.audio, 0],
      ],
    );
    const [name, metadata] = parseAmf0(tags[0]!.body);
    assert.equal(name, 'onMetaData');
    assert.equal((metadata as { width: number }).width, 640);
    assert.equal(parseVideoTagBody(tags[1]!.body)?.content, 'config');
    assert.equal(parseAudioTagBody(tags[2]!.body)?.content, 'config');
  });

  test('of the same tracks it is the same; of others, another', () => {
    const framer = framerFor(VIDEO_TRACK);
    const before = framer.header();
    framer.start([{ ...VIDEO_TRACK }]);
    assert.deepEqual(framer.header(), before);
    framer.start([OTHER_VIDEO_TRACK]);
    assert.notDeepEqual(framer.header(), before);
  });

  test('H.265 has its FourCC', () => {
    const [, video] = tagsOf(framerFor(HEVC_TRACK).header());
    assert.equal(Buffer.from(video!.body.subarray(1, 5)).toString(), 'hvc1');
  });
});

describe('a unit', () => {
  test('is one tag with its time, in memory of its own', () => {
    const framer = framerFor(VIDEO_TRACK, AUDIO_TRACK);
    const units = [
      videoUnit({ dtsUs: 5_000_000, ptsUs: 5_080_000, fill: 1 }),
      audioUnit({ dtsUs: 5_021_333, fill: 2 }),
      videoUnit({ dtsUs: 5_040_000, ptsUs: 5_040_000, fill: 3, randomAccess: false }),
    ];
    const frames = units.map((unit) => {
      const frame = framer.frame(unit);
      assert.equal(unit.kept, false);
      unit.data.fill(0xee);
      return frame!;
    });
    const [first, sound, second] = tagsOf(Buffer.concat(frames));
    assert.deepEqual([first?.timestampMs, sound?.timestampMs, second?.timestampMs], [0, 21, 40]);
    const picture = parseVideoTagBody(first!.body);
    assert.deepEqual(
      [picture?.keyframe, picture?.compositionTimeMs, picture?.data],
      [true, 80, new Uint8Array(40).fill(1)],
    );
    assert.deepEqual(parseAudioTagBody(sound!.body)?.data, new Uint8Array(10).fill(2));
    const other = parseVideoTagBody(second!.body);
    assert.deepEqual([other?.keyframe, other?.compositionTimeMs], [false, 0]);
  });

  test('what FLV has no form for is left out', () => {
    const track = { ...G711_TRACK, sampleRate: 16_000 };
    const framer = framerFor(VIDEO_TRACK, track);
    assert.equal(framer.frame(audioUnit({ track })), undefined);
    assert.ok(framer.frame(videoUnit()));
    assert.equal(tagsOf(framer.header()).length, 2);
    assert.equal(isCarriedInFlv(track), false);
    assert.equal(isCarriedInFlv(G711_TRACK), true);
  });

  test('in an envelope, which knows the size of what is in it', () => {
    const framer = new FlvFramer({
      headerBytes: () => 2,
      writeHeader: (target, at, payloadBytes) => {
        target[at] = 0xee;
        target[at + 1] = payloadBytes;
      },
    });
    framer.start([AUDIO_TRACK]);
    const frame = framer.frame(audioUnit())!;
    assert.deepEqual([...frame.subarray(0, 2)], [0xee, frame.length - 2]);
    assert.equal(tagsOf(frame.subarray(2)).length, 1);
  });
});
