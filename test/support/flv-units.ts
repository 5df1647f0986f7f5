/** The access units of an FLV file or byte stream: what ffmpeg writes, or nginx-rtmp records. */
import { createHash } from 'node:crypto';
import { parseAudioTagBody } from '../../codecs/flv/audio-tag.ts';
import {
  FLV_FILE_HEADER_BYTES,
  FLV_PREVIOUS_TAG_SIZE_BYTES,
  FLV_TAG_HEADER_BYTES,
  type FlvTag,
  FlvTagType,
  flvTags,
} from '../../codecs/flv/tag.ts';
import { parseVideoTagBody } from '../../codecs/flv/video-tag.ts';
import type { CodedUnit } from './compare-units.ts';

/**
 * Sequence headers and metadata are left out. A tag that is cut at the end is, too: a file may be
 * read while it is being written.
 */
export function flvUnits(bytes: Uint8Array): CodedUnit[] {
  return Array.from(flvTags(bytes.subarray(0, wholeTagsEnd(bytes))), (tag) => unitOf(tag)).filter(
    (unit) => unit !== undefined,
  );
}

/** For RTMP messages, too: they carry the same bodies. */
export function unitOf({ type, timestampMs, body }: FlvTag): CodedUnit | undefined {
  const dtsUs = timestampMs * 1000;
  if (type === FlvTagType.video) {
    const tag = parseVideoTagBody(body);
    if (tag?.content !== 'frame') return undefined;
    const ptsUs = dtsUs + tag.compositionTimeMs * 1000;
    return { kind: 'video', ptsUs, dtsUs, sha256: sha256(tag.data), key: tag.keyframe };
  }
  if (type === FlvTagType.audio) {
    const tag = parseAudioTagBody(body);
    if (tag?.content !== 'frame') return undefined;
    return { kind: 'audio', ptsUs: dtsUs, dtsUs, sha256: sha256(tag.data), key: true };
  }
  return undefined;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function wholeTagsEnd(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = FLV_FILE_HEADER_BYTES + FLV_PREVIOUS_TAG_SIZE_BYTES;
  while (end + FLV_TAG_HEADER_BYTES <= bytes.length) {
    const dataSize = view.getUint32(end) & 0xffffff;
    const next = end + FLV_TAG_HEADER_BYTES + dataSize + FLV_PREVIOUS_TAG_SIZE_BYTES;
    if (next > bytes.length) break;
    end = next;
  }
  return end;
}
