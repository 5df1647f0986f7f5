/**
 * Writes bit fields, most significant bit first, into a buffer that grows and is used again. What it holds is an
 * RBSP: it becomes a NAL unit with `addEmulationPrevention` (rbsp.ts).
 *
 * H.264 §7.2 (u), §9.1 (ue, se).
 */

const INITIAL_BYTES = 1024;

export class BitWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  /** In bits. All bits from here on are zero. */
  #position = 0;

  /** In bits. */
  get position(): number {
    return this.#position;
  }

  /** u(n): an unsigned number in 0 to 32 bits. */
  u(bits: number, value: number): this {
    const end = this.#position + bits;
    if (end > this.#bytes.length * 8) this.#grow(end);
    let left = bits;
    while (left > 0) {
      const room = 8 - (this.#position & 7);
      const taken = Math.min(room, left);
      left -= taken;
      const piece = (value >>> left) & ((1 << taken) - 1);
      const at = this.#position >>> 3;
      this.#bytes[at] = (this.#bytes[at] ?? 0) | (piece << (room - taken));
      this.#position += taken;
    }
    return this;
  }

  flag(value: boolean): this {
    return this.u(1, value ? 1 : 0);
  }

  /** ue(v): an unsigned Exp-Golomb code, of at most 2^31 − 1. */
  ue(value: number): this {
    const bits = 32 - Math.clz32(value + 1);
    return this.u(bits - 1, 0).u(bits, value + 1);
  }

  /** se(v): a signed Exp-Golomb code. */
  se(value: number): this {
    return this.ue(value > 0 ? value * 2 - 1 : -value * 2);
  }

  /** rbsp_trailing_bits, H.264 §7.3.2.11: a one, and zeros to the end of the byte. */
  trailingBits(): this {
    this.u(1, 1);
    this.#position = (this.#position + 7) & ~7;
    return this;
  }

  /** What was written, the last byte filled with zeros: a view, valid until anything else is called. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, (this.#position + 7) >>> 3);
  }

  /** Empty again, in the same buffer. */
  clear(): this {
    this.bytes().fill(0);
    this.#position = 0;
    return this;
  }

  #grow(endBits: number): void {
    const larger = new Uint8Array(Math.max(Math.ceil(endBits / 8), this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
