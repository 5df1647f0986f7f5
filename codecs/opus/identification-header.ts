/** The Opus identification header, "OpusHead": what a decoder must know. RFC 7845 §5.1. */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { ParseError } from '../errors.ts';
import type { OpusTrack } from '../track.ts';

/** Opus always runs at this rate, whatever its input had (RFC 6716 §2). */
export const OPUS_SAMPLE_RATE = 48_000;
const MAGIC = Uint8Array.from('OpusHead', (letter) => letter.charCodeAt(0));
/** The major version is in the upper half, and 0 as long as the header can be read. */
const VERSION = 1;
const MAX_VERSION = 15;
/** Mono or stereo in one Opus stream, without a mapping table. */
const FAMILY_PLAIN = 0;

export interface OpusIdentificationHeader {
  readonly channels: number;
  /** Samples at 48 kHz that a decoder drops at the beginning. */
  readonly preSkip: number;
  /** Of what was encoded, for information; 0: unknown. */
  readonly inputSampleRate: number;
  /** In 1/256 dB. */
  readonly outputGain: number;
  readonly mappingFamily: number;
}

export function parseOpusIdentificationHeader(bytes: Uint8Array): OpusIdentificationHeader {
  const reader = new ByteReader(bytes);
  const magic = reader.take(MAGIC.length);
  if (magic.some((byte, index) => byte !== MAGIC[index])) throw new ParseError('no OpusHead', 0);
  const version = reader.u8();
  if (version > MAX_VERSION) throw new ParseError(`OpusHead version ${version}`, MAGIC.length);
  const channels = reader.u8();
  const preSkip = swap16(reader.u16());
  const inputSampleRate = swap32(reader.u32());
  const outputGain = (swap16(reader.u16()) << 16) >> 16;
  const mappingFamily = reader.u8();
  if (channels === 0 || (mappingFamily === FAMILY_PLAIN && channels > 2)) {
    throw new ParseError(`${channels} Opus channels of family ${mappingFamily}`);
  }
  if (mappingFamily !== FAMILY_PLAIN) reader.take(2 + channels); // counts and mapping table
  return { channels, preSkip, inputSampleRate, outputGain, mappingFamily };
}

/** For one or two channels of a stream that is joined while it runs: nothing is skipped. */
export function serializeOpusIdentificationHeader(channels: 1 | 2): Uint8Array {
  const writer = new ByteWriter().bytes(MAGIC).u8(VERSION).u8(channels);
  writer.u16(0).u32(swap32(OPUS_SAMPLE_RATE)).u16(0).u8(FAMILY_PLAIN);
  return writer.toBytes();
}

/** The track that an identification header describes. */
export function opusTrack(config: Uint8Array): OpusTrack {
  const { channels } = parseOpusIdentificationHeader(config);
  return { kind: 'audio', codec: 'opus', config, sampleRate: OPUS_SAMPLE_RATE, channels };
}

/** Its numbers are little-endian. */
function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

function swap32(value: number): number {
  return ((swap16(value & 0xffff) << 16) | swap16(value >>> 16)) >>> 0;
}
