import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../../codecs/access-unit.ts';
import { concat } from '../../../codecs/bytes.ts';
import { parseAmf0 } from '../../../codecs/flv/amf0.ts';
import { parseAudioTagBody } from '../../../codecs/flv/audio-tag.ts';
import { type HevcForm, parseVideoTagBody } from '../../../codecs/flv/video-tag.ts';
import type { AudioTrack, OpusTrack, PassedVideoTrack } from '../../../codecs/track.ts';
import { ChunkReader } from '../../../protocols/rtmp/chunk-reader.ts';
import { serializeMessage } from '../../../protocols/rtmp/chunk-writer.ts';
import { controlMessage } from '../../../protocols/rtmp/control.ts';
import { type MediaOutput, MediaWriter } from '../../../protocols/rtmp/media-writer.ts';
import type { RtmpMessage } from '../../../protocols/rtmp/message.ts';
import { hex, toHex } from '../../support/hex.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  G711_TRACK,
  HEVC_TRACK,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../support/units.ts';

const CHUNK_SIZE = 65_536;
const BOTH = [VIDEO_TRACK, AUDIO_TRACK];
const OPUS_TRACK: OpusTrack = {
  kind: 'audio',
  codec: 'opus',
  config: hex`4f707573486561640102380180bb0000000000`,
  sampleRate: 48_000,
  channels: 2,
};

/** Remembers what was written, as it was at that moment, and the arrays that were given. */
class RecordingOutput implements MediaOutput {
  readonly writes: Uint8Array[] = [];
  readonly given: Uint8Array[] = [];
  /** What `write` answers: the socket has not taken everything. */
  holds = false;
  gathered = 0;

  write(bytes: Uint8Array): boolean {
    this.given.push(bytes);
    this.writes.push(bytes.slice());
    return this.holds;
  }

  writeGathered(parts: readonly Uint8Array[]): boolean {
    this.gathered += 1;
    this.given.push(...parts);
    this.writes.push(concat(...parts));
    return this.holds;
  }

  messages(chunkSize = CHUNK_SIZE): RtmpMessage[] {
    const setChunkSize = serializeMessage(controlMessage(1, chunkSize), 2, 128);
    return new ChunkReader().push(concat(setChunkSize, ...this.writes));
  }
}

function writerTo(
  output: MediaOutput,
  chunkSize = CHUNK_SIZE,
  hevcForm: HevcForm = 'enhanced',
): MediaWriter {
  return new MediaWriter({ messageStreamId: 1, chunkSize, hevcForm, encoder: 'test' }, output);
}

/** A writer behind its first picture at 0 ms, with everything announced. */
function begun(output: RecordingOutput, chunkSize = CHUNK_SIZE): MediaWriter {
  const writer = writerTo(output, chunkSize);
  writer.start(BOTH);
  writer.write(videoUnit());
  output.writes.length = 0;
  output.given.length = 0;
  return writer;
}

function brief({ typeId, timestampMs, payload }: RtmpMessage): string {
  return `${typeId} @${timestampMs} ${toHex(payload.subarray(0, 5))}`;
}

test('metadata and sequence headers come before the first picture', () => {
  const output = new RecordingOutput();
  const writer = writerTo(output);
  writer.start(BOTH);
  assert.equal(output.writes.length, 0);
  writer.write(videoUnit({ dtsUs: 5_000_000, ptsUs: 5_040_000 }));
  const messages = output.messages();
  assert.deepEqual(messages.map(brief).slice(1), [
    '9 @0 1700000000', // AVC sequence header
    '8 @0 af001190', // AAC sequence header, AudioSpecificConfig
    '9 @0 1701000028', // keyframe, composition time 40
  ]);
  const [name, event, metadata] = parseAmf0(messages[0]!.payload);
  assert.deepEqual([messages[0]?.typeId, name, event], [18, '@setDataFrame', 'onMetaData']);
  assert.equal((metadata as Record<string, unknown>)['audiosamplerate'], 48_000);
  assert.ok(messages.every((message) => message.messageStreamId === 1));
});

test('a picture is one write of one view that ends with the lent bytes', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  const unit = videoUnit({ dtsUs: 40_000, randomAccess: false, byteLength: 3 });
  writer.write(unit);
  assert.equal(output.given.length, 1);
  assert.equal(output.given[0]?.buffer, unit.data.buffer);
  assert.equal(
    toHex(output.writes[0]!),
    toHex(hex`06 000028 000008 09 01000000  27 01 000000  aaaaaa`),
  );
  assert.equal(unit.kept, false);
});

