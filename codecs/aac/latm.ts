/**
 * LATM: AAC frames multiplexed with their configuration, ISO/IEC 14496-3 §1.7.3 (AudioMuxElement,
 * StreamMuxConfig, PayloadLengthInfo). Used by RTP (RFC 6416) and, with a sync word in front, by
 * MPEG-TS (`loas.ts`).
 *
 * Read: audioMuxVersion 0 and 1, several subframes, frames in chunks (allStreamsSameTimeFraming 0), frames
 * of fixed length. Not handled: several programs or layers, CELP, HVXC; a frame over several elements.
 */
import { BitReader } from '../bit-reader.ts';
import { equalBytes } from '../bytes.ts';
import { ParseError, UnsupportedError } from '../errors.ts';
import type { AacTrack } from '../track.ts';
import {
  type AudioSpecificConfig,
  aacTrack,
  GENERAL_AUDIO_TYPES,
  parseAudioSpecificConfig,
  readAudioSpecificConfig,
} from './audio-specific-config.ts';

/** A configuration with a program_config_element and its comment stays below it. */
const MAX_CONFIG_BITS = 512 * 8;
/** No AAC frame is longer: 6144 bits a channel (ISO/IEC 14496-3 §4.5.3.1) at 48 channels. */
const MAX_FRAME_BYTES = 36_864;
/** Of frameLengthType and latmBufferFullness. */
const FRAMING_BITS = 11;
/** Room for nearly every frame, to begin with. */
const SHIFTED_BYTES = 2048;

export interface StreamMuxConfig {
  /** Its `config` is the AudioSpecificConfig in here, moved to where bytes begin. */
  readonly track: AacTrack;
  /** What that says. */
  readonly audio: AudioSpecificConfig;
  /** Frames in one AudioMuxElement. */
  readonly subframes: number;
  readonly allStreamsSameTimeFraming: boolean;
  /** Of a frame, where all have the same length. */
  readonly fixedFrameBytes: number | undefined;
}

/** A complete StreamMuxConfig, as `config` of RFC 6416 §7.3 carries it. */
export function parseStreamMuxConfig(bytes: Uint8Array): StreamMuxConfig {
  return readStreamMuxConfig(new BitReader(bytes), bytes);
}

/** The usual one for an AudioSpecificConfig: one frame in an element, its length in front. */
export function plainStreamMuxConfig(audioSpecificConfig: Uint8Array): StreamMuxConfig {
  return {
    track: aacTrack(audioSpecificConfig),
    audio: parseAudioSpecificConfig(audioSpecificConfig),
    subframes: 1,
    allStreamsSameTimeFraming: true,
    fixedFrameBytes: undefined,
  };
}

/** Reads the AudioMuxElements of one stream. Their configuration comes once, or again and again. */
export class LatmReader {
  readonly #muxConfigPresent: boolean;
  #config: StreamMuxConfig | undefined;
  /** Frames that begin in the middle of a byte are moved here. */
  #shifted = new Uint8Array(SHIFTED_BYTES);

  /** `muxConfigPresent`: elements may carry the configuration; `config`: what is known beforehand. */
  constructor(muxConfigPresent: boolean, config?: StreamMuxConfig) {
    this.#muxConfigPresent = muxConfigPresent;
    this.#config = config;
  }

  /** The last one; undefined until it comes. Its track stays the same as long as the bytes do. */
  get config(): StreamMuxConfig | undefined {
    return this.#config;
  }

  /**
   * The frames of one AudioMuxElement; none while no configuration has come. A frame is a view, valid
   * until the next one is asked for.
   */
  *frames(element: Uint8Array): Generator<Uint8Array> {
    const reader = new BitReader(element);
    const isSameConfig = !this.#muxConfigPresent || reader.flag(); // useSameStreamMux
    if (!isSameConfig) this.#setConfig(readStreamMuxConfig(reader, element));
    const config = this.#config;
    if (config === undefined) return;
    for (let n = 0; n < config.subframes; n += 1) {
      const length = config.allStreamsSameTimeFraming
        ? (config.fixedFrameBytes ?? readSlotLength(reader))
        : readChunkLengths(reader);
      yield this.#take(reader, element, length);
    }
  }

  #setConfig(config: StreamMuxConfig): void {
    const track = this.#config?.track;
    const isSame = track !== undefined && equalBytes(track.config, config.track.config);
    this.#config = isSame ? { ...config, track } : config;
  }

  /** PayloadMux with one stream. */
  #take(reader: BitReader, element: Uint8Array, length: number): Uint8Array {
    const from = reader.position;
    reader.skip(length * 8);
    if (from % 8 === 0) return element.subarray(from / 8, from / 8 + length);
    if (length > this.#shifted.length) this.#shifted = new Uint8Array(length * 2);
    const frame = this.#shifted.subarray(0, length);
    copyBits(element, from, frame);
    return frame;
  }
}

