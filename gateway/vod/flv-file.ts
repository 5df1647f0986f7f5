/**
 * A FLV file: read on through a window, tags → access units as from any FLV stream. Seeking goes to the places that onMetaData
 * names, each looked at before it is believed, and from there from tag to tag; where it names none, the headers of the tags are walked
 * up to the wanted time, each stretch of the file once.
 */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import { FlvDemuxer } from '../../codecs/flv/flv-demuxer.ts';
import { FlvReader } from '../../codecs/flv/flv-reader.ts';
import {
  type FlvKeyframe,
  parseRecordedMetadata,
  type RecordedMetadata,
} from '../../codecs/flv/recorded-metadata.ts';
import { FLV_TAG_HEADER_BYTES, flvFileHeader } from '../../codecs/flv/tag.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import type { FileRanges } from './file-ranges.ts';
import { type FlvTagPlace, firstFlvTagAt, flvTagAt, lastFlvTag } from './flv-tags.ts';
import { SeekIndex } from './seek-index.ts';
import type { VodFile } from './vod-file.ts';

/** What is read before the tracks must be known: the demuxer itself waits for no more. */
const MAX_BEGINNING_BYTES = 32 * 1024 * 1024;
/** In which onMetaData and the first time of either track are. */
const BEGINNING_TAGS = 32;
/** A bigger one is no metadata. */
const MAX_METADATA_BYTES = 1024 * 1024;
/** What onMetaData says of a keyframe's time may be rounded, or be of the picture before. */
const INDEX_TOLERANCE_MS = 1500;
/** Sound alone: a place for each second. */
const SOUND_POINT_EVERY_MS = 1000;

const FILE_BEGINNING = flvFileHeader(true, true);

/** Playing may begin at `at`, with these sequence headers in front. */
interface Place {
  readonly timeMs: number;
  readonly at: number;
  readonly videoConfig: FlvTagPlace | undefined;
  readonly audioConfig: FlvTagPlace | undefined;
}

export class FlvFile implements VodFile {
  tracks: readonly Track[] = [];
  readonly durationMs: number;
  readonly #file: FileRanges;
  readonly #metadata: RecordedMetadata | undefined;
  /** Of the file's first picture or sound: its time is 0 for the player. */
  readonly #originMs: number;
  readonly #start: Place;
  readonly #index = new SeekIndex<Place>();
  /** How far the index has come. */
  #indexed: Place;
  #hasVideo = false;
  #problem: Error | undefined;
  #input: Input;
  #at: number;

  private constructor(file: FileRanges, start: Place, facts: Facts) {
    this.#file = file;
    this.#start = start;
    this.#indexed = start;
    this.#metadata = facts.metadata;
    this.#originMs = facts.originMs;
    this.durationMs = facts.durationMs;
    this.#input = new Input(facts.originMs);
    this.#at = start.at;
  }

  /** Throws ParseError or UnsupportedError when nothing in it can be played. */
  static async open(file: FileRanges): Promise<FlvFile> {
    const at = await firstFlvTagAt(file);
    const start: Place = { timeMs: 0, at, videoConfig: undefined, audioConfig: undefined };
    const flv = new FlvFile(file, start, await factsOf(file, at));
    await flv.#readBeginning();
    return flv;
  }

  async seek(ms: number): Promise<number> {
    const place = await this.#placeBefore(ms);
    this.#input = new Input(this.#originMs);
    for (const config of [place.videoConfig, place.audioConfig]) {
      if (config !== undefined) await this.#feedTag(config);
    }
    this.#at = place.at;
    return place.timeMs;
  }

