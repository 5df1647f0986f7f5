/** H.264 NAL units: their types. H.264 §7.3.1, Table 7-1. */

export const NalUnitType = {
  nonIdr: 1,
  partitionA: 2,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  accessUnitDelimiter: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
} as const;

/** nal_unit_type, from the first byte of a NAL unit. */
export function nalUnitType(firstByte: number): number {
  return firstByte & 0x1f;
}
