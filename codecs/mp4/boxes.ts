/**
 * Boxes: what every MP4 file is made of. ISO/IEC 14496-12 §4.2.
 * Not handled: boxes of type `uuid` are boxes like any other, their type is not read.
 */
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { concat } from '../bytes.ts';
import { ParseError } from '../errors.ts';

const HEADER_BYTES = 8;
/** With the size in 64 bits. */
export const MAX_BOX_HEADER_BYTES = 16;
const SIZE_TO_THE_END = 0;
const SIZE_IN_64_BITS = 1;
const MAX_SHORT_SIZE = 0xffff_ffff;

export interface BoxHeader {
  readonly type: string;
  readonly headerBytes: number;
  /** Header included; Infinity: to the end of the file. */
  readonly size: number;
}

export interface Box {
  readonly type: string;
  /** A view of what follows the header. */
  readonly payload: Uint8Array;
  /** Of the header, from the first byte of what was walked. */
  readonly offset: number;
}

/** A box with these contents. */
export function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  let size = HEADER_BYTES;
  for (const part of parts) size += part.length;
  return concat(boxHeader(type, size), ...parts);
}

/** §4.2.2: with version and flags in front. */
export function fullBox(
  type: string,
  version: number,
  flags: number,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return box(type, new ByteWriter().u8(version).u24(flags).toBytes(), ...parts);
}

/** `size`: header included; past 32 bits the header has 16 bytes instead of 8, which are counted, too. */
export function boxHeader(type: string, size: number): Uint8Array {
  const writer = new ByteWriter();
  if (size > MAX_SHORT_SIZE) writer.u32(SIZE_IN_64_BITS).bytes(fourCharacters(type)).u64(size);
  else writer.u32(size).bytes(fourCharacters(type));
  return writer.toBytes();
}

/** The four bytes of a type, brand or handler. */
export function fourCharacters(code: string): Uint8Array {
  return Uint8Array.from(code, (letter) => letter.charCodeAt(0));
}

/** undefined: there are too few bytes to tell. */
export function parseBoxHeader(bytes: Uint8Array, offset = 0): BoxHeader | undefined {
  const reader = new ByteReader(bytes.subarray(offset, offset + MAX_BOX_HEADER_BYTES));
  if (reader.remaining < HEADER_BYTES) return undefined;
  const shortSize = reader.u32();
  const type = String.fromCharCode(...reader.take(4));
  if (shortSize === SIZE_TO_THE_END) {
    return { type, headerBytes: HEADER_BYTES, size: Number.POSITIVE_INFINITY };
  }
  if (shortSize === SIZE_IN_64_BITS && reader.remaining < 8) return undefined;
  const size = shortSize === SIZE_IN_64_BITS ? reader.u64() : shortSize;
  const headerBytes = reader.offset;
  if (size < headerBytes) throw new ParseError(`a box '${type}' of ${size} bytes`, offset);
  return { type, headerBytes, size };
}

/** Walks the boxes that lie one behind another, such as a box's children. A box past the end throws. */
export function* boxes(bytes: Uint8Array): Generator<Box> {
  let offset = 0;
  while (offset < bytes.length) {
    const header = parseBoxHeader(bytes, offset);
    if (header === undefined) throw new ParseError('half a box header', offset);
    const { type, headerBytes, size } = header;
    const end = size === Number.POSITIVE_INFINITY ? bytes.length : offset + size;
    if (end > bytes.length) {
      throw new ParseError(
        `a box '${type}' of ${size} bytes, only ${bytes.length - offset} left`,
        offset,
      );
    }
    yield { type, payload: bytes.subarray(offset + headerBytes, end), offset };
    offset = end;
  }
}

/** The contents of the first box of each type, one inside the other: `findBox(moov, 'trak', 'mdia')`. */
export function findBox(bytes: Uint8Array, ...path: readonly string[]): Uint8Array | undefined {
  let within = bytes;
  for (const type of path) {
    const found = firstBox(within, type);
    if (found === undefined) return undefined;
    within = found;
  }
  return within;
}

function firstBox(bytes: Uint8Array, type: string): Uint8Array | undefined {
  for (const child of boxes(bytes)) if (child.type === type) return child.payload;
  return undefined;
}
