/**
 * FLV: the file header and tag headers, FLV 10.1 §E.2 to §E.4.1. For the bodies of tags see video-tag.ts
 * and audio-tag.ts; RTMP messages carry the same bodies without the tag header.
 *
 * Headers are written into a buffer of the caller, so that they go straight before the media.
 */
import { ByteReader } from '../byte-reader.ts';
import { ParseError } from '../errors.ts';

export const FlvTagType = { audio: 8, video: 9, scriptData: 18 } as const;

export const FLV_FILE_HEADER_BYTES = 9;
export const FLV_TAG_HEADER_BYTES = 11;
/** Follows every tag, and the file header (there it is 0). */
export const FLV_PREVIOUS_TAG_SIZE_BYTES = 4;

/** The file header with the first PreviousTagSize behind it. */
export function flvFileHeader(hasVideo: boolean, hasAudio: boolean): Uint8Array {
  const flags = (hasAudio ? 4 : 0) | (hasVideo ? 1 : 0);
  return Uint8Array.of(0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, FLV_FILE_HEADER_BYTES, 0, 0, 0, 0);
}

/** FLV 10.1 §E.4.1. The timestamp's upper 8 bits come after its lower 24. */
export function writeFlvTagHeader(
  target: Uint8Array,
  offset: number,
  type: number,
  dataSize: number,
  timestampMs: number,
): void {
  target[offset] = type;
  writeU24(target, offset + 1, dataSize);
  writeU24(target, offset + 4, timestampMs);
  target[offset + 7] = timestampMs >>> 24;
  writeU24(target, offset + 8, 0); // StreamID
}

/** `dataSize`: of the tag's body; the size written covers its header too. */
export function writeFlvPreviousTagSize(
  target: Uint8Array,
  offset: number,
  dataSize: number,
): void {
  const size = FLV_TAG_HEADER_BYTES + dataSize;
  target[offset] = size >>> 24;
  writeU24(target, offset + 1, size);
}

export interface FlvTag {
  readonly type: number;
  readonly timestampMs: number;
  /** A view into the parsed bytes. */
  readonly body: Uint8Array;
}

/** The tags of a complete file. */
export function* flvTags(file: Uint8Array): Generator<FlvTag> {
  const reader = new ByteReader(file);
  if (reader.u24() !== 0x464c56) throw new ParseError('a FLV file begins with "FLV"', 0);
  reader.u16(); // Version, TypeFlags
  const dataOffset = reader.u32();
  if (dataOffset < FLV_FILE_HEADER_BYTES) throw new ParseError('FLV header too short', 5);
  reader.take(dataOffset - FLV_FILE_HEADER_BYTES);
  reader.u32(); // PreviousTagSize0
  while (reader.remaining > 0) {
    const type = reader.u8() & 0x1f;
    const dataSize = reader.u24();
    const lower = reader.u24();
    const upper = reader.u8();
    reader.u24(); // StreamID
    const body = reader.take(dataSize);
    reader.u32(); // PreviousTagSize
    yield { type, timestampMs: upper * 0x1000000 + lower, body };
  }
}

function writeU24(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >> 16;
  target[offset + 1] = value >> 8;
  target[offset + 2] = value;
}