test('audio waits for the next picture and rides in front of it, in its headroom', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  writer.write(audioUnit({ dtsUs: 10_000, fill: 0xb1 }));
  writer.write(audioUnit({ dtsUs: 31_333, fill: 0xb2 }));
  assert.equal(output.writes.length, 0);
  const unit = videoUnit({ dtsUs: 40_000, randomAccess: false });
  writer.write(unit);
  assert.equal(output.given.length, 1);
  assert.equal(output.given[0]?.buffer, unit.data.buffer);
  assert.deepEqual(output.messages().map(brief), [
    '8 @10 af01b1b1b1',
    '8 @31 af01b2b2b2',
    '9 @40 2701000000',
  ]);
});

test('audio waits at most 100 ms', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  for (const dtsUs of [0, 50_000, 99_000]) writer.write(audioUnit({ dtsUs }));
  assert.equal(output.writes.length, 0);
  writer.write(audioUnit({ dtsUs: 100_000 }));
  assert.deepEqual(
    output.messages().map(({ timestampMs }) => timestampMs),
    [0, 50, 99, 100],
  );
});

test('audio that would not fit into the headroom goes on its own', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  const byteLength = 700;
  for (const dtsUs of [0, 20_000, 40_000]) writer.write(audioUnit({ dtsUs, byteLength }));
  assert.equal(output.messages().length, 2);
  writer.write(videoUnit({ dtsUs: 41_000 }));
  assert.equal(output.messages().length, 4);
  assert.equal(output.writes.length, 2);
});

test('an audio frame larger than the headroom keeps its place', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  writer.write(audioUnit({ dtsUs: 0, fill: 1 }));
  writer.write(audioUnit({ dtsUs: 20_000, byteLength: 5_000, fill: 2 }));
  writer.write(audioUnit({ dtsUs: 40_000, fill: 3 }));
  writer.flush();
  const lengths = output.messages().map(({ payload }) => parseAudioTagBody(payload)!.data.length);
  assert.deepEqual(lengths, [10, 5_000, 10]);
});

test('without video, audio goes at once', () => {
  const output = new RecordingOutput();
  const writer = writerTo(output);
  writer.start([AUDIO_TRACK]);
  writer.write(audioUnit({ dtsUs: 7_000 }));
  writer.write(audioUnit({ dtsUs: 28_333 }));
  assert.deepEqual(output.messages().map(brief).slice(1), [
    '8 @0 af001190',
    '8 @0 af01aaaaaa',
    '8 @21 af01aaaaaa',
  ]);
});

test('a unit is kept when the output still reads it, and only then', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  output.holds = true;
  const unit = videoUnit({ dtsUs: 40_000 });
  writer.write(unit);
  assert.equal(unit.kept, true);
  const audio = audioUnit({ dtsUs: 41_000 });
  writer.write(audio);
  assert.equal(audio.kept, false, 'audio is copied');
});

test('audio that the output still reads is not written over', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  output.holds = true;
  writer.write(audioUnit({ dtsUs: 0, fill: 0xb1 }));
  writer.flush();
  const held = output.given[0]!;
  const before = toHex(held);
  writer.write(audioUnit({ dtsUs: 1_000, fill: 0xb2 }));
  assert.equal(toHex(held), before);
});

for (const [name, wanted] of [
  ['is kept already', { kept: true }],
  ['has no headroom', { headroom: 0 }],
  ['has too little headroom', { headroom: 16 }],
] as const) {
  test(`nothing is written before a unit that ${name}`, () => {
    const output = new RecordingOutput();
    const writer = begun(output);
    writer.write(audioUnit({ dtsUs: 10_000 }));
    const unit = videoUnit({ dtsUs: 40_000, byteLength: 100_000, ...wanted });
    writer.write(unit);
    const before = new Uint8Array(unit.data.buffer, 0, unit.data.byteOffset);
    assert.ok(before.every((byte) => byte === 0));
    const [audio, video] = output.messages();
    assert.equal(audio?.timestampMs, 10);
    assert.deepEqual(parseVideoTagBody(video!.payload)?.data, unit.data);
    assert.equal(output.gathered, 1);
  });
}

test('a picture larger than a chunk is one gathered write of views', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  const unit = videoUnit({ dtsUs: 40_000, byteLength: 2 * CHUNK_SIZE });
  writer.write(unit);
  assert.equal(output.gathered, 1);
  assert.deepEqual(output.given.filter((part) => part.buffer === unit.data.buffer).length, 3);
  assert.deepEqual(parseVideoTagBody(output.messages()[0]!.payload)?.data, unit.data);
});