/** PayloadLengthInfo: MuxSlotLengthBytes. */
function readSlotLength(reader: BitReader): number {
  let length = 0;
  let part: number;
  do {
    part = reader.u(8);
    length += part;
    if (length > MAX_FRAME_BYTES) throw new ParseError(`a LATM frame of over ${length} bytes`);
  } while (part === 255);
  return length;
}

/** PayloadLengthInfo without common framing: up to sixteen chunks, which lie one behind the other. */
function readChunkLengths(reader: BitReader): number {
  const last = reader.u(4); // numChunk
  let length = 0;
  for (let n = 0; n <= last; n += 1) {
    const streamIndex = reader.u(4); // streamIndx
    if (streamIndex !== 0) throw new ParseError(`a chunk of LATM stream ${streamIndex}`);
    length += readSlotLength(reader);
    const isEnd = reader.flag(); // AuEndFlag
    if (isEnd !== (n === last)) throw new UnsupportedError('a LATM frame over several elements');
  }
  return length;
}

function readStreamMuxConfig(reader: BitReader, bytes: Uint8Array): StreamMuxConfig {
  const version = reader.bit(); // audioMuxVersion
  if (version === 1 && reader.flag()) throw new UnsupportedError('LATM with audioMuxVersionA 1');
  if (version === 1) readValue(reader); // taraBufferFullness
  const allStreamsSameTimeFraming = reader.flag();
  const subframes = reader.u(6) + 1; // numSubFrames
  const programs = reader.u(4) + 1; // numProgram
  const layers = reader.u(3) + 1; // numLayer
  if (programs > 1 || layers > 1) {
    throw new UnsupportedError(`LATM with ${programs} programs and ${layers} layers`);
  }
  const config = readOwnConfig(reader, bytes, version);
  const fixedFrameBytes = readFraming(reader, version);
  if (fixedFrameBytes !== undefined && !allStreamsSameTimeFraming) {
    throw new UnsupportedError('LATM chunks of fixed length');
  }
  const track = aacTrack(config);
  const audio = parseAudioSpecificConfig(config);
  return { track, audio, subframes, allStreamsSameTimeFraming, fixedFrameBytes };
}

/**
 * The AudioSpecificConfig in bytes of its own. Version 0 does not state its length, and so rules out the
 * backward compatible signalling behind it. GStreamer's rtpmp4apay 1.22 writes it all the same; nothing
 * else can look like it, because it would begin with the reserved frameLengthType 2.
 */
function readOwnConfig(reader: BitReader, bytes: Uint8Array, version: number): Uint8Array {
  const statedBits = version === 1 ? readValue(reader) : undefined; // ascLen
  const from = reader.position;
  if (statedBits !== undefined) reader.skip(statedBits);
  else if (!GENERAL_AUDIO_TYPES.has(readAudioSpecificConfig(reader).objectType)) {
    throw new UnsupportedError('the end of a LATM configuration');
  }
  const bits = reader.position - from;
  if (bits > MAX_CONFIG_BITS) throw new ParseError(`an AudioSpecificConfig of ${bits} bits`);
  const config = new Uint8Array(Math.ceil(bits / 8));
  copyBits(bytes, from, config);
  const last = config.length - 1;
  const unusedBits = config.length * 8 - bits;
  config[last] = ((config[last] ?? 0) >> unusedBits) << unusedBits;
  return config;
}

/** From frameLengthType to the end; returns the fixed length of a frame, if it has one. */
function readFraming(reader: BitReader, version: number): number | undefined {
  // GStreamer ends its `config` before: all of it is 0.
  if (reader.remaining < FRAMING_BITS) return undefined;
  const type = reader.u(3); // frameLengthType
  if (type > 1) throw new UnsupportedError(`LATM with frame length type ${type}`);
  const fixedFrameBytes = type === 1 ? reader.u(9) + 20 : undefined; // frameLength
  if (type === 0) reader.u(8); // latmBufferFullness
  if (reader.flag()) {
    // otherDataPresent; the data itself lies behind the frames
    if (version === 1) readValue(reader);
    else while (reader.u(9) >= 0x100); // otherDataLenEsc, otherDataLenTmp
  }
  if (reader.flag()) reader.u(8); // crcCheckPresent, crcCheckSum
  return fixedFrameBytes;
}

/** LatmGetValue. */
function readValue(reader: BitReader): number {
  const bytes = reader.u(2) + 1; // bytesForValue
  return reader.u(bytes * 8);
}

/** Fills `target` with what begins at a bit of `source`; past its end there are zeros. */
function copyBits(source: Uint8Array, fromBit: number, target: Uint8Array): void {
  const shift = fromBit & 7;
  let from = fromBit >> 3;
  for (let at = 0; at < target.length; at += 1, from += 1) {
    const two = ((source[from] ?? 0) << 8) | (source[from + 1] ?? 0);
    target[at] = two >> (8 - shift);
  }
}
