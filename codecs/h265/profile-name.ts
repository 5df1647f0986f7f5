/** What people call a profile, tier and level of H.265: "Main 10 5.1". H.265 §A.3, Table A.2. */
import type { ProfileTierLevel } from './profile-tier-level.ts';

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'Main'],
  [2, 'Main 10'],
  [3, 'Main Still Picture'],
  [5, 'High Throughput'],
  [9, 'Screen-Extended'],
]);
const RANGE_EXTENSIONS = 4;
/** general_max_12bit_constraint_flag and those behind it, in the high part of the constraint flags. */
const MAX_12_BIT = 0x0800;
const MAX_10_BIT = 0x0400;
const MAX_8_BIT = 0x0200;
const MAX_422 = 0x0100;
const MAX_420 = 0x0080;
const MAX_MONOCHROME = 0x0040;
const INTRA = 0x0020;
/** general_level_idc is thirty times the level, §A.4.1. */
const LEVEL_UNIT = 30;

export function profileName(profile: ProfileTierLevel): string {
  const { profileIdc, levelIdc, highTier } = profile;
  const name =
    profileIdc === RANGE_EXTENSIONS
      ? rangeExtensionsName(profile.constraintFlagsHigh)
      : (NAMES.get(profileIdc) ?? `profile ${profileIdc}`);
  return `${name} ${(levelIdc / LEVEL_UNIT).toFixed(1)}${highTier ? ' High tier' : ''}`;
}

/** The range extensions have a name for each combination of what the flags exclude. */
function rangeExtensionsName(flags: number): string {
  const chroma = chromaName(flags);
  const intra = (flags & INTRA) === 0 ? '' : ' Intra';
  return `${chroma}${bitDepthName(flags)}${intra}`;
}

function chromaName(flags: number): string {
  if ((flags & MAX_MONOCHROME) !== 0) return 'Monochrome';
  if ((flags & MAX_420) !== 0) return 'Main';
  return (flags & MAX_422) !== 0 ? 'Main 4:2:2' : 'Main 4:4:4';
}

function bitDepthName(flags: number): string {
  if ((flags & MAX_8_BIT) !== 0) return '';
  if ((flags & MAX_10_BIT) !== 0) return ' 10';
  return (flags & MAX_12_BIT) !== 0 ? ' 12' : ' 16';
}