test('extended timestamps are repeated in every chunk of a picture', () => {
  const output = new RecordingOutput();
  const writer = begun(output, 2048);
  writer.write(videoUnit({ dtsUs: 0x1000000 * 1000, byteLength: 2048 - 5 + 1 }));
  const bytes = output.writes[0]!;
  assert.equal(toHex(bytes.subarray(0, 21)), '06ffffff0008010901000000010000001701000000');
  assert.equal(toHex(bytes.subarray(16 + 2048)), 'c601000000aa');
});

test('timestamps wrap at 32 bits', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  writer.write(videoUnit({ dtsUs: (2 ** 32 - 1) * 1000 }));
  writer.write(videoUnit({ dtsUs: (2 ** 32 + 39) * 1000 }));
  assert.deepEqual(
    output.messages().map(({ timestampMs }) => timestampMs),
    [2 ** 32 - 1, 39],
  );
});

test('a composition time may be negative', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  writer.write(videoUnit({ dtsUs: 80_000, ptsUs: 40_000 }));
  assert.equal(parseVideoTagBody(output.messages()[0]!.payload)?.compositionTimeMs, -40);
});

test('a new track is announced just before its first unit, audio that waited before that', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  writer.write(audioUnit({ dtsUs: 10_000 }));
  writer.write(videoUnit({ dtsUs: 40_000, track: OTHER_VIDEO_TRACK }));
  writer.write(videoUnit({ dtsUs: 80_000, track: OTHER_VIDEO_TRACK }));
  assert.deepEqual(output.messages().map(brief), [
    '8 @10 af01aaaaaa',
    '9 @40 1700000000',
    '9 @40 1701000000',
    '9 @80 1701000000',
  ]);
});

/** srs PR#4696: headers with each keyframe break players. */
test('a track of the same bytes is not announced again', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  writer.write(videoUnit({ dtsUs: 40_000, track: { ...VIDEO_TRACK } }));
  writer.start([{ ...VIDEO_TRACK }, { ...AUDIO_TRACK }]);
  writer.write(videoUnit({ dtsUs: 80_000 }));
  assert.equal(output.messages().length, 2);
});

test('a source that returns without audio is told in new metadata', () => {
  const output = new RecordingOutput();
  const writer = begun(output);
  writer.start([VIDEO_TRACK]);
  writer.write(videoUnit({ dtsUs: 40_000 }));
  assert.deepEqual(
    output.messages().map(({ typeId }) => typeId),
    [18, 9],
  );
});

/** Each codec's header and frame, the frame's composition time 40 ms where the codec has one. */
for (const [name, track, hevcForm, want] of [
  ['H.265, enhanced', HEVC_TRACK, 'enhanced', ['9 @0 9068766331', '9 @0 9168766331']],
  ['H.265, codec id 12', HEVC_TRACK, 'legacy12', ['9 @0 1c00000000', '9 @0 1c01000028']],
  ['AV1', passed('av1'), 'legacy12', ['9 @0 9061763031', '9 @0 9161763031']],
  ['VP9', passed('vp9'), 'enhanced', ['9 @0 9076703039', '9 @0 9176703039']],
  ['Opus', OPUS_TRACK, 'enhanced', ['8 @0 904f707573', '8 @0 914f707573']],
  ['AC-3', audio('ac3', 48_000), 'enhanced', ['8 @0 9061632d33', '8 @0 9161632d33']],
  ['MP3', audio('mp3', 44_100), 'enhanced', ['8 @0 2eaaaaaaaa']],
  ['A-law', G711_TRACK, 'enhanced', ['8 @0 72aaaaaaaa']],
] as const) {
  test(`${name}: header, then frames`, () => {
    const output = new RecordingOutput();
    const writer = writerTo(output, CHUNK_SIZE, hevcForm);
    writer.start([track]);
    if (track.kind === 'video') writer.write(videoUnit({ track, ptsUs: 40_000 }));
    else writer.write(audioUnit({ track }));
    assert.deepEqual(output.messages().map(brief).slice(1), want);
    const { payload } = output.messages().at(-1)!;
    const body = track.kind === 'video' ? parseVideoTagBody(payload) : parseAudioTagBody(payload);
    assert.ok(body?.content === 'frame' && body.data.every((byte) => byte === 0xaa));
  });
}

