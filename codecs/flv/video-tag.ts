/**
 * The bodies of video tags: FLV 10.1 §E.4.3 for AVC; the same with codec id 12 for HEVC, which no
 * specification has and half the world sends; enhanced RTMP v2 (ExVideoTagHeader) for HEVC, AV1, VP9.
 * RTMP video messages carry the same bodies.
 *
 * Headers of pictures are written into a buffer of the caller, so that they go straight before the media.
 * Not handled: encrypted tags, H.263, Screen video, VP6, VP8, colour metadata.
 */
import { ByteReader } from '../byte-reader.ts';
import { UnsupportedError } from '../errors.ts';
import type { VideoTrack } from '../track.ts';
import { readExHeader } from './ex-header.ts';
import { fourCcNumber, fourCcWords, VIDEO_FOUR_CCS, videoCodecOf } from './four-cc.ts';

/** H.265 as enhanced RTMP, or as older Chinese encoders and servers have it. */
export type HevcForm = 'enhanced' | 'legacy12';

/** How one codec looks in a tag. */
export interface VideoTagForm {
  /** As in onMetaData: the number of FLV 10.1, or the FourCC. */
  readonly codecId: number;
  readonly isEnhanced: boolean;
  /** Enhanced AV1 and VP9 have no room for one. */
  readonly hasCompositionTime: boolean;
}

export interface VideoTagBody {
  readonly codec: VideoTrack['codec'];
  /** `config`: the decoder configuration record. `end`: the sequence is over. */
  readonly content: 'config' | 'frame' | 'end';
  readonly keyframe: boolean;
  readonly compositionTimeMs: number;
  /** A view into the parsed bytes. */
  readonly data: Uint8Array;
}

export const MAX_VIDEO_TAG_HEADER_BYTES = 8;
const LEGACY_HEADER_BYTES = 5;
const EX_HEADER_BYTES = 5;
const COMPOSITION_TIME_BYTES = 3;

const FrameType = { keyframe: 1, inter: 2, generatedKeyframe: 4, command: 5 } as const;
const IS_EX_HEADER = 0x80;
const AVC = 7;
const HEVC = 12;
const LegacyPacketType = { sequenceHeader: 0, nalUnits: 1, endOfSequence: 2 } as const;
const ExPacketType = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  /** The composition time is 0 and left out. */
  codedFramesX: 3,
  metadata: 4,
  mpeg2TsSequenceStart: 5,
  multitrack: 6,
} as const;

/** Composition times are 24 bits, signed. */
const MAX_COMPOSITION_TIME_MS = 0x7fffff;

const OTHER_CODECS: ReadonlyMap<number, string> = new Map([
  [2, 'Sorenson H.263'],
  [3, 'Screen video'],
  [4, 'VP6'],
  [5, 'VP6 with alpha'],
  [6, 'Screen video 2'],
]);

export function videoTagForm(codec: VideoTrack['codec'], hevcForm: HevcForm): VideoTagForm {
  if (codec === 'h264') return { codecId: AVC, isEnhanced: false, hasCompositionTime: true };
  if (codec === 'h265' && hevcForm === 'legacy12') {
    return { codecId: HEVC, isEnhanced: false, hasCompositionTime: true };
  }
  const codecId = fourCcNumber(VIDEO_FOUR_CCS[codec]);
  return { codecId, isEnhanced: true, hasCompositionTime: codec === 'h265' };
}

/** The bytes that `writeVideoHeader` writes. */
export function videoHeaderLength(form: VideoTagForm, compositionTimeMs: number): number {
  if (!form.isEnhanced) return LEGACY_HEADER_BYTES;
  const hasTime = form.hasCompositionTime && compositionTimeMs !== 0;
  return hasTime ? EX_HEADER_BYTES + COMPOSITION_TIME_BYTES : EX_HEADER_BYTES;
}

/** What stands before a coded picture. A composition time outside 24 bits is brought to the limit. */
export function writeVideoHeader(
  target: Uint8Array,
  offset: number,
  form: VideoTagForm,
  keyframe: boolean,
  compositionTimeMs: number,
): void {
  const frameType = keyframe ? FrameType.keyframe : FrameType.inter;
  if (!form.isEnhanced) {
    target[offset] = (frameType << 4) | form.codecId;
    target[offset + 1] = LegacyPacketType.nalUnits;
    writeCompositionTime(target, offset + 2, compositionTimeMs);
    return;
  }
  const hasTime = form.hasCompositionTime && compositionTimeMs !== 0;
  const isImplied = form.hasCompositionTime && !hasTime;
  const packetType = isImplied ? ExPacketType.codedFramesX : ExPacketType.codedFrames;
  target[offset] = IS_EX_HEADER | (frameType << 4) | packetType;
  writeFourCc(target, offset + 1, form.codecId);
  if (hasTime) writeCompositionTime(target, offset + EX_HEADER_BYTES, compositionTimeMs);
}

