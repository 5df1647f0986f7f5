/**
 * The tags of a FLV file by their headers alone, for those who look for places in it: playing may begin here, the file is
 * whole up to there. Bodies are passed over.
 */
import { MAX_ACCESS_UNIT_BYTES } from '../../codecs/access-unit.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import { parseAudioTagBody } from '../../codecs/flv/audio-tag.ts';
import {
  FLV_FILE_HEADER_BYTES,
  FLV_PREVIOUS_TAG_SIZE_BYTES,
  FLV_TAG_HEADER_BYTES,
  FlvTagType,
} from '../../codecs/flv/tag.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import type { FileRanges } from './file-ranges.ts';

/** What tells a tag's kind: the longest header of a body, and a byte. */
const BODY_HEAD_BYTES = 12;
const HEAD_BYTES = FLV_TAG_HEADER_BYTES + BODY_HEAD_BYTES;
const MAX_FILE_HEADER_BYTES = 1024;

export type FlvTagKind =
  | 'keyframe'
  | 'picture'
  | 'video-config'
  | 'sound'
  | 'audio-config'
  | 'script'
  | 'other';

export interface FlvTagPlace {
  readonly at: number;
  readonly kind: FlvTagKind;
  readonly timestampMs: number;
  readonly bodyBytes: number;
  /** Behind its PreviousTagSize. */
  readonly end: number;
}

/** Where the first tag begins. Throws ParseError when it is no FLV file. */
export async function firstFlvTagAt(file: FileRanges): Promise<number> {
  const header = await file.view(0, FLV_FILE_HEADER_BYTES);
  const [f, l, v, , , a = 0, b = 0, c = 0, d = 0] = header;
  if (header.length < FLV_FILE_HEADER_BYTES || f !== 0x46 || l !== 0x4c || v !== 0x56) {
    throw new ParseError('a FLV file begins with "FLV"', 0);
  }
  const size = a * 0x1000000 + ((b << 16) | (c << 8) | d);
  if (size < FLV_FILE_HEADER_BYTES || size > MAX_FILE_HEADER_BYTES) {
    throw new ParseError(`a FLV file header of ${size} bytes`, 5);
  }
  return size + FLV_PREVIOUS_TAG_SIZE_BYTES;
}

/** The tag that begins there; undefined: none does, or it is not whole. */
export async function flvTagAt(file: FileRanges, at: number): Promise<FlvTagPlace | undefined> {
  const head = await file.view(at, HEAD_BYTES);
  if (head.length < FLV_TAG_HEADER_BYTES) return undefined;
  const byte = (index: number) => head[index] ?? 0;
  const u24 = (index: number) => (byte(index) << 16) | (byte(index + 1) << 8) | byte(index + 2);
  const type = byte(0);
  const bodyBytes = u24(1);
  const end = at + FLV_TAG_HEADER_BYTES + bodyBytes + FLV_PREVIOUS_TAG_SIZE_BYTES;
  // Reserved bits, and StreamID, which is always 0: what is neither is no tag.
  if ((type & 0xc0) !== 0 || bodyBytes > MAX_ACCESS_UNIT_BYTES || end > file.size) return undefined;
  const body = head.subarray(FLV_TAG_HEADER_BYTES, FLV_TAG_HEADER_BYTES + bodyBytes);
  const timestampMs = byte(7) * 0x1000000 + u24(4);
  return { at, kind: kindOf(type, body), timestampMs, bodyBytes, end };
}

/** The one that ends where the file does, by its PreviousTagSize; undefined: the end is torn. */
export async function lastFlvTag(file: FileRanges, end: number): Promise<FlvTagPlace | undefined> {
  const sizeAt = end - FLV_PREVIOUS_TAG_SIZE_BYTES;
  if (sizeAt < FLV_FILE_HEADER_BYTES) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = await file.view(sizeAt, FLV_PREVIOUS_TAG_SIZE_BYTES);
  const size = a * 0x1000000 + ((b << 16) | (c << 8) | d);
  if (size < FLV_TAG_HEADER_BYTES || size > sizeAt) return undefined;
  const tag = await flvTagAt(file, sizeAt - size);
  return tag?.end === end ? tag : undefined;
}

function kindOf(type: number, body: Uint8Array): FlvTagKind {
  try {
    switch (type) {
      case FlvTagType.video: {
        const tag = parseVideoTagBody(body);
        if (tag?.content === 'config') return 'video-config';
        if (tag?.content !== 'frame') return 'other';
        return tag.keyframe ? 'keyframe' : 'picture';
      }
      case FlvTagType.audio: {
        const tag = parseAudioTagBody(body);
        if (tag?.content === 'config') return 'audio-config';
        return tag?.content === 'frame' ? 'sound' : 'other';
      }
      case FlvTagType.scriptData:
        return 'script';
      default:
        return 'other';
    }
  } catch (error) {
    if (error instanceof ParseError || error instanceof UnsupportedError) return 'other';
    throw error;
  }
}