test('H.265 is one write of one view, whatever the length of its header, with audio in front', () => {
  for (const ptsUs of [40_000, 80_000]) {
    const output = new RecordingOutput();
    const writer = writerTo(output);
    writer.start([HEVC_TRACK, G711_TRACK]);
    writer.write(videoUnit({ track: HEVC_TRACK }));
    output.given.length = 0;
    output.writes.length = 0;
    writer.write(audioUnit({ track: G711_TRACK, dtsUs: 20_000, byteLength: 160 }));
    const unit = videoUnit({ track: HEVC_TRACK, dtsUs: 40_000, ptsUs, randomAccess: false });
    writer.write(unit);
    assert.equal(output.given.length, 1);
    assert.equal(output.given[0]?.buffer, unit.data.buffer);
    const [sound, picture] = output.messages();
    assert.equal(sound?.payload.length, 161);
    assert.deepEqual(parseVideoTagBody(picture!.payload), {
      codec: 'h265',
      content: 'frame',
      keyframe: false,
      compositionTimeMs: (ptsUs - 40_000) / 1000,
      data: unit.data,
    });
  }
});

test('a picture of H.265 that fills a chunk to the byte, and one byte more', () => {
  for (const [byteLength, gathered] of [
    [CHUNK_SIZE - 8, 0],
    [CHUNK_SIZE - 7, 1],
  ] as const) {
    const output = new RecordingOutput();
    const writer = writerTo(output);
    writer.start([HEVC_TRACK]);
    writer.write(videoUnit({ track: HEVC_TRACK }));
    const unit = videoUnit({ track: HEVC_TRACK, dtsUs: 40_000, ptsUs: 80_000, byteLength });
    writer.write(unit);
    assert.equal(output.gathered, gathered);
    assert.deepEqual(parseVideoTagBody(output.messages().at(-1)!.payload)?.data, unit.data);
  }
});

test('G.711 of a rate that FLV does not have throws, before anything is written', () => {
  const output = new RecordingOutput();
  const writer = writerTo(output);
  const track = { ...G711_TRACK, sampleRate: 16_000 };
  writer.start([track]);
  assert.throws(() => writer.write(audioUnit({ track })), { name: 'UnsupportedError' });
  assert.equal(output.writes.length, 0);
});

function passed(codec: 'av1' | 'vp9'): PassedVideoTrack {
  return { kind: 'video', codec, config: hex`81000c00` };
}

function audio(codec: 'ac3' | 'mp3', sampleRate: number): AudioTrack {
  return { kind: 'audio', codec, sampleRate, channels: 1 };
}

test('whatever comes arrives whole, and the bytes of units are left alone', () => {
  const anyUnit = fc.record({
    isVideo: fc.boolean(),
    stepMs: fc.nat(60),
    byteLength: fc.oneof(fc.nat(300), fc.integer({ min: 1_900, max: 2_200 }), fc.nat(7_000)),
    kept: fc.boolean(),
    headroom: fc.constantFrom(0, 20, 60, ACCESS_UNIT_HEADROOM),
    holds: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(anyUnit),
      fc.integer({ min: ACCESS_UNIT_HEADROOM, max: 3_000 }),
      (wanted, chunkSize) => {
        const output = new RecordingOutput();
        const writer = begun(output, chunkSize);
        const units: AccessUnit[] = [];
        let dtsUs = 0;
        for (const [index, { isVideo, stepMs, holds, ...rest }] of wanted.entries()) {
          dtsUs += stepMs * 1000;
          output.holds = holds;
          const make = isVideo ? videoUnit : audioUnit;
          const unit = make({ ...rest, dtsUs, fill: index & 0xff });
          writer.write(unit);
          units.push(unit);
        }
        writer.flush();
        const messages = output.messages(chunkSize);
        assert.deepEqual(sorted(messages.map(received)), sorted(units.map(sent)));
        for (const [index, unit] of units.entries()) {
          assert.ok(unit.data.every((byte) => byte === (index & 0xff)));
        }
      },
    ),
  );
});

function sent({ track, dtsUs, data }: AccessUnit): string {
  return `${track.kind} ${dtsUs / 1000} ${toHex(data)}`;
}

function received({ typeId, timestampMs, payload }: RtmpMessage): string {
  const data = typeId === 9 ? parseVideoTagBody(payload)!.data : parseAudioTagBody(payload)!.data;
  return `${typeId === 9 ? 'video' : 'audio'} ${timestampMs} ${toHex(data)}`;
}

/** Audio may be overtaken by nothing of its own kind: order within each kind is kept. */
function sorted(lines: string[]): string[][] {
  const kinds = ['video', 'audio'];
  return kinds.map((kind) => lines.filter((line) => line.startsWith(kind)));
}
