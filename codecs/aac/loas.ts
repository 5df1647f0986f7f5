/**
 * LOAS: AudioMuxElements behind a sync word and a length, as MPEG-TS carries LATM (stream type 0x11).
 * ISO/IEC 14496-3 §1.7.2 (AudioSyncStream). Not handled: EPAudioSyncStream, AudioPointerStream.
 */
import { ParseError } from '../errors.ts';

export const LOAS_HEADER_BYTES = 3;

/** Whether an AudioSyncStream frame may begin here: the eleven bits 0x2B7. */
export function isLoas(bytes: Uint8Array, offset = 0): boolean {
  const second = bytes[offset + 1];
  return bytes[offset] === 0x56 && second !== undefined && (second & 0xe0) === 0xe0;
}

/** Header included. Throws where no frame begins. */
export function loasFrameBytes(bytes: Uint8Array, offset = 0): number {
  const third = bytes[offset + 2];
  if (third === undefined || !isLoas(bytes, offset)) throw new ParseError('no LOAS header', offset);
  return LOAS_HEADER_BYTES + ((((bytes[offset + 1] ?? 0) & 0x1f) << 8) | third);
}

/** Walks the AudioMuxElements, which carry their configuration, of a buffer of whole frames. Yields views. */
export function* loasElements(bytes: Uint8Array): Generator<Uint8Array> {
  let offset = 0;
  while (offset < bytes.length) {
    const end = offset + loasFrameBytes(bytes, offset);
    if (end > bytes.length) throw new ParseError('a LOAS frame is cut short', offset);
    yield bytes.subarray(offset + LOAS_HEADER_BYTES, end);
    offset = end;
  }
}
