/**
 * Where a FLV file can be gone on with: behind its last whole tag, later than its last time. A file that was closed says so at its end;
 * one that a crash has left is walked from the front, once.
 */
import { equalBytes } from '../../codecs/bytes.ts';
import { ParseError } from '../../codecs/errors.ts';
import {
  type FlvKeyframe,
  MAX_RECORDED_KEYFRAMES,
  parseRecordedMetadata,
  RECORDED_METADATA_BYTES,
} from '../../codecs/flv/recorded-metadata.ts';
import { FLV_TAG_HEADER_BYTES } from '../../codecs/flv/tag.ts';
import type { FileRanges } from '../vod/file-ranges.ts';
import { type FlvTagPlace, firstFlvTagAt, flvTagAt, lastFlvTag } from '../vod/flv-tags.ts';
import { SeekIndex } from '../vod/seek-index.ts';
import { RECORDER_MARK } from './recording-file.ts';

/** Tags of two tracks are not in the order of their times: the latest is among so many. */
const LAST_TAGS = 32;
/** How long a picture lasts that nothing came behind: 25 a second. */
const USUAL_PICTURE_MS = 40;
const MAX_PICTURE_MS = 1000;
/** In which onMetaData and the sequence headers are. */
const FIRST_TAGS = 32;
const MAX_METADATA_BYTES = 1024 * 1024;

export interface FlvTail {
  readonly end: number;
  /** For the first unit that is added. */
  readonly nextMs: number;
  /** What can be patched at the end: all of onMetaData, as we write it; a duration in one by others; nothing. */
  readonly patch:
    | { readonly at: 'metadata' | 'nowhere' }
    | { readonly at: 'duration'; readonly position: number };
  readonly keyframes: readonly FlvKeyframe[];
  readonly isIndexable: boolean;
  /** The first of the file. */
  readonly videoHeader: Uint8Array | undefined;
  readonly audioHeader: Uint8Array | undefined;
}

