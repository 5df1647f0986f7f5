/**
 * Where the random access points of a fragmented file are: mfra, its last box, found by its own last four bytes. ISO/IEC 14496-12
 * §8.8.9 to §8.8.11. A hint: whoever follows it looks at what is there.
 */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { ParseError } from '../errors.ts';
import { box, boxes, fullBox } from './boxes.ts';

/** `mfro`, whole. */
export const MFRO_BYTES = 16;
/** Two hours with a fragment each half second. */
const MAX_ENTRIES = 16_384;

export interface RandomAccessPoint {
  /** On the clock of the track. */
  readonly ticks: number;
  /** Of the moof's first byte in the file. */
  readonly position: number;
}

export function serializeRandomAccessIndex(
  trackId: number,
  points: readonly RandomAccessPoint[],
): Uint8Array {
  const writer = new ByteWriter().u32(trackId).u32(0).u32(points.length); // lengths of one byte each
  for (const { ticks, position } of points) {
    writer.u64(ticks).u64(position).u8(1).u8(1).u8(1); // traf, trun, sample number
  }
  const tfra = fullBox('tfra', 1, 0, writer.toBytes());
  const size = 8 + tfra.length + MFRO_BYTES;
  return box('mfra', tfra, fullBox('mfro', 0, 0, new ByteWriter().u32(size).toBytes()));
}

/** The size of the mfra, by the file's last MFRO_BYTES; undefined: it has none. */
export function randomAccessIndexSize(last: Uint8Array): number | undefined {
  const reader = new ByteReader(last);
  if (reader.remaining < MFRO_BYTES || reader.u32() !== MFRO_BYTES) return undefined;
  const type = String.fromCharCode(...reader.take(4));
  reader.take(4);
  return type === 'mfro' ? reader.u32() : undefined;
}

/** `mfra`: its contents. Those of one track, in the order of the file. */
export function parseRandomAccessIndex(mfra: Uint8Array, trackId: number): RandomAccessPoint[] {
  for (const { type, payload } of boxes(mfra)) {
    if (type !== 'tfra') continue;
    const reader = new ByteReader(payload);
    const isWide = reader.u8() === 1;
    reader.u24();
    if (reader.u32() !== trackId) continue;
    const lengths = reader.u32();
    const numberBytes = ((lengths >> 4) & 3) + ((lengths >> 2) & 3) + (lengths & 3) + 3;
    const count = reader.u32();
    if (count > MAX_ENTRIES) throw new ParseError(`${count} random access points`);
    const points: RandomAccessPoint[] = [];
    for (let index = 0; index < count; index += 1) {
      const ticks = isWide ? reader.u64() : reader.u32();
      const position = isWide ? reader.u64() : reader.u32();
      reader.take(numberBytes);
      points.push({ ticks, position });
    }
    return points;
  }
  return [];
}
