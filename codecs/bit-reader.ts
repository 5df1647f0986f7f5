/**
 * Reads bit fields, most significant bit first. H.264 payloads must have their emulation prevention
 * bytes removed before (`rbsp.ts`). Past the end it throws.
 *
 * H.264 §7.2 (u), §9.1 (ue, se).
 */
import { ParseError } from './errors.ts';

/** ue(v) never exceeds 2^32 − 2, H.264 §7.4.2.1.1 and elsewhere: 31 zeros before the one bit. */
const MAX_LEADING_ZERO_BITS = 31;

export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** In bits, from the start. */
  get position(): number {
    return this.#position;
  }

  /** In bits. */
  get remaining(): number {
    return this.#bytes.length * 8 - this.#position;
  }

  bit(): number {
    const byte = this.#bytes[this.#position >>> 3];
    if (byte === undefined) {
      throw new ParseError('needs another bit, none left', this.#bytes.length);
    }
    const value = (byte >>> (7 - (this.#position & 7))) & 1;
    this.#position += 1;
    return value;
  }

  flag(): boolean {
    return this.bit() === 1;
  }

  /** u(n): an unsigned number of 0 to 32 bits. */
  u(bits: number): number {
    let value = 0;
    for (let index = 0; index < bits; index += 1) value = value * 2 + this.bit();
    return value;
  }

  /** The next bits without passing over them; undefined where there are not so many. */
  peek(bits: number): number | undefined {
    if (bits > this.remaining) return undefined;
    const position = this.#position;
    const value = this.u(bits);
    this.#position = position;
    return value;
  }

  /** Passes over any number of bits. */
  skip(bits: number): void {
    if (bits > this.remaining) {
      throw new ParseError(`needs ${bits} bits, ${this.remaining} left`, this.#position >>> 3);
    }
    this.#position += bits;
  }

  /** ue(v): an unsigned Exp-Golomb code. */
  ue(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      zeros += 1;
      if (zeros > MAX_LEADING_ZERO_BITS) {
        throw new ParseError('an Exp-Golomb code is longer than 32 bits', this.#position >>> 3);
      }
    }
    return 2 ** zeros - 1 + this.u(zeros);
  }

  /** se(v): a signed Exp-Golomb code. */
  se(): number {
    const code = this.ue();
    // Not −0, which is another value to some.
    return code % 2 === 0 ? 0 - code / 2 : (code + 1) / 2;
  }
}
