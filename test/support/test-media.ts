/** A stream made by ffmpeg: every access unit with its exact times, as a camera would give them. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { aacTrack } from '../../codecs/aac/audio-specific-config.ts';
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import { parseAudioTagBody } from '../../codecs/flv/audio-tag.ts';
import { type FlvTag, FlvTagType, flvTags } from '../../codecs/flv/tag.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import { parseDecoderConfigurationRecord } from '../../codecs/h264/decoder-configuration-record.ts';
import type { AacTrack, H264Track, Track } from '../../codecs/track.ts';

const run = promisify(execFile);

export interface TestMedia {
  readonly tracks: readonly Track[];
  /** In the order of an interleaved file. */
  readonly units: readonly TestUnit[];
}

export interface TestUnit {
  readonly track: Track;
  readonly ptsMs: number;
  readonly dtsMs: number;
  readonly randomAccess: boolean;
  readonly data: Uint8Array;
}

export interface TestMediaOptions {
  readonly seconds: number;
  readonly bFrames?: number;
  readonly kbps?: number;
}

/** 640x360, 25 pictures a second, a keyframe every second; AAC, 48 kHz, stereo. */
export async function makeTestMedia(options: TestMediaOptions): Promise<TestMedia> {
  const { seconds, bFrames = 0, kbps = 1_000 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-media-'));
  const file = join(folder, 'media.flv');
  try {
    await run('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=25:duration=${seconds}`],
      ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-threads', '1'],
      ...['-b:v', `${kbps}k`, '-bf', `${bFrames}`, '-g', '25', '-sc_threshold', '0'],
      ...['-c:a', 'aac', '-b:a', '96k', '-ac', '2', file],
    ]);
    return parse(await readFile(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Lends units as producers do: always in the same buffer, with headroom, unless a sink has kept the one
 * before. So a sink that reads a unit's bytes later without saying so sends wrong bytes.
 */
export class Lender {
  #buffer = new Uint8Array(0);
  #last: AccessUnit | undefined;

  /** `fromMs` is where the stream's own clock begins. */
  lend(unit: TestUnit, fromMs = 0): AccessUnit {
    const byteLength = ACCESS_UNIT_HEADROOM + unit.data.length;
    if (this.#last?.kept || this.#buffer.length < byteLength) {
      this.#buffer = new Uint8Array(2 * byteLength);
    }
    const data = this.#buffer.subarray(ACCESS_UNIT_HEADROOM, byteLength);
    data.set(unit.data);
    const { track, randomAccess } = unit;
    const ptsUs = (unit.ptsMs + fromMs) * 1000;
    const dtsUs = (unit.dtsMs + fromMs) * 1000;
    this.#last = { track, ptsUs, dtsUs, randomAccess, data, kept: false };
    return this.#last;
  }
}

function parse(file: Uint8Array): TestMedia {
  const tags = [...flvTags(file)];
  const video = videoTrackOf(tags);
  const audio = audioTrackOf(tags);
  const units = tags.flatMap((tag) => {
    const unit = tag.type === FlvTagType.video ? videoUnit(tag, video) : audioUnit(tag, audio);
    return unit === undefined ? [] : [unit];
  });
  return { tracks: [video, audio], units };
}

function videoTrackOf(tags: readonly FlvTag[]): H264Track {
  const tag = tags.find(({ type }) => type === FlvTagType.video)!;
  const record = parseDecoderConfigurationRecord(parseVideoTagBody(tag.body)!.data);
  return { kind: 'video', codec: 'h264', sps: record.sps[0]!, pps: record.pps[0]! };
}

function audioTrackOf(tags: readonly FlvTag[]): AacTrack {
  const tag = tags.find(({ type }) => type === FlvTagType.audio)!;
  return aacTrack(parseAudioTagBody(tag.body)!.data);
}

function videoUnit({ body, timestampMs }: FlvTag, track: H264Track): TestUnit | undefined {
  const tag = parseVideoTagBody(body);
  if (tag?.content !== 'frame') return undefined;
  const { keyframe, compositionTimeMs, data } = tag;
  const ptsMs = timestampMs + compositionTimeMs;
  return { track, ptsMs, dtsMs: timestampMs, randomAccess: keyframe, data };
}

function audioUnit({ type, body, timestampMs }: FlvTag, track: AacTrack): TestUnit | undefined {
  if (type !== FlvTagType.audio) return undefined;
  const tag = parseAudioTagBody(body);
  if (tag?.content !== 'frame') return undefined;
  const { data } = tag;
  return { track, ptsMs: timestampMs, dtsMs: timestampMs, randomAccess: true, data };
}
