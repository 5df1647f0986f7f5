/** Parameter sets for the pictures that `mosaic-encoder.ts` writes. H.264 §7.3.2.1.1, §7.3.2.2, VUI §E.1.1. */
import { BitWriter } from '../bit-writer.ts';
import { addEmulationPrevention } from '../rbsp.ts';
import { NalUnitType } from './nal-unit.ts';

const BASELINE = 66;
/** constraint_set0_flag and constraint_set1_flag: Constrained Baseline, §A.2.1.1. */
const CONSTRAINTS = 0xc0;
/** Level 3: 1620 macroblocks a picture, 40 500 a second (Table A-1): 640 × 368 with 40 pictures a second. */
const LEVEL = 30;
const MAX_MBS_PER_PICTURE = 1620;
const MAX_MBS_PER_S = 40_500;
const REFERENCE = 3 << 5;
/** BT.709, Tables E-3 to E-5: what players take where nothing is said depends on the size. */
const BT_709 = 1;
/** Video that comes from neither PAL nor NTSC, Table E-2. */
const UNSPECIFIED_FORMAT = 5;
/** max_bytes_per_pic_denom and max_bits_per_mb_denom: not limited. */
const NO_LIMIT = 0;
/** pic_init_qp_minus26 counts from here. */
const QP_BASE = 26;

export const LOG2_MAX_FRAME_NUM = 8;

export interface PictureFormat {
  /** In pixels, even: what is shown of whole macroblocks. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

export function serializeSps({ width, height, fps }: PictureFormat): Uint8Array {
  const widthInMbs = Math.ceil(width / 16);
  const heightInMbs = Math.ceil(height / 16);
  const mbs = widthInMbs * heightInMbs;
  if (mbs > MAX_MBS_PER_PICTURE || mbs * fps > MAX_MBS_PER_S) {
    throw new RangeError(`${width}x${height} at ${fps} is above level 3`);
  }
  const cropX = (widthInMbs * 16 - width) / 2;
  const cropY = (heightInMbs * 16 - height) / 2;
  const writer = new BitWriter();
  writer.u(8, BASELINE).u(8, CONSTRAINTS).u(8, LEVEL);
  writer.ue(0); // seq_parameter_set_id
  writer.ue(LOG2_MAX_FRAME_NUM - 4);
  writer.ue(2); // pic_order_cnt_type: shown in the order in which they are decoded
  writer.ue(1); // max_num_ref_frames
  writer.flag(false); // gaps_in_frame_num_value_allowed_flag
  writer.ue(widthInMbs - 1).ue(heightInMbs - 1);
  writer.flag(true); // frame_mbs_only_flag
  writer.flag(true); // direct_8x8_inference_flag
  writer.flag(cropX + cropY > 0); // frame_cropping_flag
  if (cropX + cropY > 0) writer.ue(0).ue(cropX).ue(0).ue(cropY); // left, right, top, bottom
  writer.flag(true); // vui_parameters_present_flag
  writeVui(writer, fps);
  return addEmulationPrevention(REFERENCE | NalUnitType.sps, writer.trailingBits().bytes());
}

function writeVui(writer: BitWriter, fps: number): void {
  writer.flag(true).u(8, 1); // aspect_ratio_idc: square
  writer.flag(false); // overscan_info_present_flag
  writer.flag(true).u(3, UNSPECIFIED_FORMAT); // video_signal_type_present_flag
  writer.flag(false); // video_full_range_flag
  writer.flag(true).u(8, BT_709).u(8, BT_709).u(8, BT_709); // colour_description_present_flag
  writer.flag(false); // chroma_loc_info_present_flag
  writer.flag(true); // timing_info_present_flag
  writer.u(32, 1).u(32, fps * 2); // a tick is a field's duration, §E.2.1
  writer.flag(true); // fixed_frame_rate_flag
  writer.flag(false).flag(false); // no HRD parameters
  writer.flag(false); // pic_struct_present_flag
  writer.flag(true); // bitstream_restriction_flag
  writer.flag(true); // motion_vectors_over_pic_boundaries_flag
  writer.ue(NO_LIMIT).ue(NO_LIMIT);
  writer.ue(0).ue(0); // log2_max_mv_length_horizontal, …_vertical: nothing moves
  writer.ue(0).ue(1); // max_num_reorder_frames, max_dec_frame_buffering
}

/** `qp`: of all slices. The deblocking filter is left to the slice header. */
export function serializePps(qp: number): Uint8Array {
  const writer = new BitWriter();
  writer.ue(0).ue(0); // pic_parameter_set_id, seq_parameter_set_id
  writer.flag(false); // entropy_coding_mode_flag: CAVLC
  writer.flag(false); // bottom_field_pic_order_in_frame_present_flag
  writer.ue(0); // num_slice_groups_minus1
  writer.ue(0).ue(0); // num_ref_idx_l0_default_active_minus1, …_l1_…
  writer.flag(false).u(2, 0); // weighted_pred_flag, weighted_bipred_idc
  writer.se(qp - QP_BASE).se(0); // pic_init_qp_minus26, pic_init_qs_minus26
  writer.se(0); // chroma_qp_index_offset
  writer.flag(true); // deblocking_filter_control_present_flag
  writer.flag(false); // constrained_intra_pred_flag
  writer.flag(false); // redundant_pic_cnt_present_flag
  return addEmulationPrevention(REFERENCE | NalUnitType.pps, writer.trailingBits().bytes());
}
