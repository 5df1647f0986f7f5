/**
 * What the simulated cameras send: two seconds of 1080p25 H.264 or H.265 and AAC at 128 kbit/s, made once
 * from a fixed seed, so that the sink knows every byte of it. Headers are true (a decoder may look at them),
 * coded data is noise that keeps the rules of emulation prevention. Each access unit has a stamp at a known place.
 */
import { Bits } from './bits.ts';
import { STAMP_BYTES } from './stamp.ts';

export const FRAMES_PER_SECOND = 25;
export const GOP_FRAMES = 2 * FRAMES_PER_SECOND;
export const AUDIO_SAMPLE_RATE = 48_000;
export const AUDIO_FRAME_SAMPLES = 1024;

/** A scene that moves a little: an IDR picture is this many times a P picture. */
const IDR_WEIGHT = 6.5;
/** P pictures differ in size by up to this much of their mean. */
const P_SPREAD = 0.3;
/** Where the stamp lies in a slice: well after its header. */
export const VIDEO_STAMP_OFFSET = 32;

/** 128 kbit/s at 46.875 frames per second. */
const AUDIO_FRAME_BYTES = 341;
export const AUDIO_STAMP_OFFSET = 32;
export const AUDIO_TEMPLATES = 8;

/** AudioSpecificConfig: AAC-LC, 48 kHz, mono. ISO/IEC 14496-3 §1.6.2.1. */
export const AUDIO_CONFIG_HEX = '1188';

export type VideoCodec = 'h264' | 'h265';

/** H.265: by x265 3.5 (`ffmpeg -c:v libx265 -x265-params bframes=0:keyint=50`), 1080p25: VPS, SPS, PPS. */
export const PARAMETER_SETS: Readonly<Record<VideoCodec, readonly Buffer[]>> = {
  h264: [parameterSet(0x67, writeSps), parameterSet(0x68, writePps)],
  h265: [
    '40010c01ffff016000000300900000030000030078ba0240',
    '420101016000000300900000030000030078a003c0801107cb96e92930bc05a02000000300200000030321',
    '4401c073c189',
  ].map((hex) => Buffer.from(hex, 'hex')),
};

/** The slice NAL units of one GOP; the first is the IDR picture. Stamps are left blank. */
export function videoTemplates(codec: VideoCodec, bitsPerSecond: number): Buffer[] {
  const random = randomBytes(1);
  const meanP = ((bitsPerSecond / 8) * 2) / (GOP_FRAMES - 1 + IDR_WEIGHT);
  return Array.from({ length: GOP_FRAMES }, (_, index) => {
    const spread = 1 + P_SPREAD * ((random() / 255) * 2 - 1);
    const length = Math.round(meanP * (index === 0 ? IDR_WEIGHT : spread));
    return slice(codec, index, length, random);
  });
}

/** Silence, and fill elements that bring it to size. ISO/IEC 14496-3 §4.4.2.1, §4.4.2.7. */
export function audioTemplates(): Buffer[] {
  const random = randomBytes(2);
  return Array.from({ length: AUDIO_TEMPLATES }, () => {
    const bits = new Bits();
    bits.u(3, 0).u(4, 0); // single_channel_element, element_instance_tag
    bits.u(8, 0).u(11, 0).u(3, 0); // global_gain; ics_info with max_sfb 0; no pulse, TNS, gain control
    for (const bytes of [269, 64]) {
      bits
        .u(3, 6)
        .u(4, 15)
        .u(8, bytes - 14)
        .u(4, 0); // fill_element, count, esc_count, EXT_FILL
      bits.u(4, 0);
      for (let index = 1; index < bytes; index++) bits.u(8, random());
    }
    bits.u(3, 7); // END
    const frame = bits.bytes();
    if (frame.length !== AUDIO_FRAME_BYTES) throw new Error(`AAC frame of ${frame.length} bytes`);
    frame.fill(0, AUDIO_STAMP_OFFSET, AUDIO_STAMP_OFFSET + STAMP_BYTES);
    return frame;
  });
}

