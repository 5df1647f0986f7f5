/**
 * AC-3 and E-AC-3 syncframes: what their first bytes tell. ETSI TS 102 366 §4.3 and §4.4 (syncinfo, bsi),
 * §E.1.2 and §E.1.3 (enhanced).
 */
import { ParseError } from '../errors.ts';
import type { Ac3Track } from '../track.ts';

/** From the sync word to lfeon, in AC-3 with every optional field before it. */
export const AC3_HEADER_BYTES = 8;

export interface Ac3Header {
  readonly codec: 'ac3' | 'eac3';
  readonly sampleRate: number;
  /** Of this frame, low frequency effects included. */
  readonly channels: number;
  readonly frameBytes: number;
  readonly samplesPerFrame: number;
  /** False: more channels or another programme for the frame before it, at the same time (§E.1.3.1.1). */
  readonly beginsUnit: boolean;
}

const SAMPLE_RATES = [48_000, 44_100, 32_000] as const;
/** kbit/s by half of frmsizecod, table 4.13. */
const BIT_RATES = [
  32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
] as const;
const SAMPLES_PER_BLOCK = 256;
const AC3_BLOCKS = 6;
/** By numblkscod, table E.2.9. */
const ENHANCED_BLOCKS = [1, 2, 3, 6] as const;
/** By acmod, table 4.3; 0 is two independent channels. */
const CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5] as const;
/** bsid: up to 10 it is AC-3, 9 and 10 at a half and a quarter of the rate; 16 is today's E-AC-3. */
const MAX_AC3_BSID = 10;
const MAX_EAC3_BSID = 16;
const FULL_RATE_BSID = 8;

/** Whether a syncframe may begin here. */
export function isAc3(bytes: Uint8Array, offset = 0): boolean {
  return bytes[offset] === 0x0b && bytes[offset + 1] === 0x77;
}

/** Throws on anything that is not the beginning of a syncframe: `AC3_HEADER_BYTES` of it are needed. */
export function parseAc3Header(bytes: Uint8Array, offset = 0): Ac3Header {
  const header = bytes.subarray(offset, offset + AC3_HEADER_BYTES);
  if (header.length < AC3_HEADER_BYTES || !isAc3(header)) {
    throw new ParseError('no AC-3 header', offset);
  }
  const bsid = (header[5] ?? 0) >> 3; // at the same place in both
  if (bsid <= MAX_AC3_BSID) return readAc3(header, bsid, offset);
  if (bsid <= MAX_EAC3_BSID) return readEnhanced(header, offset);
  throw new ParseError(`AC-3 bit stream ${bsid}`, offset);
}

/** The track that a frame's header describes. */
export function ac3Track({ codec, sampleRate, channels }: Ac3Header): Ac3Track {
  return { kind: 'audio', codec, sampleRate, channels };
}

/**
 * The length of one unit: a syncframe, and in E-AC-3 those behind it that belong to the same time. It may
 * be more than there is: the last syncframe is then cut short.
 */
export function ac3UnitBytes(bytes: Uint8Array, offset = 0): number {
  let end = offset + parseAc3Header(bytes, offset).frameBytes;
  while (end + AC3_HEADER_BYTES <= bytes.length && isAc3(bytes, end)) {
    const { beginsUnit, frameBytes } = parseAc3Header(bytes, end);
    if (beginsUnit) break;
    end += frameBytes;
  }
  return end - offset;
}

/** Walks the units of a buffer of whole syncframes. Yields views. */
export function* ac3Units(bytes: Uint8Array): Generator<Uint8Array> {
  let offset = 0;
  while (offset < bytes.length) {
    const end = offset + ac3UnitBytes(bytes, offset);
    if (end > bytes.length) throw new ParseError('an AC-3 frame is cut short', offset);
    yield bytes.subarray(offset, end);
    offset = end;
  }
}

/** crc1(16) fscod(2) frmsizecod(6) bsid(5) bsmod(3) acmod(3) … lfeon(1). */
function readAc3(header: Uint8Array, bsid: number, offset: number): Ac3Header {
  const [, , , , b4 = 0, , b6 = 0, b7 = 0] = header;
  const baseRate = SAMPLE_RATES[b4 >> 6];
  const sizeCode = b4 & 0x3f;
  const kbps = BIT_RATES[sizeCode >> 1];
  if (baseRate === undefined) throw new ParseError('reserved AC-3 sampling rate', offset);
  if (kbps === undefined) throw new ParseError('reserved AC-3 frame size', offset);
  const words = Math.floor((kbps * 96_000) / baseRate);
  // At 44.1 kHz every other frame has a word more, so that the mean is right.
  const extraWord = baseRate === 44_100 ? sizeCode & 1 : 0;
  const acmod = b6 >> 5;
  // cmixlev, surmixlev and dsurmod have two bits each, where they are.
  const hasCentreMix = (acmod & 1) !== 0 && acmod !== 1;
  const optional = (hasCentreMix ? 2 : 0) + ((acmod & 4) !== 0 ? 2 : 0) + (acmod === 2 ? 2 : 0);
  const lfeon = (((b6 << 8) | b7) >> (12 - optional)) & 1;
  return {
    codec: 'ac3',
    sampleRate: baseRate >> Math.max(0, bsid - FULL_RATE_BSID),
    channels: (CHANNELS[acmod] ?? 0) + lfeon,
    frameBytes: (words + extraWord) * 2,
    samplesPerFrame: AC3_BLOCKS * SAMPLES_PER_BLOCK,
    beginsUnit: true,
  };
}

/** strmtyp(2) substreamid(3) frmsiz(11) fscod(2) numblkscod or fscod2(2) acmod(3) lfeon(1). */
function readEnhanced(header: Uint8Array, offset: number): Ac3Header {
  const [, , b2 = 0, b3 = 0, b4 = 0] = header;
  const streamType = b2 >> 6;
  const substream = (b2 >> 3) & 7;
  const fscod = b4 >> 6;
  const code = (b4 >> 4) & 3;
  const fullRate = SAMPLE_RATES[fscod];
  const reducedRate = SAMPLE_RATES[code];
  if (streamType === 3) throw new ParseError('reserved E-AC-3 stream type', offset);
  const sampleRate = fullRate ?? (reducedRate === undefined ? undefined : reducedRate / 2);
  if (sampleRate === undefined) throw new ParseError('reserved E-AC-3 sampling rate', offset);
  const blocks = fullRate === undefined ? AC3_BLOCKS : (ENHANCED_BLOCKS[code] ?? AC3_BLOCKS);
  const frameBytes = ((((b2 & 7) << 8) | b3) + 1) * 2;
  if (frameBytes < AC3_HEADER_BYTES) {
    throw new ParseError(`an E-AC-3 frame of ${frameBytes} bytes`, offset);
  }
  return {
    codec: 'eac3',
    sampleRate,
    channels: (CHANNELS[(b4 >> 1) & 7] ?? 0) + (b4 & 1),
    frameBytes,
    samplesPerFrame: blocks * SAMPLES_PER_BLOCK,
    beginsUnit: streamType !== 1 && substream === 0,
  };
}
