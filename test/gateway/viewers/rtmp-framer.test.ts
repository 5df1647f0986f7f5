import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { parseAmf0 } from '../../../codecs/flv/amf0.ts';
import type { OpusTrack, PassedVideoTrack } from '../../../codecs/track.ts';
import { RtmpFramer } from '../../../gateway/viewers/rtmp-framer.ts';
import { ChunkReader } from '../../../protocols/rtmp/chunk-reader.ts';
import { serializeMessage } from '../../../protocols/rtmp/chunk-writer.ts';
import { controlMessage } from '../../../protocols/rtmp/control.ts';
import { MessageType, type RtmpMessage } from '../../../protocols/rtmp/message.ts';
import { hex, toHex } from '../../support/hex.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  G711_TRACK,
  HEVC_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../support/units.ts';

const OPUS: OpusTrack = {
  kind: 'audio',
  codec: 'opus',
  config: hex`4f70757348656164 01 02 3801 80bb0000 0000 00`,
  sampleRate: 48_000,
  channels: 2,
};
const AV1: PassedVideoTrack = { kind: 'video', codec: 'av1', config: hex`81 00 0c 00` };

/** What a player makes of it, whole, after the server's chunk size. */
function messagesIn(bytes: Uint8Array | undefined): RtmpMessage[] {
  if (bytes === undefined) return [];
  const reader = new ChunkReader();
  reader.push(serializeMessage(controlMessage(MessageType.setChunkSize, 65_536), 2, 128));
  return reader.push(bytes.slice());
}

function linesOf(bytes: Uint8Array | undefined): string[] {
  return messagesIn(bytes).map(({ typeId, timestampMs, messageStreamId, payload }) => {
    const body = toHex(payload.subarray(0, 12));
    return `${messageStreamId}/${typeId} at ${timestampMs}: ${body}`;
  });
}

function framerOf(form: 'enhanced' | 'legacy12', ...tracks: AccessUnit['track'][]): RtmpFramer {
  const framer = new RtmpFramer(form);
  framer.start(tracks);
  return framer;
}

test('audio that FLV has no form for, and audio that a player does not list, is left out', () => {
  const cases = [
    { form: 'enhanced', track: { ...G711_TRACK, sampleRate: 16_000 }, carried: false },
    { form: 'legacy12', track: G711_TRACK, carried: true },
    { form: 'legacy12', track: OPUS, carried: false },
    { form: 'enhanced', track: OPUS, carried: true },
  ] as const;
  for (const { form, track, carried } of cases) {
    const framer = framerOf(form, VIDEO_TRACK, track);
    assert.ok(framer.frame(videoUnit()) !== undefined);
    assert.equal(framer.frame(audioUnit({ track })) !== undefined, carried);
    const [metadata] = messagesIn(framer.header());
    const [, entries] = parseAmf0(metadata!.payload);
    assert.equal('audiocodecid' in (entries as object), carried);
  }
});

test('nothing is framed for a track that was not announced', () => {
  const framer = framerOf('enhanced', VIDEO_TRACK);
  assert.equal(framer.frame(audioUnit()), undefined);
});

test('a unit from before the first one is left out, one that is a little late gets the last time', () => {
  const framer = framerOf('enhanced', VIDEO_TRACK, AUDIO_TRACK);
  framer.frame(videoUnit({ dtsUs: 100_000 }));
  assert.equal(framer.frame(audioUnit({ dtsUs: 90_000 })), undefined);
  const times = [140_000, 120_000, 180_000].map(
    (dtsUs) => messagesIn(framer.frame(videoUnit({ dtsUs })))[0]?.timestampMs,
  );
  assert.deepEqual(times, [40, 40, 80]);
});

