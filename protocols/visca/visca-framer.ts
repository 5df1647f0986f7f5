/**
 * VISCA on a serial line: replies in a stream of bytes, each ended by 0xff. Whatever else is on the line (noise when the direction
 * of an RS-485 bus switches, our own packets heard back) is skipped and counted.
 */
import { parseViscaReply, type ViscaReply } from './visca-reply.ts';

/** "3 to 16 bytes", with the 0xff. */
const MAX_PACKET_BYTES = 16;
const END = 0xff;

export class ViscaFramer {
  skippedBytes = 0;
  readonly #held = new Uint8Array(MAX_PACKET_BYTES);
  #length = 0;

  push(chunk: Uint8Array): ViscaReply[] {
    const replies: ViscaReply[] = [];
    for (const byte of chunk) {
      if (byte === END) {
        const reply = this.#take();
        if (reply !== undefined) replies.push(reply);
      } else {
        this.#hold(byte);
      }
    }
    return replies;
  }

  /** The shortest reply at the end of what is held: noise is before it, and no byte within a reply looks like its first. */
  #take(): ViscaReply | undefined {
    const held = this.#held.subarray(0, this.#length);
    this.#length = 0;
    for (let from = held.length - 2; from >= 0; from -= 1) {
      const reply = parseViscaReply(held.subarray(from));
      if (reply !== undefined) {
        this.skippedBytes += from;
        return reply;
      }
    }
    this.skippedBytes += held.length + 1;
    return undefined;
  }

  #hold(byte: number): void {
    if (this.#length === MAX_PACKET_BYTES) {
      this.#held.copyWithin(0, 1);
      this.#length -= 1;
      this.skippedBytes += 1;
    }
    this.#held[this.#length] = byte;
    this.#length += 1;
  }
}