/** The whole tag body that tells a decoder how to begin. */
export function videoSequenceHeader(form: VideoTagForm, record: Uint8Array): Uint8Array {
  const body = new Uint8Array(LEGACY_HEADER_BYTES + record.length);
  if (form.isEnhanced) {
    body[0] = IS_EX_HEADER | (FrameType.keyframe << 4) | ExPacketType.sequenceStart;
    writeFourCc(body, 1, form.codecId);
  } else {
    body[0] = (FrameType.keyframe << 4) | form.codecId;
    body[1] = LegacyPacketType.sequenceHeader; // and a composition time of 0
  }
  body.set(record, LEGACY_HEADER_BYTES);
  return body;
}

/** undefined for what is no media of the default track: commands, metadata, other tracks, nothing at all. */
export function parseVideoTagBody(body: Uint8Array): VideoTagBody | undefined {
  if (body.length === 0) return undefined;
  const reader = new ByteReader(body);
  const first = reader.u8();
  const frameType = (first >>> 4) & 7;
  if (frameType === FrameType.command) return undefined;
  const keyframe = frameType === FrameType.keyframe || frameType === FrameType.generatedKeyframe;
  return (first & IS_EX_HEADER) === 0
    ? parseLegacy(reader, first & 0x0f, keyframe)
    : parseEnhanced(reader, first & 0x0f, keyframe);
}

function parseLegacy(reader: ByteReader, codecId: number, keyframe: boolean): VideoTagBody {
  if (codecId !== AVC && codecId !== HEVC) {
    const name = OTHER_CODECS.get(codecId);
    throw new UnsupportedError(`FLV video codec ${name ?? codecId} is not supported`);
  }
  const codec = codecId === AVC ? 'h264' : 'h265';
  const packetType = reader.u8();
  const compositionTimeMs = readCompositionTime(reader);
  return {
    codec,
    content: contentOf(packetType),
    keyframe,
    compositionTimeMs,
    data: reader.rest(),
  };
}

function parseEnhanced(
  reader: ByteReader,
  firstPacketType: number,
  keyframe: boolean,
): VideoTagBody | undefined {
  const header = readExHeader(reader, firstPacketType, ExPacketType.multitrack);
  if (header === undefined) return undefined;
  const { packetType, fourCc, body } = header;
  if (
    packetType === ExPacketType.metadata ||
    packetType === ExPacketType.mpeg2TsSequenceStart // only ever beside a SequenceStart of AV1
  ) {
    return undefined;
  }
  const codec = videoCodecOf(fourCc);
  if (codec === undefined) {
    throw new UnsupportedError(`FLV video codec ${fourCcWords(fourCc)} is not supported`);
  }
  const isCoded = packetType === ExPacketType.codedFrames;
  const hasTime = isCoded && (codec === 'h264' || codec === 'h265');
  const compositionTimeMs = hasTime ? readCompositionTime(body) : 0;
  const content = packetType === ExPacketType.codedFramesX ? 'frame' : contentOf(packetType);
  return { codec, content, keyframe, compositionTimeMs, data: body.rest() };
}

/** The first three packet types mean the same in both forms. */
function contentOf(packetType: number): VideoTagBody['content'] {
  switch (packetType) {
    case LegacyPacketType.sequenceHeader:
      return 'config';
    case LegacyPacketType.nalUnits:
      return 'frame';
    case LegacyPacketType.endOfSequence:
      return 'end';
    default:
      throw new UnsupportedError(`FLV video packet type ${packetType} is not supported`);
  }
}

function readCompositionTime(reader: ByteReader): number {
  return (reader.u24() << 8) >> 8;
}

function writeCompositionTime(target: Uint8Array, offset: number, compositionTimeMs: number): void {
  const limited = Math.max(
    Math.min(compositionTimeMs, MAX_COMPOSITION_TIME_MS),
    -MAX_COMPOSITION_TIME_MS - 1,
  );
  target[offset] = limited >> 16;
  target[offset + 1] = limited >> 8;
  target[offset + 2] = limited;
}

function writeFourCc(target: Uint8Array, offset: number, fourCc: number): void {
  target[offset] = fourCc >>> 24;
  target[offset + 1] = fourCc >>> 16;
  target[offset + 2] = fourCc >>> 8;
  target[offset + 3] = fourCc;
}
