/**
 * The H.264 sequence parameter set. H.264 §7.3.2.1.1, VUI §E.1.1, HRD §E.1.2.
 * Not handled: the extensions of SVC and MVC (subset SPS).
 */
import { BitReader } from '../bit-reader.ts';
import { ParseError } from '../errors.ts';
import { removeEmulationPrevention } from '../rbsp.ts';
import { NalUnitType, nalUnitType } from './nal-unit.ts';

/** Real ones have 10 to 60 bytes; scaling lists and VUI in full stay under 500. */
export const MAX_SPS_BYTES = 1024;
/** Level 6.2 allows Sqrt(8 × 139 264) macroblocks either way: 16 880 pixels (§A.3.1). */
const MAX_SIZE_IN_MBS = 1055;
/** H.264 §7.4.2.1.1: value ranges. */
const MAX_SPS_ID = 31;
const MAX_CHROMA_FORMAT_IDC = 3;
const MAX_BIT_DEPTH_MINUS8 = 6;
const MAX_LOG2_MINUS4 = 12;
const MAX_REF_FRAMES_IN_CYCLE = 255;
/** H.264 §E.2.2. */
const MAX_CPB_CNT_MINUS1 = 31;
/** MaxDpbFrames, H.264 §A.3.1 h. */
export const MAX_DPB_FRAMES = 16;
const EXTENDED_SAR = 255;

/** Those with chroma_format_idc and scaling matrices. */
const HIGH_PROFILES: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);

export interface SequenceParameterSet {
  readonly profileIdc: number;
  /** constraint_set0_flag is the most significant bit. */
  readonly constraintFlags: number;
  readonly levelIdc: number;
  readonly id: number;
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly log2MaxFrameNum: number;
  readonly picOrderCntType: number;
  /** Only with picOrderCntType 0. */
  readonly log2MaxPicOrderCntLsb: number | undefined;
  readonly maxNumRefFrames: number;
  readonly frameMbsOnly: boolean;
  /** In luma samples, after cropping. */
  readonly width: number;
  readonly height: number;
  /** Frames per second as the VUI states; some cameras state nonsense. */
  readonly fps: number | undefined;
  readonly fixedFrameRate: boolean;
  /** How many pictures may come before another and be shown after it; undefined when not stated. */
  readonly maxNumReorderFrames: number | undefined;
}

interface Vui {
  readonly fps: number | undefined;
  readonly fixedFrameRate: boolean;
  readonly maxNumReorderFrames: number | undefined;
}

const NO_VUI: Vui = { fps: undefined, fixedFrameRate: false, maxNumReorderFrames: undefined };

/** `nalUnit`: with its header byte, without start code or length. */
export function parseSps(nalUnit: Uint8Array): SequenceParameterSet {
  const first = nalUnit[0];
  if (first === undefined || nalUnitType(first) !== NalUnitType.sps) {
    throw new ParseError('not a sequence parameter set', 0);
  }
  if (nalUnit.length > MAX_SPS_BYTES) {
    throw new ParseError(`a SPS of ${nalUnit.length} bytes, at most ${MAX_SPS_BYTES} are taken`);
  }
  const reader = new BitReader(removeEmulationPrevention(nalUnit.subarray(1)));
  const profileIdc = reader.u(8);
  const constraintFlags = reader.u(8);
  const levelIdc = reader.u(8);
  const id = bounded(reader.ue(), MAX_SPS_ID, 'seq_parameter_set_id');
  const chroma = HIGH_PROFILES.has(profileIdc) ? readChroma(reader) : CHROMA_420_8_BIT;
  const log2MaxFrameNum = readLog2(reader, 'log2_max_frame_num_minus4');
  const picOrderCntType = bounded(reader.ue(), 2, 'pic_order_cnt_type');
  const log2MaxPicOrderCntLsb =
    picOrderCntType === 0 ? readLog2(reader, 'log2_max_pic_order_cnt_lsb_minus4') : undefined;
  if (picOrderCntType === 1) skipPicOrderCntCycle(reader);
  const maxNumRefFrames = bounded(reader.ue(), MAX_DPB_FRAMES, 'max_num_ref_frames');
  reader.flag(); // gaps_in_frame_num_value_allowed_flag
  const size = readSize(reader, chroma.arrayType);
  const vui = reader.flag() ? readVuiIfWhole(reader) : NO_VUI; // vui_parameters_present_flag
  return {
    profileIdc,
    constraintFlags,
    levelIdc,
    id,
    chromaFormatIdc: chroma.formatIdc,
    bitDepthLuma: chroma.bitDepthLuma,
    bitDepthChroma: chroma.bitDepthChroma,
    log2MaxFrameNum,
    picOrderCntType,
    log2MaxPicOrderCntLsb,
    maxNumRefFrames,
    ...size,
    ...vui,
  };
}

