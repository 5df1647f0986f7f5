/**
 * MPEG audio frames: MPEG-1 (ISO/IEC 11172-3 §2.4.1.3, §2.4.2.3), MPEG-2 (ISO/IEC 13818-3 §2.4.2.3)
 * and the unofficial MPEG-2.5, layers I to III. Not handled: free format.
 */
import { ParseError } from '../errors.ts';

export const MPEG_AUDIO_HEADER_BYTES = 4;
const CRC_BYTES = 2;

export interface MpegAudioHeader {
  readonly version: 1 | 2 | 2.5;
  readonly layer: 1 | 2 | 3;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** Header included. */
  readonly frameBytes: number;
  readonly samplesPerFrame: number;
  /** Header and checksum. */
  readonly headerBytes: number;
}

/** By the two bits of ID; 1 is reserved. */
const VERSIONS = [2.5, undefined, 2, 1] as const;
/** Of MPEG-1; halved in MPEG-2, quartered in MPEG-2.5. */
const SAMPLE_RATES = [44_100, 48_000, 32_000] as const;

/** kbit/s by bitrate_index. */
const LAYER_1 = [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
const LAYER_2 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const LAYER_3 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const LOW_LAYER_1 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const LOW_LAYER_2_3 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const BIT_RATES = { 1: LAYER_1, 2: LAYER_2, 3: LAYER_3 } as const;
const LOW_BIT_RATES = { 1: LOW_LAYER_1, 2: LOW_LAYER_2_3, 3: LOW_LAYER_2_3 } as const;

/** Whether a frame may begin here: the eleven bits of the sync word, and a layer (ADTS has none). */
export function isMpegAudio(bytes: Uint8Array, offset = 0): boolean {
  const second = bytes[offset + 1] ?? 0;
  return bytes[offset] === 0xff && (second & 0xe0) === 0xe0 && (second & 0x06) !== 0;
}

/** Throws on anything that is not a whole header of a frame whose length it tells. */
export function parseMpegAudioHeader(bytes: Uint8Array, offset = 0): MpegAudioHeader {
  const header = bytes.subarray(offset, offset + MPEG_AUDIO_HEADER_BYTES);
  const [, b1 = 0, b2 = 0, b3 = 0] = header;
  if (header.length < MPEG_AUDIO_HEADER_BYTES || !isMpegAudio(header)) {
    throw new ParseError('no MPEG audio header', offset);
  }
  const version = VERSIONS[(b1 >> 3) & 3];
  if (version === undefined) throw new ParseError('reserved MPEG audio version', offset);
  const layer = layerOf((b1 >> 1) & 3);
  const baseRate = SAMPLE_RATES[(b2 >> 2) & 3];
  if (baseRate === undefined) throw new ParseError('reserved MPEG audio sampling rate', offset);
  const sampleRate = version === 1 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const kbps = (version === 1 ? BIT_RATES : LOW_BIT_RATES)[layer][b2 >> 4];
  if (kbps === undefined) throw new ParseError('reserved MPEG audio bit rate', offset);
  if (kbps === 0) throw new ParseError('an MPEG audio frame of free format', offset);
  const padding = (b2 >> 1) & 1;
  const samplesPerFrame = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  // Layer I counts in slots of four bytes, §2.4.3.1.
  const slotBytes = layer === 1 ? 4 : 1;
  const slots = Math.floor((samplesPerFrame * kbps * 125) / slotBytes / sampleRate) + padding;
  return {
    version,
    layer,
    sampleRate,
    channels: b3 >> 6 === 3 ? 1 : 2,
    frameBytes: slots * slotBytes,
    samplesPerFrame,
    headerBytes: MPEG_AUDIO_HEADER_BYTES + ((b1 & 1) === 0 ? CRC_BYTES : 0),
  };
}

/** Walks the frames of a buffer of whole frames. Yields views. */
export function* mpegAudioFrames(bytes: Uint8Array): Generator<Uint8Array> {
  let offset = 0;
  while (offset < bytes.length) {
    const end = offset + parseMpegAudioHeader(bytes, offset).frameBytes;
    if (end > bytes.length) throw new ParseError('an MPEG audio frame is cut short', offset);
    yield bytes.subarray(offset, end);
    offset = end;
  }
}

/** Of the two bits of layer; 0 has been refused. */
function layerOf(bits: number): 1 | 2 | 3 {
  return bits === 3 ? 1 : bits === 2 ? 2 : 3;
}
