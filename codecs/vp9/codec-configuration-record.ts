/** VPCodecConfigurationRecord, VP Codec ISO Media File Format Binding §2.2: profile and level. */
import { ParseError } from '../errors.ts';

const RECORD_BYTES = 8;
/** Version 1 and no flags: some writers put the box's header in front, as MP4 has it. */
const FULL_BOX_HEADER = [1, 0, 0, 0];

export interface Vp9CodecConfiguration {
  readonly profile: number;
  /** Ten times the level; 0: not known. */
  readonly level: number;
  readonly bitDepth: number;
}

export function parseVp9CodecConfigurationRecord(bytes: Uint8Array): Vp9CodecConfiguration {
  const [profile, level, depth] = vp9RecordOf(bytes);
  if (profile === undefined || level === undefined) {
    throw new ParseError('half a VPCodecConfigurationRecord', bytes.length);
  }
  return { profile, level, bitDepth: depth === undefined ? 8 : depth >> 4 };
}

/** Without the box's header, where it is in front. */
export function vp9RecordOf(bytes: Uint8Array): Uint8Array {
  const hasHeader =
    bytes.length >= FULL_BOX_HEADER.length + RECORD_BYTES &&
    FULL_BOX_HEADER.every((byte, index) => bytes[index] === byte);
  return hasHeader ? bytes.subarray(FULL_BOX_HEADER.length) : bytes;
}
