/**
 * The H.265 sequence parameter set. H.265 §7.3.2.2.1, VUI §E.2.1 as far as the timing.
 * Not handled: what follows the timing, and the sets of further layers (nuh_layer_id > 0).
 */
import { BitReader } from '../bit-reader.ts';
import { ParseError } from '../errors.ts';
import { removeEmulationPrevention } from '../rbsp.ts';
import { layerId, NAL_UNIT_HEADER_BYTES, NalUnitType, nalUnitType } from './nal-unit.ts';
import {
  MAX_SUB_LAYERS_MINUS1,
  type ProfileTierLevel,
  readProfileTierLevel,
} from './profile-tier-level.ts';

/** Real ones have 30 to 80 bytes; 64 reference picture sets and scaling lists stay below this. */
export const MAX_SPS_BYTES = 4096;
/** Level 6.2 allows Sqrt(8 × 142 606 336) luma samples either way (§A.4.1). */
const MAX_SIZE = 33_776;
/** H.265 §7.4.3.2.1: value ranges. */
const MAX_SPS_ID = 15;
const MAX_CHROMA_FORMAT_IDC = 3;
/** 8 in the standard, for 16 bits; a decoder configuration record holds up to 7. */
const MAX_BIT_DEPTH_MINUS8 = 7;
const MAX_LOG2_POC_LSB_MINUS4 = 12;
/** MaxDpbSize, §A.4.2. */
const MAX_DPB_PICTURES = 16;
const MAX_SHORT_TERM_SETS = 64;
const MAX_LONG_TERM_PICTURES = 32;
const MAX_LOG2_BLOCK = 5;
const MAX_HIERARCHY_DEPTH = 4;
const EXTENDED_SAR = 255;

export interface SequenceParameterSet extends ProfileTierLevel {
  readonly id: number;
  readonly maxSubLayersMinus1: number;
  readonly temporalIdNesting: boolean;
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** In luma samples, within the conformance window. Of a field, where fields are coded. */
  readonly width: number;
  readonly height: number;
  /** sps_max_num_reorder_pics of the highest sub-layer: how many pictures may come before another and be shown after it. */
  readonly maxNumReorderPics: number;
  /** Pictures per second as the VUI states. */
  readonly fps: number | undefined;
  /** field_seq_flag: each picture is a field. */
  readonly fieldSequence: boolean;
}

interface Vui {
  readonly fps: number | undefined;
  readonly fieldSequence: boolean;
}

const NO_VUI: Vui = { fps: undefined, fieldSequence: false };

/** `nalUnit`: with its header, without start code or length. */
export function parseSps(nalUnit: Uint8Array): SequenceParameterSet {
  const [first = 0, second = 0] = nalUnit;
  if (nalUnitType(first) !== NalUnitType.sps || layerId(first, second) !== 0) {
    throw new ParseError('not a sequence parameter set of the base layer', 0);
  }
  if (nalUnit.length > MAX_SPS_BYTES) {
    throw new ParseError(`a SPS of ${nalUnit.length} bytes, at most ${MAX_SPS_BYTES} are taken`);
  }
  const reader = new BitReader(removeEmulationPrevention(nalUnit.subarray(NAL_UNIT_HEADER_BYTES)));
  reader.u(4); // sps_video_parameter_set_id
  const maxSubLayersMinus1 = bounded(
    reader.u(3),
    MAX_SUB_LAYERS_MINUS1,
    'sps_max_sub_layers_minus1',
  );
  const temporalIdNesting = reader.flag();
  const profileTierLevel = readProfileTierLevel(reader, maxSubLayersMinus1);
  const id = bounded(reader.ue(), MAX_SPS_ID, 'sps_seq_parameter_set_id');
  const chromaFormatIdc = bounded(reader.ue(), MAX_CHROMA_FORMAT_IDC, 'chroma_format_idc');
  const separatePlanes = chromaFormatIdc === 3 && reader.flag(); // separate_colour_plane_flag
  const size = readSize(reader, separatePlanes ? 0 : chromaFormatIdc);
  const bitDepthLuma = 8 + bounded(reader.ue(), MAX_BIT_DEPTH_MINUS8, 'bit_depth_luma_minus8');
  const bitDepthChroma = 8 + bounded(reader.ue(), MAX_BIT_DEPTH_MINUS8, 'bit_depth_chroma_minus8');
  const log2MaxPocLsb =
    4 + bounded(reader.ue(), MAX_LOG2_POC_LSB_MINUS4, 'log2_max_pic_order_cnt_lsb_minus4');
  const maxNumReorderPics = readReordering(reader, maxSubLayersMinus1);
  const vui = readToVuiIfWhole(reader, log2MaxPocLsb);
  return {
    ...profileTierLevel,
    id,
    maxSubLayersMinus1,
    temporalIdNesting,
    chromaFormatIdc,
    bitDepthLuma,
    bitDepthChroma,
    ...size,
    maxNumReorderPics,
    ...vui,
  };
}

