/**
 * ADTS: AAC frames that carry their own configuration, as in MPEG-TS. ISO/IEC 14496-3 §1.A.3.2
 * (adts_frame). Not handled: several raw data blocks with their own checksums in one frame.
 */
import { ParseError, UnsupportedError } from '../errors.ts';
import {
  AudioObjectType,
  parseAudioSpecificConfig,
  SAMPLING_FREQUENCIES,
  samplingFrequencyIndex,
  serializeAudioSpecificConfig,
} from './audio-specific-config.ts';

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

/**
 * The header for frames of a configuration, of a frame without bytes; `setAdtsFrameBytes` completes it. undefined where
 * ADTS has no form for it: other object types, frames of 960 samples, channels that only a program_config_element tells,
 * a rate that is not in table 1.18.
 */
export function adtsHeaderOf(config: Uint8Array): Uint8Array | undefined {
  const { objectType, sampleRate, channelConfiguration, frameLength } =
    parseAudioSpecificConfig(config);
  const frequencyIndex = samplingFrequencyIndex(sampleRate);
  const isKnownType = objectType >= AudioObjectType.main && objectType <= AudioObjectType.ltp;
  const hasChannels = channelConfiguration >= 1 && channelConfiguration <= 7;
  if (!isKnownType || !hasChannels || frameLength !== 1024 || frequencyIndex === undefined) {
    return undefined;
  }
  return Uint8Array.of(
    0xff,
    0xf1, // MPEG-4, layer 0, no checksum
    ((objectType - 1) << 6) | (frequencyIndex << 2) | (channelConfiguration >> 2),
    (channelConfiguration & 3) << 6,
    0,
    0x1f, // adts_buffer_fullness: variable bit rate
    0xfc,
  );
}

/** aac_frame_length has thirteen bits. */
export const MAX_ADTS_FRAME_BYTES = 0x1fff;

/** `frameBytes`: header included. */
export function setAdtsFrameBytes(header: Uint8Array, frameBytes: number): void {
  header[3] = ((header[3] ?? 0) & 0xfc) | (frameBytes >> 11);
  header[4] = frameBytes >> 3;
  header[5] = ((frameBytes & 7) << 5) | 0x1f;
}