/** H.264 §7.3.2.1.1: Main profile, level 4.0, 1920x1080, no reordering (picture order count type 2), 25 fps. */
function writeSps(bits: Bits): void {
  bits.u(8, 77).u(8, 0).u(8, 40); // profile_idc, constraint flags, level_idc
  bits.ue(0).ue(4).ue(2).ue(1).u(1, 0); // id, log2_max_frame_num 8, pic_order_cnt_type, max_num_ref_frames, gaps
  bits.ue(119).ue(67).u(1, 1).u(1, 1); // 120 x 68 macroblocks, frame_mbs_only, direct_8x8_inference
  bits.u(1, 1).ue(0).ue(0).ue(0).ue(4); // cropped to 1080 lines
  bits.u(1, 1); // VUI
  bits.u(1, 0).u(1, 0).u(1, 0).u(1, 0); // aspect ratio, overscan, video signal type, chroma location
  bits
    .u(1, 1)
    .u(32, 1)
    .u(32, 2 * FRAMES_PER_SECOND)
    .u(1, 1); // timing: fixed 25 fps
  bits.u(1, 0).u(1, 0).u(1, 0).u(1, 0); // HRD parameters, pic_struct, bitstream restriction
}

/** H.264 §7.3.2.2: CABAC, one reference. */
function writePps(bits: Bits): void {
  bits.ue(0).ue(0).u(1, 1).u(1, 0).ue(0); // ids, entropy_coding_mode, bottom_field_pic_order, slice groups
  bits.ue(0).ue(0).u(1, 0).u(2, 0); // reference indices, weighted prediction
  bits.ue(0).ue(0).ue(0).u(1, 0).u(1, 0).u(1, 0); // QP, deblocking control, constrained intra, redundant pictures
}

/** A header that says the truth, then noise. */
function slice(codec: VideoCodec, index: number, length: number, random: () => number): Buffer {
  const header = codec === 'h264' ? sliceHeaderH264(index) : sliceHeaderH265(index);
  const nalUnit = Buffer.alloc(length);
  header.copy(nalUnit);
  let previous = 1;
  for (let at = header.length; at < length; at++) {
    const byte = random();
    // Two zeros in a row could begin a start code or need an emulation prevention byte.
    previous = nalUnit[at] = byte === 0 && previous === 0 ? 0x55 : byte;
  }
  nalUnit[length - 1] = 0x80; // rbsp_trailing_bits
  nalUnit.fill(0x40, VIDEO_STAMP_OFFSET, VIDEO_STAMP_OFFSET + STAMP_BYTES);
  return nalUnit;
}

/** H.264 §7.3.3. */
function sliceHeaderH264(index: number): Buffer {
  const isIdr = index === 0;
  const bits = new Bits();
  bits.u(8, isIdr ? 0x65 : 0x41);
  bits.ue(0).ue(isIdr ? 7 : 5); // first_mb, slice_type I or P
  bits.ue(0).u(8, index); // PPS id, frame_num
  if (isIdr)
    bits.ue(0).u(2, 0); // idr_pic_id, dec_ref_pic_marking
  else bits.u(1, 0).u(1, 0).u(1, 0).ue(0); // no override, no reordering, no marking; cabac_init_idc
  bits.ue(0); // slice_qp_delta
  return bits.bytes();
}

/** H.265 §7.3.1.2, §7.3.6.1, as far as the picture order count. */
function sliceHeaderH265(index: number): Buffer {
  const isIdr = index === 0;
  const bits = new Bits();
  bits.u(1, 0).u(6, isIdr ? 20 : 1); // IDR_N_LP, TRAIL_R
  bits.u(6, 0).u(3, 1); // nuh_layer_id, nuh_temporal_id_plus1
  bits.u(1, 1); // first_slice_segment_in_pic_flag
  if (isIdr) bits.u(1, 0); // no_output_of_prior_pics_flag
  bits.ue(0).ue(isIdr ? 2 : 1); // PPS id, slice_type I or P
  if (!isIdr) bits.u(8, index); // slice_pic_order_cnt_lsb
  bits.u(1, 1);
  return bits.bytes();
}

function parameterSet(header: number, write: (bits: Bits) => void): Buffer {
  const bits = new Bits();
  bits.u(8, header);
  write(bits);
  bits.u(1, 1); // rbsp_trailing_bits
  return withEmulationPrevention(bits.bytes());
}

/** H.264 §7.4.1.1. */
function withEmulationPrevention(bytes: Buffer): Buffer {
  const out: number[] = [];
  for (const byte of bytes) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3);
    out.push(byte);
  }
  return Buffer.from(out);
}

/** xorshift32: the same noise in every process. */
function randomBytes(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 11) & 0xff;
  };
}
