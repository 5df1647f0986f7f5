/**
 * A FLV byte stream → tags, as cameras and servers send it over HTTP. FLV 10.1 §E.2 to §E.4.1.
 *
 *   file header    "FLV", version 8, flags 8, header size 32
 *   … then         size of the tag before 32, and a tag: type 8, body size 24, timestamp 24, its upper 8 bits,
 *                  stream id 24, body
 *
 * Bodies are copied once, to where an access unit may be lent from (access-unit.ts). The flags of the file
 * header, the stream ids and the sizes of the tags before say what devices like (Reolink has no flags at
 * all), and are not looked at. Encrypted tags are passed over.
 *
 * There is nothing in FLV to find the next tag by when one was not whole: what cannot be a tag throws
 * ParseError, and the reader is finished.
 */
import { MAX_ACCESS_UNIT_BYTES } from '../access-unit.ts';
import { AccessUnitAssembler } from '../access-unit-assembler.ts';
import { ParseError } from '../errors.ts';
import { FLV_FILE_HEADER_BYTES, FLV_PREVIOUS_TAG_SIZE_BYTES, FLV_TAG_HEADER_BYTES } from './tag.ts';

/** Every version 1 header has 9 bytes. */
const MAX_FILE_HEADER_BYTES = 1024;
const TAG_PREFIX_BYTES = FLV_PREVIOUS_TAG_SIZE_BYTES + FLV_TAG_HEADER_BYTES;
/** §E.4.1: two reserved bits, one for encryption, five for the type. */
const RESERVED_TYPE_BITS = 0xc0;
const FILTER_BIT = 0x20;

/**
 * Takes one tag. `body` is lent until it returns, with ACCESS_UNIT_HEADROOM bytes before it; true keeps
 * it for good, and the reader takes another buffer.
 */
export type FlvTagHandler = (type: number, timestampMs: number, body: Uint8Array) => boolean;

export class FlvReader {
  readonly #onTag: FlvTagHandler;
  readonly #head = new Uint8Array(TAG_PREFIX_BYTES);
  #headLength = 0;
  #headNeeds = FLV_FILE_HEADER_BYTES;
  #isBehindFileHeader = false;
  readonly #body = new AccessUnitAssembler();
  #bodyRemaining = 0;
  /** Bytes to pass over before the next header. */
  #skip = 0;
  #offset = 0;

  constructor(onTag: FlvTagHandler) {
    this.#onTag = onTag;
  }

  push(chunk: Uint8Array): void {
    // Each step takes what it can and returns how much that was.
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) at += this.#passOver(chunk, at);
      else if (this.#bodyRemaining > 0) at += this.#readBody(chunk, at);
      else at += this.#readHead(chunk, at);
    }
  }

  #passOver(chunk: Uint8Array, from: number): number {
    const length = Math.min(this.#skip, chunk.length - from);
    this.#skip -= length;
    this.#offset += length;
    return length;
  }

  #readHead(chunk: Uint8Array, from: number): number {
    const length = Math.min(this.#headNeeds - this.#headLength, chunk.length - from);
    for (let index = 0; index < length; index += 1) {
      this.#head[this.#headLength + index] = chunk[from + index] ?? 0;
    }
    this.#headLength += length;
    this.#offset += length;
    if (this.#headLength === this.#headNeeds) {
      this.#headLength = 0;
      if (this.#isBehindFileHeader) this.#beginTag();
      else this.#readFileHeader();
    }
    return length;
  }

  #readFileHeader(): void {
    const size = this.#u24(5) * 0x100 + this.#u8(8);
    if (this.#u24(0) !== 0x464c56) throw new ParseError('a FLV stream begins with "FLV"', 0);
    if (size < FLV_FILE_HEADER_BYTES || size > MAX_FILE_HEADER_BYTES) {
      throw new ParseError(`a FLV file header of ${size} bytes`, 5);
    }
    this.#skip = size - FLV_FILE_HEADER_BYTES;
    this.#isBehindFileHeader = true;
    this.#headNeeds = TAG_PREFIX_BYTES;
  }

  #beginTag(): void {
    const type = this.#u8(4);
    const size = this.#u24(5);
    if ((type & RESERVED_TYPE_BITS) !== 0 || size > MAX_ACCESS_UNIT_BYTES) {
      throw new ParseError(
        `what should be a FLV tag has type ${type} and ${size} bytes`,
        this.#offset,
      );
    }
    if ((type & FILTER_BIT) !== 0) this.#skip = size;
    else if (size === 0) this.#endTag();
    else this.#bodyRemaining = size;
  }

  #readBody(chunk: Uint8Array, from: number): number {
    const length = Math.min(this.#bodyRemaining, chunk.length - from);
    this.#body.append(chunk.subarray(from, from + length));
    this.#bodyRemaining -= length;
    this.#offset += length;
    if (this.#bodyRemaining === 0) this.#endTag();
    return length;
  }

  /** The header of the tag is still in `#head`. */
  #endTag(): void {
    const timestampMs = this.#u8(11) * 0x1000000 + this.#u24(8);
    this.#body.release(this.#onTag(this.#u8(4), timestampMs, this.#body.take()));
  }

  #u8(at: number): number {
    return this.#head[at] ?? 0;
  }

  #u24(at: number): number {
    return (this.#u8(at) << 16) | (this.#u8(at + 1) << 8) | this.#u8(at + 2);
  }
}
