/** AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1: what FLV and MP4 put before H.264. */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { ParseError } from '../errors.ts';
import { parseSps } from './sps.ts';

/** numOfSequenceParameterSets has 5 bits, numOfPictureParameterSets 8. */
const MAX_SPS_COUNT = 31;
const MAX_PPS_COUNT = 255;
const MAX_PARAMETER_SET_BYTES = 0xffff;
/** Baseline, Main and Extended have no chroma extension. */
const PROFILES_WITHOUT_EXTENSION: ReadonlySet<number> = new Set([66, 77, 88]);

export interface DecoderConfigurationRecord {
  readonly profileIdc: number;
  readonly constraintFlags: number;
  readonly levelIdc: number;
  /** Bytes of each NAL unit's length: 1, 2 or 4. */
  readonly lengthSize: number;
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
}

/** For access units with 4-byte lengths. Throws ParseError on a SPS that cannot be read. */
export function serializeDecoderConfigurationRecord(
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
): Uint8Array {
  const [first] = sps;
  if (first === undefined || sps.length > MAX_SPS_COUNT || pps.length > MAX_PPS_COUNT) {
    throw new ParseError(`cannot configure a decoder with ${sps.length} SPS, ${pps.length} PPS`);
  }
  const { profileIdc, constraintFlags, levelIdc, ...chroma } = parseSps(first);
  const writer = new ByteWriter();
  writer.u8(1).u8(profileIdc).u8(constraintFlags).u8(levelIdc); // configurationVersion …
  writer.u8(0xfc | 3); // lengthSizeMinusOne
  writer.u8(0xe0 | sps.length);
  for (const set of sps) writeParameterSet(writer, set);
  writer.u8(pps.length);
  for (const set of pps) writeParameterSet(writer, set);
  if (!PROFILES_WITHOUT_EXTENSION.has(profileIdc)) {
    writer.u8(0xfc | chroma.chromaFormatIdc);
    writer.u8(0xf8 | (chroma.bitDepthLuma - 8));
    writer.u8(0xf8 | (chroma.bitDepthChroma - 8));
    writer.u8(0); // numOfSequenceParameterSetExt
  }
  return writer.toBytes();
}

/** The chroma extension is not looked at: many writers leave it out, and the SPS says the same. */
export function parseDecoderConfigurationRecord(bytes: Uint8Array): DecoderConfigurationRecord {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== 1) throw new ParseError(`configurationVersion is ${version}, not 1`, 0);
  const profileIdc = reader.u8();
  const constraintFlags = reader.u8();
  const levelIdc = reader.u8();
  const lengthSize = (reader.u8() & 3) + 1;
  const sps = readParameterSets(reader, reader.u8() & 0x1f);
  const pps = readParameterSets(reader, reader.u8());
  return { profileIdc, constraintFlags, levelIdc, lengthSize, sps, pps };
}

function writeParameterSet(writer: ByteWriter, set: Uint8Array): void {
  if (set.length > MAX_PARAMETER_SET_BYTES) {
    throw new ParseError(`a parameter set of ${set.length} bytes does not fit into 16 bits`);
  }
  writer.u16(set.length).bytes(set);
}

function readParameterSets(reader: ByteReader, count: number): Uint8Array[] {
  const sets: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) sets.push(reader.take(reader.u16()));
  return sets;
}
