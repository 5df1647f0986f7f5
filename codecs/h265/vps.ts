/** The H.265 video parameter set, as far as a remuxer looks: its identifier. H.265 §7.3.2.1. */
import { ParseError } from '../errors.ts';
import { NAL_UNIT_HEADER_BYTES } from './nal-unit.ts';

/** Real ones have 20 to 40 bytes; those with HRD parameters and the extension of SHVC stay below this. */
export const MAX_VPS_BYTES = 4096;

/** vps_video_parameter_set_id. */
export function parseVpsId(nalUnit: Uint8Array): number {
  const byte = nalUnit[NAL_UNIT_HEADER_BYTES];
  if (byte === undefined) throw new ParseError('a VPS without content', nalUnit.length);
  return byte >> 4;
}
