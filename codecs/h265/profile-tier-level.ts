/** profile_tier_level(), H.265 §7.3.3: in the VPS and the SPS alike. */
import type { BitReader } from '../bit-reader.ts';

/** sps_max_sub_layers_minus1 and its like, H.265 §7.4.3.1: 7 is reserved. */
export const MAX_SUB_LAYERS_MINUS1 = 6;
const SUB_LAYER_PROFILE_BITS = 88;
const SUB_LAYER_LEVEL_BITS = 8;

export interface ProfileTierLevel {
  readonly profileSpace: number;
  readonly highTier: boolean;
  readonly profileIdc: number;
  /** general_profile_compatibility_flag[0] is the most significant bit. */
  readonly compatibilityFlags: number;
  /** The 48 bits from general_progressive_source_flag on, in two parts. */
  readonly constraintFlagsHigh: number;
  readonly constraintFlagsLow: number;
  /** Thirty times the level. */
  readonly levelIdc: number;
}

export function readProfileTierLevel(
  reader: BitReader,
  maxSubLayersMinus1: number,
): ProfileTierLevel {
  const profileSpace = reader.u(2);
  const highTier = reader.flag();
  const profileIdc = reader.u(5);
  const compatibilityFlags = reader.u(32);
  const constraintFlagsHigh = reader.u(16);
  const constraintFlagsLow = reader.u(32);
  const levelIdc = reader.u(8);
  skipSubLayers(reader, maxSubLayersMinus1);
  return {
    profileSpace,
    highTier,
    profileIdc,
    compatibilityFlags,
    constraintFlagsHigh,
    constraintFlagsLow,
    levelIdc,
  };
}

function skipSubLayers(reader: BitReader, count: number): void {
  if (count === 0) return;
  let bits = 0;
  for (let index = 0; index < count; index += 1) {
    if (reader.flag()) bits += SUB_LAYER_PROFILE_BITS; // sub_layer_profile_present_flag
    if (reader.flag()) bits += SUB_LAYER_LEVEL_BITS; // sub_layer_level_present_flag
  }
  reader.skip(2 * (8 - count)); // reserved_zero_2bits
  reader.skip(bits);
}
