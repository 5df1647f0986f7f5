/** An access unit of H.264 or H.265 as it crosses the system: NAL units behind 4-byte lengths (AVCC). */
import { ParseError } from './errors.ts';

const LENGTH_BYTES = 4;

/** Walks NAL units behind 4-byte lengths. Yields views; a length past the end throws. */
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
