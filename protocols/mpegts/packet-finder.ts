/**
 * Finds transport packets in bytes however they are cut: of 188 bytes (ISO/IEC 13818-1), of 192 with
 * a time stamp in front (M2TS, Blu-ray and some recorders), of 204 with parity behind (DVB, EN 300 429).
 * Which it is shows by the distance of the sync bytes. What is no packet is skipped and counted.
 *
 * While in step, packets are handed on in place; only one that is cut by the end of a chunk is copied.
 */
import { concat } from '../../codecs/bytes.ts';
import { SYNC_BYTE, TS_PACKET_BYTES } from './ts-packet.ts';

/** From sync byte to sync byte. */
const STRIDES = [188, 192, 204] as const;
const MAX_STRIDE = 204;
/** So many sync bytes in a row are no chance. They fit into one UDP datagram of seven packets. */
const SYNCS = 3;
const SEARCH_BYTES = (SYNCS - 1) * MAX_STRIDE;
const NONE: Uint8Array = new Uint8Array(0);

export class TsPacketFinder {
  /** How often the step was lost. */
  resyncs = 0;
  skippedBytes = 0;
  readonly #onPacket: (bytes: Uint8Array, at: number) => void;
  /** 0: searching. */
  #stride = 0;
  /** While searching: what may be the beginning of packets. */
  #searched = NONE;
  /** In step: the first bytes of a packet that was cut. */
  readonly #held = new Uint8Array(TS_PACKET_BYTES);
  #heldBytes = 0;
  /** In step: bytes between packets that have not come yet. */
  #skip = 0;

  /** `onPacket` gets 188 bytes at `at`, valid during the call. */
  constructor(onPacket: (bytes: Uint8Array, at: number) => void) {
    this.#onPacket = onPacket;
  }

  /** 188, 192 or 204; undefined while it is not known. */
  get stride(): number | undefined {
    return this.#stride === 0 ? undefined : this.#stride;
  }

  push(bytes: Uint8Array, from: number, to: number): void {
    if (this.#stride === 0) this.#search(bytes, from, to);
    else this.#walk(bytes, from + this.#skip, to);
  }

  #walk(bytes: Uint8Array, from: number, to: number): void {
    let at = this.#heldBytes > 0 ? this.#completeHeld(bytes, from, to) : from;
    for (; at < to; at += this.#stride) {
      if (bytes[at] !== SYNC_BYTE) {
        this.resyncs += 1;
        this.#stride = 0;
        this.#search(bytes, at, to);
        return;
      }
      if (at + TS_PACKET_BYTES > to) {
        this.#held.set(bytes.subarray(at, to));
        this.#heldBytes = to - at;
        at = to;
        break;
      }
      this.#onPacket(bytes, at);
    }
    this.#skip = at - to;
  }

  /** Returns where the next packet begins. */
  #completeHeld(bytes: Uint8Array, from: number, to: number): number {
    const end = Math.min(to, from + TS_PACKET_BYTES - this.#heldBytes);
    this.#held.set(bytes.subarray(from, end), this.#heldBytes);
    this.#heldBytes += end - from;
    if (this.#heldBytes < TS_PACKET_BYTES) return to;
    this.#heldBytes = 0;
    this.#onPacket(this.#held, 0);
    return end + this.#stride - TS_PACKET_BYTES;
  }

  #search(bytes: Uint8Array, from: number, to: number): void {
    if (this.#searched.length > 0) {
      const joined = concat(this.#searched, bytes.subarray(from, to));
      this.#searched = NONE;
      this.#search(joined, 0, joined.length);
      return;
    }
    for (let at = from; at + SEARCH_BYTES < to; at += 1) {
      const stride = bytes[at] === SYNC_BYTE ? strideAt(bytes, at) : undefined;
      if (stride === undefined) continue;
      this.skippedBytes += at - from;
      this.#stride = stride;
      this.#walk(bytes, at, to);
      return;
    }
    const kept = Math.max(from, to - SEARCH_BYTES);
    this.skippedBytes += kept - from;
    this.#searched = bytes.slice(kept, to);
  }
}

function strideAt(bytes: Uint8Array, at: number): number | undefined {
  return STRIDES.find((stride) => {
    for (let n = 1; n < SYNCS; n += 1) {
      if (bytes[at + n * stride] !== SYNC_BYTE) return false;
    }
    return true;
  });
}
