/**
 * Annex B byte streams: NAL units between start codes, as in MPEG-TS, files and some cameras' RTP.
 * H.264 §B.1. Zeros before a start code and at the end belong to no NAL unit.
 */
import { concat } from './bytes.ts';
import { nalUnits } from './nal-units.ts';

const START_CODE = Uint8Array.of(0, 0, 0, 1);
const LENGTH_BYTES = 4;

/** Walks the NAL units of a complete byte stream. Bytes before the first start code are skipped. */
export function* annexBNalUnits(bytes: Uint8Array): Generator<Uint8Array> {
  let start = afterStartCode(bytes, 0);
  while (start <= bytes.length) {
    const next = afterStartCode(bytes, start);
    const end = withoutTrailingZeros(bytes, start, Math.min(next - 3, bytes.length));
    if (end > start) yield bytes.subarray(start, end);
    start = next;
  }
}

export function isAnnexB(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0 || bytes[1] !== 0) return false;
  return bytes[2] === 1 || (bytes[2] === 0 && bytes[3] === 1);
}

export function annexBToAvcc(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const nalUnit of annexBNalUnits(bytes)) parts.push(lengthOf(nalUnit), nalUnit);
  return concat(...parts);
}

export function avccToAnnexB(avcc: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const nalUnit of nalUnits(avcc)) parts.push(START_CODE, nalUnit);
  return concat(...parts);
}

/**
 * Where the bytes after the next 00 00 01 begin. Past the end when there is none: by so much that
 * three bytes less is the end again.
 */
function afterStartCode(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(1, from + 2); at !== -1; at = bytes.indexOf(1, at + 1)) {
    if (bytes[at - 1] === 0 && bytes[at - 2] === 0) return at + 1;
  }
  return bytes.length + 3;
}

function withoutTrailingZeros(bytes: Uint8Array, start: number, from: number): number {
  let end = from;
  while (end > start && bytes[end - 1] === 0) end -= 1;
  return end;
}

function lengthOf(nalUnit: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, nalUnit.length);
  return length;
}
