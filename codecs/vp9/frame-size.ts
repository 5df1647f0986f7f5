/** The size of a VP9 keyframe: nothing before it tells. VP9 bitstream §6.2 (uncompressed_header). */
import { BitReader } from '../bit-reader.ts';
import { ParseError } from '../errors.ts';

const FRAME_MARKER = 2;
const SYNC_CODE = 0x49_83_42;
const RGB = 7;

/** Throws on anything but the beginning of a keyframe. */
export function parseVp9FrameSize(frame: Uint8Array): { width: number; height: number } {
  const reader = new BitReader(frame);
  if (reader.u(2) !== FRAME_MARKER) throw new ParseError('no VP9 frame', 0);
  const profile = reader.bit() + 2 * reader.bit(); // profile_low_bit, profile_high_bit
  if (profile === 3) reader.bit(); // reserved_zero
  const isExisting = reader.flag(); // show_existing_frame
  const isInter = reader.flag(); // frame_type
  reader.u(2); // show_frame, error_resilient_mode
  if (isExisting || isInter || reader.u(24) !== SYNC_CODE) {
    throw new ParseError('no VP9 keyframe', 0);
  }
  skipColorConfig(reader, profile);
  const width = reader.u(16) + 1; // frame_width_minus_1
  const height = reader.u(16) + 1; // frame_height_minus_1
  return { width, height };
}

function skipColorConfig(reader: BitReader, profile: number): void {
  if (profile >= 2) reader.bit(); // ten_or_twelve_bit
  const isRgb = reader.u(3) === RGB; // color_space
  if (!isRgb) reader.bit(); // color_range
  const hasSubsampling = profile === 1 || profile === 3;
  if (hasSubsampling) reader.u(isRgb ? 1 : 3); // subsampling_x, subsampling_y, reserved_zero
}
