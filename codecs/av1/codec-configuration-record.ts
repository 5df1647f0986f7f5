/**
 * AV1CodecConfigurationRecord, AV1 ISOBMFF §2.3.3, as far as people want to know: profile, level and, from the
 * sequence header it carries (AV1 §5.5), the size. Nothing of it is needed to pass the units on.
 */
import { BitReader } from '../bit-reader.ts';
import { ParseError } from '../errors.ts';

/** marker and version, in one byte. */
const MARKER_AND_VERSION = 0x81;
const RECORD_BYTES = 4;
const OBU_SEQUENCE_HEADER = 1;
/** A sequence header has 10 to 100 bytes; no more of the record is looked at. */
const MAX_OBU_BYTES = 1024;
const MAX_LEB128_BYTES = 8;
/** With a level above it (4.0 and up) a tier is stated. */
const LAST_LEVEL_WITHOUT_TIER = 7;

export interface Av1CodecConfiguration {
  readonly profile: number;
  /** seq_level_idx, AV1 §A.3: 8 is 4.0. */
  readonly levelIdx: number;
  readonly highTier: boolean;
  readonly bitDepth: 8 | 10 | 12;
  /** Undefined where the record carries no sequence header, or one that cannot be read. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
}

export function parseAv1CodecConfigurationRecord(bytes: Uint8Array): Av1CodecConfiguration {
  const [first, profileAndLevel, flags] = bytes;
  if (first !== MARKER_AND_VERSION || profileAndLevel === undefined || flags === undefined) {
    throw new ParseError('no AV1CodecConfigurationRecord of version 1', 0);
  }
  return {
    profile: profileAndLevel >> 5,
    levelIdx: profileAndLevel & 0x1f,
    highTier: (flags & 0x80) !== 0,
    bitDepth: bitDepthOf(flags),
    size: readSize(bytes.subarray(RECORD_BYTES, RECORD_BYTES + MAX_OBU_BYTES)),
  };
}

/** high_bitdepth and twelve_bit. */
function bitDepthOf(flags: number): 8 | 10 | 12 {
  if ((flags & 0x40) === 0) return 8;
  return (flags & 0x20) === 0 ? 10 : 12;
}

function readSize(obus: Uint8Array): Av1CodecConfiguration['size'] {
  try {
    const reader = new BitReader(obus);
    reader.flag(); // obu_forbidden_bit
    if (reader.u(4) !== OBU_SEQUENCE_HEADER) return undefined;
    const hasExtension = reader.flag();
    const hasSize = reader.flag();
    reader.flag(); // obu_reserved_1bit
    if (hasExtension) reader.u(8);
    if (hasSize) skipLeb128(reader);
    return readSequenceHeaderSize(reader);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function skipLeb128(reader: BitReader): void {
  for (let index = 0; index < MAX_LEB128_BYTES; index += 1) if (reader.u(8) < 0x80) return;
  throw new ParseError('an OBU size is longer than 8 bytes');
}

/** AV1 §5.5.1, up to the size. */
function readSequenceHeaderSize(reader: BitReader): { width: number; height: number } {
  reader.u(3); // seq_profile
  reader.flag(); // still_picture
  if (reader.flag())
    reader.u(5); // reduced_still_picture_header, seq_level_idx[0]
  else skipOperatingPoints(reader);
  const widthBits = reader.u(4) + 1;
  const heightBits = reader.u(4) + 1;
  return { width: reader.u(widthBits) + 1, height: reader.u(heightBits) + 1 };
}

function skipOperatingPoints(reader: BitReader): void {
  let delayBits: number | undefined;
  // timing_info_present_flag, and decoder_model_info_present_flag behind it
  if (reader.flag()) {
    skipTimingInfo(reader);
    if (reader.flag()) delayBits = readDecoderModelInfo(reader);
  }
  const hasDisplayDelay = reader.flag(); // initial_display_delay_present_flag
  const count = reader.u(5) + 1; // operating_points_cnt_minus_1
  for (let index = 0; index < count; index += 1) {
    reader.u(12); // operating_point_idc
    if (reader.u(5) > LAST_LEVEL_WITHOUT_TIER) reader.flag(); // seq_level_idx, seq_tier
    // decoder_model_present_for_this_op; operating_parameters_info, AV1 §5.5.5
    if (delayBits !== undefined && reader.flag()) reader.skip(2 * delayBits + 1);
    if (hasDisplayDelay && reader.flag()) reader.u(4); // initial_display_delay_minus_1
  }
}

/** AV1 §5.5.3. */
function skipTimingInfo(reader: BitReader): void {
  reader.skip(64); // num_units_in_display_tick, time_scale
  if (reader.flag()) reader.ue(); // equal_picture_interval, num_ticks_per_picture_minus_1
}

/** AV1 §5.5.4. */
function readDecoderModelInfo(reader: BitReader): number {
  const delayBits = reader.u(5) + 1; // buffer_delay_length_minus_1
  reader.skip(42); // num_units_in_decoding_tick … frame_presentation_time_length_minus_1
  return delayBits;
}
