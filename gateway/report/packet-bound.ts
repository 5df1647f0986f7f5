/** Follows the lengths of MQTT packets in a byte stream (MQTT 3.1.1 §2.2.3), so that nobody waits for a packet of 256 MB. */
export class PacketBound {
  readonly #maxBytes: number;
  #at: 'type' | 'length' = 'type';
  #length = 0;
  #factor = 1;
  /** Of the packet whose header has been read. */
  #bodyLeft = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether all packets announced so far keep to the bound. After false it is finished. */
  accepts(chunk: Uint8Array): boolean {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#bodyLeft > 0) {
        const skipped = Math.min(this.#bodyLeft, chunk.length - offset);
        this.#bodyLeft -= skipped;
        offset += skipped;
      } else {
        if (!this.#headerByte(chunk[offset] ?? 0)) return false;
        offset += 1;
      }
    }
    return true;
  }

  #headerByte(byte: number): boolean {
    if (this.#at === 'type') {
      this.#at = 'length';
      this.#length = 0;
      this.#factor = 1;
      return true;
    }
    this.#length += (byte & 0x7f) * this.#factor;
    this.#factor *= 128;
    // At most four bytes of length.
    const isEndless = this.#factor === 128 ** 4 && byte >= 0x80;
    if (this.#length > this.#maxBytes || isEndless) return false;
    if (byte < 0x80) {
      this.#at = 'type';
      this.#bodyLeft = this.#length;
    }
    return true;
  }
}
