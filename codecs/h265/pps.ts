/** The H.265 picture parameter set, as far as a remuxer looks: its identifier. H.265 §7.3.2.3.1. */
import { BitReader } from '../bit-reader.ts';
import { ParseError } from '../errors.ts';
import { removeEmulationPrevention } from '../rbsp.ts';
import { NAL_UNIT_HEADER_BYTES } from './nal-unit.ts';

/** H.265 §7.4.3.3.1. */
const MAX_PPS_ID = 63;
/** An identifier of at most 63 has 13 bits; an emulation prevention byte may be among them. */
const ID_BYTES = 3;

/** pps_pic_parameter_set_id. */
export function parsePpsId(nalUnit: Uint8Array): number {
  const at = NAL_UNIT_HEADER_BYTES;
  const id = new BitReader(removeEmulationPrevention(nalUnit.subarray(at, at + ID_BYTES))).ue();
  if (id > MAX_PPS_ID) throw new ParseError(`pps_pic_parameter_set_id is ${id}`);
  return id;
}
