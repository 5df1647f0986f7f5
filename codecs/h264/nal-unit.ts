/** H.264 NAL units: their types, and walking those of an access unit. H.264 §7.3.1, Table 7-1. */
import { ParseError } from '../errors.ts';

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

const LENGTH_BYTES = 4;

/** nal_unit_type, from the first byte of a NAL unit. */
export function nalUnitType(firstByte: number): number {
  return firstByte & 0x1f;
}

/** Walks NAL units behind 4-byte lengths (AVCC). Yields views; a length past the end throws. */
export function* nalUnits(avcc: Uint8Array): Generator<Uint8Array> {
  let offset = 0;
  while (offset < avcc.length) {
    const start = offset + LENGTH_BYTES;
    if (start > avcc.length) throw new ParseError('half a NAL unit length', offset);
    const length = readLength(avcc, offset);
    if (length > avcc.length - start) {
      throw new ParseError(
        `a NAL unit of ${length} bytes, only ${avcc.length - start} left`,
        offset,
      );
    }
    offset = start + length;
    yield avcc.subarray(start, offset);
  }
}

function readLength(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, LENGTH_BYTES);
  return view.getUint32(0);
}