interface Chroma {
  readonly formatIdc: number;
  /** ChromaArrayType: 0 too when the planes are coded separately. */
  readonly arrayType: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

const CHROMA_420_8_BIT: Chroma = {
  formatIdc: 1,
  arrayType: 1,
  bitDepthLuma: 8,
  bitDepthChroma: 8,
};

function readChroma(reader: BitReader): Chroma {
  const formatIdc = bounded(reader.ue(), MAX_CHROMA_FORMAT_IDC, 'chroma_format_idc');
  const separatePlanes = formatIdc === 3 && reader.flag(); // separate_colour_plane_flag
  const bitDepthLuma = 8 + bounded(reader.ue(), MAX_BIT_DEPTH_MINUS8, 'bit_depth_luma_minus8');
  const bitDepthChroma = 8 + bounded(reader.ue(), MAX_BIT_DEPTH_MINUS8, 'bit_depth_chroma_minus8');
  reader.flag(); // qpprime_y_zero_transform_bypass_flag
  if (reader.flag()) skipScalingMatrix(reader, formatIdc === 3 ? 12 : 8);
  return { formatIdc, arrayType: separatePlanes ? 0 : formatIdc, bitDepthLuma, bitDepthChroma };
}

function skipScalingMatrix(reader: BitReader, lists: number): void {
  for (let list = 0; list < lists; list += 1) {
    if (reader.flag()) skipScalingList(reader, list < 6 ? 16 : 64); // seq_scaling_list_present_flag
  }
}

/** H.264 §7.3.2.1.1.1. */
function skipScalingList(reader: BitReader, size: number): void {
  let lastScale = 8;
  for (let index = 0; index < size; index += 1) {
    const nextScale = (lastScale + reader.se() + 256) % 256; // delta_scale
    if (nextScale === 0) return;
    lastScale = nextScale;
  }
}

function skipPicOrderCntCycle(reader: BitReader): void {
  reader.flag(); // delta_pic_order_always_zero_flag
  reader.se(); // offset_for_non_ref_pic
  reader.se(); // offset_for_top_to_bottom_field
  const count = bounded(
    reader.ue(),
    MAX_REF_FRAMES_IN_CYCLE,
    'num_ref_frames_in_pic_order_cnt_cycle',
  );
  for (let index = 0; index < count; index += 1) reader.se(); // offset_for_ref_frame
}

interface Size {
  readonly width: number;
  readonly height: number;
  readonly frameMbsOnly: boolean;
}

function readSize(reader: BitReader, chromaArrayType: number): Size {
  const widthInMbs = 1 + bounded(reader.ue(), MAX_SIZE_IN_MBS - 1, 'pic_width_in_mbs_minus1');
  const heightInMapUnits =
    1 + bounded(reader.ue(), MAX_SIZE_IN_MBS - 1, 'pic_height_in_map_units_minus1');
  const frameMbsOnly = reader.flag();
  if (!frameMbsOnly) reader.flag(); // mb_adaptive_frame_field_flag
  reader.flag(); // direct_8x8_inference_flag
  const fieldFactor = frameMbsOnly ? 1 : 2;
  let width = widthInMbs * 16;
  let height = heightInMapUnits * 16 * fieldFactor;
  if (reader.flag()) {
    // frame_cropping_flag; the units are equations 7-19 to 7-22.
    const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
    const unitY = (chromaArrayType === 1 ? 2 : 1) * fieldFactor;
    width -= unitX * (reader.ue() + reader.ue()); // left, right
    height -= unitY * (reader.ue() + reader.ue()); // top, bottom
  }
  if (width <= 0 || height <= 0) throw new ParseError('the SPS crops the whole picture away');
  return { width, height, frameMbsOnly };
}

/**
 * A VUI that runs past the end is taken as absent: cameras exist that cut it short, and decoders
 * show their pictures all the same.
 */
function readVuiIfWhole(reader: BitReader): Vui {
  try {
    return readVui(reader);
  } catch (error) {
    if (error instanceof ParseError) return NO_VUI;
    throw error;
  }
}

function readVui(reader: BitReader): Vui {
  if (reader.flag() && reader.u(8) === EXTENDED_SAR) reader.skip(32); // aspect_ratio_idc, sar_width, sar_height
  if (reader.flag()) reader.flag(); // overscan_info_present_flag, overscan_appropriate_flag
  if (reader.flag()) skipVideoSignalType(reader);
  if (reader.flag()) {
    reader.ue(); // chroma_sample_loc_type_top_field
    reader.ue(); // chroma_sample_loc_type_bottom_field
  }
  let fps: number | undefined;
  let fixedFrameRate = false;
  if (reader.flag()) {
    const numUnitsInTick = reader.u(32);
    const timeScale = reader.u(32);
    fixedFrameRate = reader.flag();
    // A tick is a field's duration, §E.2.1.
    if (numUnitsInTick > 0 && timeScale > 0) fps = timeScale / (2 * numUnitsInTick);
  }
  const nalHrd = reader.flag();
  if (nalHrd) skipHrd(reader);
  const vclHrd = reader.flag();
  if (vclHrd) skipHrd(reader);
  if (nalHrd || vclHrd) reader.flag(); // low_delay_hrd_flag
  reader.flag(); // pic_struct_present_flag
  const maxNumReorderFrames = reader.flag() ? readBitstreamRestriction(reader) : undefined;
  return { fps, fixedFrameRate, maxNumReorderFrames };
}

function skipVideoSignalType(reader: BitReader): void {
  reader.u(3); // video_format
  reader.flag(); // video_full_range_flag
  if (reader.flag()) reader.skip(24); // colour_primaries, transfer_characteristics, matrix_coefficients
}

function skipHrd(reader: BitReader): void {
  const count = 1 + bounded(reader.ue(), MAX_CPB_CNT_MINUS1, 'cpb_cnt_minus1');
  reader.u(8); // bit_rate_scale, cpb_size_scale
  for (let index = 0; index < count; index += 1) {
    reader.ue(); // bit_rate_value_minus1
    reader.ue(); // cpb_size_value_minus1
    reader.flag(); // cbr_flag
  }
  reader.u(20); // initial_cpb_removal_delay_length_minus1 … time_offset_length
}

function readBitstreamRestriction(reader: BitReader): number {
  reader.flag(); // motion_vectors_over_pic_boundaries_flag
  reader.ue(); // max_bytes_per_pic_denom
  reader.ue(); // max_bits_per_mb_denom
  reader.ue(); // log2_max_mv_length_horizontal
  reader.ue(); // log2_max_mv_length_vertical
  const maxNumReorderFrames = bounded(reader.ue(), MAX_DPB_FRAMES, 'max_num_reorder_frames');
  reader.ue(); // max_dec_frame_buffering
  return maxNumReorderFrames;
}

function readLog2(reader: BitReader, name: string): number {
  return 4 + bounded(reader.ue(), MAX_LOG2_MINUS4, name);
}

function bounded(value: number, max: number, name: string): number {
  if (value > max) throw new ParseError(`${name} is ${value}, at most ${max} is allowed`);
  return value;
}