  async read(): Promise<AccessUnit | undefined> {
    for (;;) {
      const unit = this.#input.shift();
      if (unit !== undefined) return unit;
      if (!(await this.#feed())) {
        this.#input.end();
        return this.#input.shift();
      }
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #readBeginning(): Promise<void> {
    while (!this.#input.isStarted && this.#at - this.#start.at < MAX_BEGINNING_BYTES) {
      if (!(await this.#feed())) break;
    }
    if (!this.#input.isStarted) this.#input.end();
    this.tracks = this.#input.tracks;
    if (this.tracks.length === 0) {
      throw this.#problem ?? new ParseError('nothing in it can be played');
    }
    this.#hasVideo = this.tracks.some(({ kind }) => kind === 'video');
  }

  /** False at the end of the file, and where it is damaged: there is nothing to find the next tag by. */
  async #feed(): Promise<boolean> {
    const bytes = await this.#file.next(this.#at);
    if (bytes.length === 0) return false;
    this.#at += bytes.length;
    try {
      this.#input.push(bytes);
      return true;
    } catch (error) {
      if (!(error instanceof ParseError || error instanceof UnsupportedError)) throw error;
      this.#problem = error;
      this.#at = this.#file.size;
      return false;
    }
  }

  async #feedTag({ at, end }: FlvTagPlace): Promise<void> {
    for (let from = at; from < end; ) {
      const bytes = await this.#file.view(from, end - from);
      if (bytes.length === 0) return;
      this.#input.push(bytes);
      from += bytes.length;
    }
  }

  async #placeBefore(ms: number): Promise<Place> {
    let from = this.#index.at(ms);
    if (from === undefined || from.timeMs > ms) from = this.#start;
    if (ms > this.#indexed.timeMs) {
      const named = await this.#namedBefore(ms);
      // The index goes on from where it is; beyond a place that is named, the walk is not kept.
      if (named !== undefined && named.timeMs > this.#indexed.timeMs) {
        return await this.#walk(named, ms, false);
      }
      return await this.#walk(this.#indexed, ms, true);
    }
    return await this.#walk(from, ms, false);
  }

  /** From a place on to the last that is not after `ms`. */
  async #walk(from: Place, ms: number, isKept: boolean): Promise<Place> {
    let { at, videoConfig, audioConfig } = from;
    let best = from;
    let soundMs = from.timeMs;
    for (;;) {
      const tag = await flvTagAt(this.#file, at);
      if (tag === undefined) break;
      const timeMs = tag.timestampMs - this.#originMs;
      if (tag.kind === 'video-config') videoConfig = tag;
      else if (tag.kind === 'audio-config') audioConfig = tag;
      const isPoint = this.#hasVideo
        ? tag.kind === 'keyframe'
        : tag.kind === 'sound' && timeMs >= soundMs + SOUND_POINT_EVERY_MS;
      if (isPoint) {
        if (timeMs > ms) break;
        best = { timeMs: Math.max(0, timeMs), at: tag.at, videoConfig, audioConfig };
        soundMs = timeMs;
        if (isKept) {
          this.#index.add(best);
          this.#indexed = best;
        }
      }
      at = tag.end;
    }
    return best;
  }

  /** As onMetaData has it, if it is so. */
  async #namedBefore(ms: number): Promise<Place | undefined> {
    const named = this.#metadata?.keyframes.findLast(({ timeMs }) => timeMs - this.#originMs <= ms);
    if (named === undefined) return undefined;
    const tag = await namedKeyframe(this.#file, named);
    const timeMs = (tag?.timestampMs ?? 0) - this.#originMs;
    if (tag === undefined || timeMs > ms) return undefined;
    const { videoConfig, audioConfig } = await this.#firstConfigs();
    return { timeMs, at: named.position, videoConfig, audioConfig };
  }

  /**
   * Who names keyframes in onMetaData has one set of parameters for all of them. Those of the sound may stand with its first
   * frame, behind the first pictures: our own recordings begin with a keyframe.
   */
  async #firstConfigs(): Promise<Pick<Place, 'videoConfig' | 'audioConfig'>> {
    let videoConfig: FlvTagPlace | undefined;
    let audioConfig: FlvTagPlace | undefined;
    let keyframes = 0;
    for (let at = this.#start.at; at - this.#start.at < MAX_BEGINNING_BYTES; ) {
      const tag = await flvTagAt(this.#file, at);
      if (tag === undefined) break;
      if (tag.kind === 'video-config') videoConfig ??= tag;
      if (tag.kind === 'audio-config') audioConfig ??= tag;
      if (tag.kind === 'keyframe') keyframes += 1;
      if (videoConfig !== undefined && (audioConfig !== undefined || keyframes > 1)) break;
      at = tag.end;
    }
    return { videoConfig, audioConfig };
  }
}

interface Facts {
  readonly metadata: RecordedMetadata | undefined;
  readonly originMs: number;
  readonly durationMs: number;
}

async function factsOf(file: FileRanges, firstTagAt: number): Promise<Facts> {
  let metadata: RecordedMetadata | undefined;
  let originMs: number | undefined;
  let at = firstTagAt;
  for (let tags = 0; tags < BEGINNING_TAGS; tags += 1) {
    const tag = await flvTagAt(file, at);
    if (tag === undefined) break;
    at = tag.end;
    if (tag.kind === 'script' && metadata === undefined) metadata = await metadataIn(file, tag);
    if (isMedia(tag)) originMs = Math.min(originMs ?? tag.timestampMs, tag.timestampMs);
  }
  const endMs = await endOf(file, firstTagAt, metadata);
  return { metadata, originMs: originMs ?? 0, durationMs: Math.max(0, endMs - (originMs ?? 0)) };
}

async function metadataIn(
  file: FileRanges,
  { at, bodyBytes }: FlvTagPlace,
): Promise<RecordedMetadata | undefined> {
  if (bodyBytes > MAX_METADATA_BYTES) return undefined;
  const body = new Uint8Array(bodyBytes);
  const isWhole = await file.read(at + FLV_TAG_HEADER_BYTES, body);
  return isWhole ? parseRecordedMetadata(body) : undefined;
}

/**
 * When the last tag is, on the file's own clock. Where the end is torn (a crash), it is looked for from the last place on that
 * onMetaData names.
 */
async function endOf(
  file: FileRanges,
  firstTagAt: number,
  metadata: RecordedMetadata | undefined,
): Promise<number> {
  const last = await lastFlvTag(file, file.size);
  if (last !== undefined) return last.timestampMs;
  let endMs = 0;
  for (let at = await lastNamed(file, firstTagAt, metadata); ; ) {
    const tag = await flvTagAt(file, at);
    if (tag === undefined) return endMs;
    if (isMedia(tag)) endMs = tag.timestampMs;
    at = tag.end;
  }
}

async function lastNamed(
  file: FileRanges,
  firstTagAt: number,
  metadata: RecordedMetadata | undefined,
): Promise<number> {
  const named = metadata?.keyframes.at(-1);
  if (named === undefined) return firstTagAt;
  return (await namedKeyframe(file, named)) === undefined ? firstTagAt : named.position;
}

/** What onMetaData says of a keyframe, looked at before it is believed. */
async function namedKeyframe(
  file: FileRanges,
  { timeMs, position }: FlvKeyframe,
): Promise<FlvTagPlace | undefined> {
  const tag = await flvTagAt(file, position);
  const isSo = tag?.kind === 'keyframe' && Math.abs(tag.timestampMs - timeMs) <= INDEX_TOLERANCE_MS;
  return isSo ? tag : undefined;
}

function isMedia({ kind }: FlvTagPlace): boolean {
  return kind === 'keyframe' || kind === 'picture' || kind === 'sound';
}

/** The demuxer between what is read and what is asked for. */
class Input implements StreamSink {
  tracks: readonly Track[] = [];
  isStarted = false;
  readonly #reader: FlvReader;
  readonly #demuxer: FlvDemuxer;
  readonly #originUs: number;
  readonly #units: AccessUnit[] = [];
  #taken = 0;
  #nowMs = 0;

  constructor(originMs: number) {
    this.#originUs = originMs * 1000;
    // Its clock is the file's own: nothing arrives late.
    this.#demuxer = new FlvDemuxer(this, () => this.#nowMs);
    this.#reader = new FlvReader((type, timestampMs, body) => {
      if (timestampMs > this.#nowMs) this.#nowMs = timestampMs;
      return this.#demuxer.push(type, timestampMs, body);
    });
    this.#reader.push(FILE_BEGINNING);
  }

  /** What is read: from the first byte of a tag on. */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** Nothing more comes. */
  end(): void {
    this.#demuxer.end();
  }

  shift(): AccessUnit | undefined {
    const unit = this.#units[this.#taken];
    this.#taken += 1;
    if (this.#taken >= this.#units.length) {
      this.#units.length = 0;
      this.#taken = 0;
    }
    return unit;
  }

  start(tracks: readonly Track[]): void {
    this.tracks = tracks;
    this.isStarted = true;
  }

  /** One window holds many: each in memory of its own until it is asked for. */
  write(unit: AccessUnit): void {
    const data = new Uint8Array(ACCESS_UNIT_HEADROOM + unit.data.length).subarray(
      ACCESS_UNIT_HEADROOM,
    );
    data.set(unit.data);
    const ptsUs = unit.ptsUs - this.#originUs;
    const dtsUs = unit.dtsUs - this.#originUs;
    this.#units.push({ ...unit, ptsUs, dtsUs, data, kept: false });
  }

  stop(): void {}
}