/** undefined: it is no FLV file. */
export async function findFlvTail(file: FileRanges): Promise<FlvTail | undefined> {
  try {
    return await tailOf(file, await firstFlvTagAt(file));
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** From a tag on, else from the front: where the last whole tag ends, and its time. */
export async function wholeTagsEnd(
  file: FileRanges,
  from: number | undefined,
): Promise<{ end: number; endMs: number }> {
  let at = from ?? (await firstFlvTagAt(file));
  let endMs = 0;
  for (;;) {
    const tag = await flvTagAt(file, at);
    if (tag === undefined) return { end: at, endMs };
    at = tag.end;
    endMs = Math.max(endMs, tag.timestampMs);
  }
}

async function tailOf(file: FileRanges, firstTagAt: number): Promise<FlvTail> {
  const beginning = await beginningOf(file, firstTagAt);
  const { patch, metadata, videoHeader, audioHeader } = beginning;
  const last = await lastFlvTag(file, file.size);
  // What was closed, gone on with and left by a crash has another size than it says.
  const isSize = (metadata?.fileBytes ?? file.size) === file.size;
  const isClosed = last !== undefined && metadata?.durationMs !== undefined && isSize;
  if (!isClosed) {
    const walked = await walkedEnd(file, firstTagAt, beginning);
    return { ...walked, patch, videoHeader, audioHeader };
  }
  const { keyframes } = metadata;
  const isIndexable = keyframes.length > 0;
  return { ...(await closedEnd(file)), patch, keyframes, isIndexable, videoHeader, audioHeader };
}

interface Beginning {
  readonly patch: FlvTail['patch'];
  readonly metadata: ReturnType<typeof parseRecordedMetadata>;
  readonly videoHeader: Uint8Array | undefined;
  readonly audioHeader: Uint8Array | undefined;
}

async function beginningOf(file: FileRanges, firstTagAt: number): Promise<Beginning> {
  let patch: FlvTail['patch'] = { at: 'nowhere' };
  let metadata: Beginning['metadata'];
  let videoHeader: Uint8Array | undefined;
  let audioHeader: Uint8Array | undefined;
  let at = firstTagAt;
  for (let tags = 0; tags < FIRST_TAGS; tags += 1) {
    const tag = await flvTagAt(file, at);
    if (tag === undefined) break;
    at = tag.end;
    if (tag.bodyBytes > MAX_METADATA_BYTES) continue;
    if (tag.kind === 'script' && metadata === undefined) {
      const body = await bodyOf(file, tag);
      metadata = parseRecordedMetadata(body);
      if (metadata !== undefined) patch = patchOf(body, tag, tag.at === firstTagAt);
    }
    if (tag.kind === 'video-config') videoHeader ??= await bodyOf(file, tag);
    if (tag.kind === 'audio-config') audioHeader ??= await bodyOf(file, tag);
  }
  return { patch, metadata, videoHeader, audioHeader };
}

async function bodyOf(file: FileRanges, { at, bodyBytes }: FlvTagPlace): Promise<Uint8Array> {
  const body = new Uint8Array(bodyBytes);
  await file.read(at + FLV_TAG_HEADER_BYTES, body);
  return body;
}

function patchOf(body: Uint8Array, { at }: FlvTagPlace, isFirst: boolean): FlvTail['patch'] {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const isOurs = isFirst && text.includes(RECORDER_MARK);
  if (isOurs && body.length === RECORDED_METADATA_BYTES) return { at: 'metadata' };
  // A key's length, the key, and the marker of a number.
  const key = text.indexOf('\0\bduration\0', 0, 'latin1');
  if (key === -1 || key + 19 > body.length) return { at: 'nowhere' };
  return { at: 'duration', position: at + FLV_TAG_HEADER_BYTES + key + 11 };
}

async function closedEnd(file: FileRanges): Promise<{ end: number; nextMs: number }> {
  const clock = new TailClock();
  const tags: FlvTagPlace[] = [];
  for (let end = file.size; tags.length < LAST_TAGS; ) {
    const tag = await lastFlvTag(file, end);
    if (tag === undefined) break;
    tags.push(tag);
    end = tag.at;
  }
  for (const tag of tags.reverse()) clock.pass(tag);
  return { end: file.size, nextMs: clock.nextMs };
}

async function walkedEnd(file: FileRanges, firstTagAt: number, beginning: Beginning) {
  const clock = new TailClock();
  const keyframes = new SeekIndex<FlvKeyframe>(MAX_RECORDED_KEYFRAMES);
  let isIndexable = true;
  for (let at = firstTagAt; ; ) {
    const tag = await flvTagAt(file, at);
    if (tag === undefined) {
      return { end: at, nextMs: clock.nextMs, keyframes: keyframes.points, isIndexable };
    }
    clock.pass(tag);
    if (tag.kind === 'keyframe') keyframes.add({ timeMs: tag.timestampMs, position: at });
    if (tag.kind === 'video-config') {
      isIndexable &&= await isSame(file, tag, beginning.videoHeader);
    }
    if (tag.kind === 'audio-config') {
      isIndexable &&= await isSame(file, tag, beginning.audioHeader);
    }
    at = tag.end;
  }
}

async function isSame(
  file: FileRanges,
  tag: FlvTagPlace,
  header: Uint8Array | undefined,
): Promise<boolean> {
  if (header?.length !== tag.bodyBytes) return false;
  return equalBytes(await bodyOf(file, tag), header);
}

/** The time behind what has come. */
class TailClock {
  #endMs: number | undefined;
  #pictureMs: number | undefined;
  #stepMs = USUAL_PICTURE_MS;

  get nextMs(): number {
    return this.#endMs === undefined ? 0 : this.#endMs + this.#stepMs;
  }

  pass({ kind, timestampMs }: FlvTagPlace): void {
    if (kind !== 'keyframe' && kind !== 'picture' && kind !== 'sound') return;
    this.#endMs = Math.max(this.#endMs ?? 0, timestampMs);
    if (kind === 'sound') return;
    const stepMs = timestampMs - (this.#pictureMs ?? timestampMs);
    if (stepMs > 0 && stepMs <= MAX_PICTURE_MS) this.#stepMs = stepMs;
    this.#pictureMs = timestampMs;
  }
}
