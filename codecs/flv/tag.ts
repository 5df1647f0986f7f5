/**
 * FLV: the file header, tag headers, and the headers of AVC video and AAC audio tag bodies.
 * FLV 10.1 §E.2 to §E.4. RTMP messages carry the same bodies without the tag header.
 *
 * Headers are written into a buffer of the caller, so that they go straight before the media.
 * Not handled: encrypted tags, codecs other than AVC and AAC.
 */
import { ByteReader } from '../byte-reader.ts';
import { ParseError, UnsupportedError } from '../errors.ts';

export const FlvTagType = { audio: 8, video: 9, scriptData: 18 } as const;

export const FLV_FILE_HEADER_BYTES = 9;
export const FLV_TAG_HEADER_BYTES = 11;
/** Follows every tag, and the file header (there it is 0). */
export const FLV_PREVIOUS_TAG_SIZE_BYTES = 4;
export const AVC_HEADER_BYTES = 5;
export const AAC_HEADER_BYTES = 2;

/** FLV 10.1 §E.4.3.1. The first byte of an AVC tag is frame type and codec. */
const FRAME_TYPE_KEYFRAME = 1;
const FRAME_TYPE_INTER = 2;
export const FLV_VIDEO_CODEC_AVC = 7;
export const AvcPacketType = { sequenceHeader: 0, nalUnits: 1, endOfSequence: 2 } as const;
export type AvcPacketType = (typeof AvcPacketType)[keyof typeof AvcPacketType];

/** FLV 10.1 §E.4.2.1. AAC always says 44 kHz, 16 bit, stereo; the AudioSpecificConfig has the truth. */
export const FLV_AUDIO_CODEC_AAC = 10;
const AAC_FIRST_BYTE = 0xaf;
export const AacPacketType = { sequenceHeader: 0, raw: 1 } as const;
export type AacPacketType = (typeof AacPacketType)[keyof typeof AacPacketType];

/** Composition times are 24 bits, signed. */
const MAX_COMPOSITION_TIME_MS = 0x7fffff;

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

/** The five bytes before AVC data. A composition time outside 24 bits is brought to the limit. */
export function writeAvcHeader(
  target: Uint8Array,
  offset: number,
  packetType: AvcPacketType,
  keyframe: boolean,
  compositionTimeMs: number,
): void {
  target[offset] = ((keyframe ? FRAME_TYPE_KEYFRAME : FRAME_TYPE_INTER) << 4) | FLV_VIDEO_CODEC_AVC;
  target[offset + 1] = packetType;
  const limited = Math.min(compositionTimeMs, MAX_COMPOSITION_TIME_MS);
  writeU24(target, offset + 2, Math.max(limited, -MAX_COMPOSITION_TIME_MS - 1));
}

/** The two bytes before AAC data. */
export function writeAacHeader(
  target: Uint8Array,
  offset: number,
  packetType: AacPacketType,
): void {
  target[offset] = AAC_FIRST_BYTE;
  target[offset + 1] = packetType;
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

export interface AvcTagBody {
  readonly keyframe: boolean;
  readonly packetType: number;
  readonly compositionTimeMs: number;
  readonly data: Uint8Array;
}

export function parseAvcTagBody(body: Uint8Array): AvcTagBody {
  const reader = new ByteReader(body);
  const first = reader.u8();
  if ((first & 0x0f) !== FLV_VIDEO_CODEC_AVC) {
    throw new UnsupportedError(`FLV video codec ${first & 0x0f} is not AVC (7)`);
  }
  const packetType = reader.u8();
  const compositionTimeMs = (reader.u24() << 8) >> 8;
  const keyframe = first >>> 4 === FRAME_TYPE_KEYFRAME;
  return { keyframe, packetType, compositionTimeMs, data: reader.rest() };
}

export interface AacTagBody {
  readonly packetType: number;
  readonly data: Uint8Array;
}

export function parseAacTagBody(body: Uint8Array): AacTagBody {
  const reader = new ByteReader(body);
  const codec = reader.u8() >>> 4;
  if (codec !== FLV_AUDIO_CODEC_AAC) {
    throw new UnsupportedError(`FLV audio codec ${codec} is not AAC (10)`);
  }
  return { packetType: reader.u8(), data: reader.rest() };
}

function writeU24(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >> 16;
  target[offset + 1] = value >> 8;
  target[offset + 2] = value;
}