function readSize(reader: BitReader, chromaArrayType: number): { width: number; height: number } {
  let width = bounded(reader.ue(), MAX_SIZE, 'pic_width_in_luma_samples');
  let height = bounded(reader.ue(), MAX_SIZE, 'pic_height_in_luma_samples');
  if (reader.flag()) {
    // conformance_window_flag; SubWidthC and SubHeightC are Table 6-1's.
    const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
    const unitY = chromaArrayType === 1 ? 2 : 1;
    width -= unitX * (reader.ue() + reader.ue()); // left, right
    height -= unitY * (reader.ue() + reader.ue()); // top, bottom
  }
  if (width <= 0 || height <= 0) throw new ParseError('the SPS leaves nothing of the picture');
  return { width, height };
}

/** The last sub-layer is the highest; where only one is described, it is that one. */
function readReordering(reader: BitReader, maxSubLayersMinus1: number): number {
  const subLayers = reader.flag() ? maxSubLayersMinus1 + 1 : 1; // sps_sub_layer_ordering_info_present_flag
  let maxNumReorderPics = 0;
  for (let index = 0; index < subLayers; index += 1) {
    reader.ue(); // sps_max_dec_pic_buffering_minus1
    maxNumReorderPics = bounded(reader.ue(), MAX_DPB_PICTURES, 'sps_max_num_reorder_pics');
    reader.ue(); // sps_max_latency_increase_plus1
  }
  return maxNumReorderPics;
}

/**
 * What a decoder's configuration needs has been read by now. Where the rest is damaged or cut short it is
 * taken as absent: decoders exist that show such a camera's pictures all the same.
 */
function readToVuiIfWhole(reader: BitReader, log2MaxPocLsb: number): Vui {
  try {
    skipCodingTools(reader, log2MaxPocLsb);
    return reader.flag() ? readVui(reader) : NO_VUI; // vui_parameters_present_flag
  } catch (error) {
    if (error instanceof ParseError) return NO_VUI;
    throw error;
  }
}

function skipCodingTools(reader: BitReader, log2MaxPocLsb: number): void {
  for (const name of BLOCK_SIZES) bounded(reader.ue(), MAX_LOG2_BLOCK, name);
  bounded(reader.ue(), MAX_HIERARCHY_DEPTH, 'max_transform_hierarchy_depth_inter');
  bounded(reader.ue(), MAX_HIERARCHY_DEPTH, 'max_transform_hierarchy_depth_intra');
  // scaling_list_enabled_flag, sps_scaling_list_data_present_flag
  if (reader.flag() && reader.flag()) skipScalingLists(reader);
  reader.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (reader.flag()) {
    reader.u(8); // pcm_sample_bit_depth_luma_minus1, pcm_sample_bit_depth_chroma_minus1
    reader.ue(); // log2_min_pcm_luma_coding_block_size_minus3
    reader.ue(); // log2_diff_max_min_pcm_luma_coding_block_size
    reader.flag(); // pcm_loop_filter_disabled_flag
  }
  skipShortTermSets(reader);
  if (reader.flag()) {
    const pictures = bounded(reader.ue(), MAX_LONG_TERM_PICTURES, 'num_long_term_ref_pics_sps');
    reader.skip(pictures * (log2MaxPocLsb + 1)); // lt_ref_pic_poc_lsb_sps, used_by_curr_pic_lt_sps_flag
  }
  reader.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
}