test('the header: onMetaData without @setDataFrame, and the sequence headers, at the time 0', () => {
  const framer = framerOf('legacy12', VIDEO_TRACK, AUDIO_TRACK);
  const [metadata, ...rest] = messagesIn(framer.header());
  assert.equal(parseAmf0(metadata!.payload)[0], 'onMetaData');
  assert.equal(metadata?.typeId, MessageType.dataAmf0);
  assert.equal(metadata?.messageStreamId, 1);
  assert.deepEqual(
    rest.map(({ typeId, timestampMs, payload }) => [
      typeId,
      timestampMs,
      toHex(payload.subarray(0, 6)),
    ]),
    [
      [9, 0, '170000000001'],
      [8, 0, 'af001190'],
    ],
  );
  assert.deepEqual(framer.header(), framerOf('legacy12', VIDEO_TRACK, AUDIO_TRACK).header());
});

test('pictures and sounds: message stream 1, type 0 headers, the time of the stream', () => {
  const framer = framerOf('enhanced', VIDEO_TRACK, AUDIO_TRACK);
  const first = framer.frame(videoUnit({ dtsUs: 5_000_000, ptsUs: 5_080_000, byteLength: 4 }));
  assert.deepEqual(linesOf(first), ['1/9 at 0: 1701000050aaaaaaaa']);
  // Chunk stream 6, type 0.
  assert.equal(first?.[0], 6);
  const sound = framer.frame(audioUnit({ dtsUs: 5_021_333, byteLength: 2 }));
  assert.deepEqual(linesOf(sound), ['1/8 at 21: af01aaaa']);
  const next = { dtsUs: 5_040_000, ptsUs: 5_000_000, randomAccess: false, byteLength: 1 };
  assert.deepEqual(linesOf(framer.frame(videoUnit(next))), ['1/9 at 40: 2701ffffd8aa']);
});

test('H.265 in either form, AV1 in the only one', () => {
  const hevc = (form: 'enhanced' | 'legacy12') => {
    const framer = framerOf(form, HEVC_TRACK);
    const unit = videoUnit({ track: HEVC_TRACK, byteLength: 1, ptsUs: 40_000 });
    return [linesOf(framer.header())[1]?.slice(0, 22), ...linesOf(framer.frame(unit))];
  };
  assert.deepEqual(hevc('enhanced'), ['1/9 at 0: 906876633101', '1/9 at 0: 9168766331000028aa']);
  assert.deepEqual(hevc('legacy12'), ['1/9 at 0: 1c0000000001', '1/9 at 0: 1c01000028aa']);
  for (const form of ['enhanced', 'legacy12'] as const) {
    const unit = videoUnit({ track: AV1, byteLength: 1 });
    assert.deepEqual(linesOf(framerOf(form, AV1).frame(unit)), ['1/9 at 0: 9161763031aa']);
  }
});

test('pictures larger than chunks, also after 4.66 hours, are one block that a player reads whole', () => {
  const lengths = [65_530, 65_531, 65_532, 131_067, 131_068, 300_000];
  for (const startUs of [0, 0xffffff * 1000]) {
    for (const byteLength of lengths) {
      const framer = framerOf('enhanced', VIDEO_TRACK);
      framer.frame(videoUnit({ dtsUs: 0 }));
      const unit = videoUnit({ dtsUs: startUs, byteLength });
      unit.data.forEach((_, index) => {
        unit.data[index] = index * 7;
      });
      const [message] = messagesIn(framer.frame(unit));
      assert.equal(message?.timestampMs, startUs / 1000);
      assert.equal(Buffer.compare(message!.payload.subarray(5), unit.data), 0);
    }
  }
});

test('a block is memory of its own: neither the unit nor the next block changes it', () => {
  const framer = framerOf('enhanced', VIDEO_TRACK);
  const unit = videoUnit({ fill: 1 });
  const headroom = new Uint8Array(unit.data.buffer, 0, unit.data.byteOffset).slice();
  const block = framer.frame(unit)!;
  const before = Uint8Array.from(block);
  unit.data.fill(9);
  framer.frame(videoUnit({ dtsUs: 40_000, ptsUs: 80_000, fill: 2 }));
  assert.deepEqual(Uint8Array.from(block), before);
  assert.equal(unit.kept, false);
  assert.deepEqual(new Uint8Array(unit.data.buffer, 0, unit.data.byteOffset), headroom);
});
