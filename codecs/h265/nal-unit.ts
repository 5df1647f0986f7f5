/** H.265 NAL units: the header of two bytes and the types. H.265 §7.3.1.2, Table 7-1. */

export const NAL_UNIT_HEADER_BYTES = 2;

export const NalUnitType = {
  trailR: 1,
  raslN: 8,
  raslR: 9,
  blaWLp: 16,
  idrWRadl: 19,
  idrNLp: 20,
  cra: 21,
  vps: 32,
  sps: 33,
  pps: 34,
  accessUnitDelimiter: 35,
  prefixSei: 39,
  suffixSei: 40,
} as const;

/** nal_unit_type, from the first byte of a NAL unit. */
export function nalUnitType(firstByte: number): number {
  return (firstByte >> 1) & 0x3f;
}

/** nuh_layer_id: 0 but for the further views and qualities of SHVC and MV-HEVC. */
export function layerId(firstByte: number, secondByte: number): number {
  return ((firstByte & 1) << 5) | (secondByte >> 3);
}
