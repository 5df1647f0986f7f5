/** HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 §8.3.3.1: what enhanced FLV and MP4 put before H.265. */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { ParseError } from '../errors.ts';
import { NalUnitType, nalUnitType } from './nal-unit.ts';
import { parseSps } from './sps.ts';

const MAX_SETS_OF_A_KIND = 255;
const MAX_PARAMETER_SET_BYTES = 0xffff;
/** VPS, SPS, PPS and both kinds of SEI: an array each (numOfArrays has 8 bits). */
const MAX_ARRAYS = 16;
/** Profile, tier and level: 12 bytes; segmentation, parallelism, chroma, bit depths and frame rate: 8. */
const PROFILE_TO_FRAME_RATE_BYTES = 20;

export interface HevcDecoderConfigurationRecord {
  /** Bytes of each NAL unit's length: 1, 2 or 4. */
  readonly lengthSize: number;
  readonly vps: readonly Uint8Array[];
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
}

/**
 * For access units with 4-byte lengths. Throws ParseError on a SPS that cannot be read. `isComplete`:
 * array_completeness, which the sample entry `hvc1` demands (§8.4.1.1.1), although the units may carry sets as well.
 */
export function serializeHevcDecoderConfigurationRecord(
  vps: readonly Uint8Array[],
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
  isComplete = false,
): Uint8Array {
  const [first] = sps;
  if (first === undefined) throw new ParseError('cannot configure a decoder without SPS');
  const facts = parseSps(first);
  const writer = new ByteWriter();
  writer.u8(1); // configurationVersion
  writer.u8((facts.profileSpace << 6) | (facts.highTier ? 0x20 : 0) | facts.profileIdc);
  writer.u32(facts.compatibilityFlags);
  writer.u16(facts.constraintFlagsHigh).u32(facts.constraintFlagsLow);
  writer.u8(facts.levelIdc);
  writer.u16(0xf000); // min_spatial_segmentation_idc: not known
  writer.u8(0xfc); // parallelismType: not known
  writer.u8(0xfc | facts.chromaFormatIdc);
  writer.u8(0xf8 | (facts.bitDepthLuma - 8));
  writer.u8(0xf8 | (facts.bitDepthChroma - 8));
  writer.u16(0); // avgFrameRate: not stated
  const nesting = facts.temporalIdNesting ? 4 : 0;
  writer.u8(((facts.maxSubLayersMinus1 + 1) << 3) | nesting | 3); // constantFrameRate … lengthSizeMinusOne
  const arrays = [
    [NalUnitType.vps, vps],
    [NalUnitType.sps, sps],
    [NalUnitType.pps, pps],
  ] as const;
  writer.u8(arrays.length);
  for (const [type, sets] of arrays) writeArray(writer, type, sets, isComplete);
  return writer.toBytes();
}

function writeArray(
  writer: ByteWriter,
  type: number,
  sets: readonly Uint8Array[],
  isComplete: boolean,
): void {
  if (sets.length > MAX_SETS_OF_A_KIND) {
    throw new ParseError(`${sets.length} parameter sets of type ${type}`);
  }
  writer.u8((isComplete ? 0x80 : 0) | type).u16(sets.length);
  for (const set of sets) {
    if (set.length > MAX_PARAMETER_SET_BYTES) {
      throw new ParseError(`a parameter set of ${set.length} bytes does not fit into 16 bits`);
    }
    writer.u16(set.length).bytes(set);
  }
}

/** What the record repeats of the SPS is not looked at. Sets go by their own types, SEI is passed over. */
export function parseHevcDecoderConfigurationRecord(
  bytes: Uint8Array,
): HevcDecoderConfigurationRecord {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  // Writers of the drafts put 0; the layout is the same.
  if (version > 1) throw new ParseError(`configurationVersion is ${version}, not 1`, 0);
  reader.take(PROFILE_TO_FRAME_RATE_BYTES);
  const lengthSize = (reader.u8() & 3) + 1;
  const arrays = reader.u8();
  if (arrays > MAX_ARRAYS) throw new ParseError(`${arrays} arrays of parameter sets`);
  const sets: Uint8Array[] = [];
  for (let index = 0; index < arrays; index += 1) readArray(reader, sets);
  const ofType = (type: number) => sets.filter((set) => nalUnitType(set[0] ?? 0) === type);
  return {
    lengthSize,
    vps: ofType(NalUnitType.vps),
    sps: ofType(NalUnitType.sps),
    pps: ofType(NalUnitType.pps),
  };
}

function readArray(reader: ByteReader, into: Uint8Array[]): void {
  reader.u8(); // array_completeness, NAL_unit_type
  const count = reader.u16();
  if (count > MAX_SETS_OF_A_KIND) throw new ParseError(`${count} parameter sets of a kind`);
  for (let index = 0; index < count; index += 1) {
    const set = reader.take(reader.u16());
    if (set.length > 0) into.push(set);
  }
}
