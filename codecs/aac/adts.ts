/**
 * ADTS: AAC frames that carry their own configuration, as in MPEG-TS. ISO/IEC 14496-3 §1.A.3.2
 * (adts_frame). Not handled: several raw data blocks with their own checksums in one frame.
 */
import { ParseError, UnsupportedError } from '../errors.ts';
import { SAMPLING_FREQUENCIES, serializeAudioSpecificConfig } from './audio-specific-config.ts';

export const ADTS_HEADER_BYTES = 7;
const CRC_BYTES = 2;

export interface AdtsHeader {
  readonly objectType: number;
  readonly sampleRate: number;
  readonly channelConfiguration: number;
  /** 7, or 9 with a checksum. */
  readonly headerBytes: number;
  /** Header included. */
  readonly frameBytes: number;
}

/** Whether a frame may begin here: the sync word with layer 0. */
export function isAdts(bytes: Uint8Array, offset = 0): boolean {
  const second = bytes[offset + 1];
  return bytes[offset] === 0xff && second !== undefined && (second & 0xf6) === 0xf0;
}

/** Throws on anything that is not a whole header of one frame. */
export function parseAdtsHeader(bytes: Uint8Array, offset = 0): AdtsHeader {
  const header = bytes.subarray(offset, offset + ADTS_HEADER_BYTES);
  const [, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0] = header;
  if (header.length < ADTS_HEADER_BYTES || !isAdts(header)) {
    throw new ParseError('no ADTS header', offset);
  }
  const headerBytes = (b1 & 1) === 0 ? ADTS_HEADER_BYTES + CRC_BYTES : ADTS_HEADER_BYTES;
  const sampleRate = SAMPLING_FREQUENCIES[(b2 >> 2) & 0x0f];
  const frameBytes = ((b3 & 0x03) << 11) | (b4 << 3) | (b5 >> 5);
  const rawDataBlocks = (b6 & 0x03) + 1;
  if (sampleRate === undefined) throw new ParseError('reserved ADTS sampling frequency', offset);
  if (frameBytes < headerBytes) {
    throw new ParseError(`an ADTS frame of ${frameBytes} bytes is shorter than its header`, offset);
  }
  if (rawDataBlocks > 1) {
    throw new UnsupportedError(`${rawDataBlocks} AAC frames in one ADTS frame`);
  }
  return {
    objectType: (b2 >> 6) + 1,
    sampleRate,
    channelConfiguration: ((b2 & 1) << 2) | (b3 >> 6),
    headerBytes,
    frameBytes,
  };
}

/** Walks the bare AAC frames of a buffer of whole ADTS frames. Yields views. */
export function* adtsFrames(bytes: Uint8Array): Generator<Uint8Array> {
  let offset = 0;
  while (offset < bytes.length) {
    const { headerBytes, frameBytes } = parseAdtsHeader(bytes, offset);
    const end = offset + frameBytes;
    if (end > bytes.length) {
      throw new ParseError(`an ADTS frame of ${frameBytes} bytes is cut short`, offset);
    }
    yield bytes.subarray(offset + headerBytes, end);
    offset = end;
  }
}

/** The AudioSpecificConfig that says what the header says. */
export function audioSpecificConfigOf(header: AdtsHeader): Uint8Array {
  return serializeAudioSpecificConfig(header);
}