const BLOCK_SIZES = [
  'log2_min_luma_coding_block_size_minus3',
  'log2_diff_max_min_luma_coding_block_size',
  'log2_min_luma_transform_block_size_minus2',
  'log2_diff_max_min_luma_transform_block_size',
];

/** H.265 §7.3.4. */
function skipScalingLists(reader: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId += 1) {
    const coefficients = Math.min(64, 1 << (4 + (sizeId << 1)));
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      if (!reader.flag()) {
        reader.ue(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (sizeId > 1) reader.se(); // scaling_list_dc_coef_minus8
      for (let index = 0; index < coefficients; index += 1) reader.se(); // scaling_list_delta_coef
    }
  }
}

/** st_ref_pic_set() of each index, H.265 §7.3.7. */
function skipShortTermSets(reader: BitReader): void {
  const sets = bounded(reader.ue(), MAX_SHORT_TERM_SETS, 'num_short_term_ref_pic_sets');
  let pictures = 0;
  for (let index = 0; index < sets; index += 1) {
    const isPredicted = index > 0 && reader.flag(); // inter_ref_pic_set_prediction_flag
    pictures = isPredicted ? predictedSet(reader, pictures) : explicitSet(reader);
  }
}

/**
 * How many pictures the set holds, made from one that holds `reference`. An entry that falls on the picture
 * itself would not count (7-61), but no encoder writes one: it cannot refer to itself.
 */
function predictedSet(reader: BitReader, reference: number): number {
  reader.flag(); // delta_rps_sign
  reader.ue(); // abs_delta_rps_minus1
  let pictures = 0;
  for (let index = 0; index <= reference; index += 1) {
    // used_by_curr_pic_flag, use_delta_flag
    if (reader.flag() || reader.flag()) pictures += 1;
  }
  return bounded(pictures, MAX_DPB_PICTURES, 'NumDeltaPocs');
}

function explicitSet(reader: BitReader): number {
  const negative = bounded(reader.ue(), MAX_DPB_PICTURES, 'num_negative_pics');
  const positive = bounded(reader.ue(), MAX_DPB_PICTURES, 'num_positive_pics');
  for (let index = 0; index < negative + positive; index += 1) {
    reader.ue(); // delta_poc_s0_minus1, delta_poc_s1_minus1
    reader.flag(); // used_by_curr_pic_s0_flag, used_by_curr_pic_s1_flag
  }
  return bounded(negative + positive, MAX_DPB_PICTURES, 'NumDeltaPocs');
}

function readVui(reader: BitReader): Vui {
  if (reader.flag() && reader.u(8) === EXTENDED_SAR) reader.skip(32); // aspect_ratio_idc, sar_width, sar_height
  if (reader.flag()) reader.flag(); // overscan_info_present_flag, overscan_appropriate_flag
  if (reader.flag()) skipVideoSignalType(reader);
  if (reader.flag()) {
    reader.ue(); // chroma_sample_loc_type_top_field
    reader.ue(); // chroma_sample_loc_type_bottom_field
  }
  reader.flag(); // neutral_chroma_indication_flag
  const fieldSequence = reader.flag();
  reader.flag(); // frame_field_info_present_flag
  if (reader.flag()) for (let side = 0; side < 4; side += 1) reader.ue(); // default_display_window_flag
  let fps: number | undefined;
  if (reader.flag()) {
    const numUnitsInTick = reader.u(32);
    const timeScale = reader.u(32);
    // A tick is a picture's duration, §E.3.1: other than in H.264.
    if (numUnitsInTick > 0 && timeScale > 0) fps = timeScale / numUnitsInTick;
  }
  return { fps, fieldSequence };
}

function skipVideoSignalType(reader: BitReader): void {
  reader.u(4); // video_format, video_full_range_flag
  if (reader.flag()) reader.skip(24); // colour_primaries, transfer_characteristics, matrix_coeffs
}

function bounded(value: number, max: number, name: string): number {
  if (value > max) throw new ParseError(`${name} is ${value}, at most ${max} is allowed`);
  return value;
}
