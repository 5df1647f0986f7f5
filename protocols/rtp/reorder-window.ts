/**
 * Puts UDP packets back into order: one that comes early is copied and held until the missing ones
 * have come or been given up. Packets in order pass straight through, uncopied.
 */

/** Held at most, and how long a gap may stay open: a LAN that needs more has lost the packet. */
const MAX_HELD_PACKETS = 64;
const MAX_HELD_MS = 100;
/** Further behind than this is a restarted sender (RFC 3550 §A.1, MAX_MISORDER). */
const MAX_LATE_PACKETS = 100;

interface Held {
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

export class ReorderWindow {
  readonly #deliver: (bytes: Uint8Array, start: number, end: number) => void;
  readonly #held = new Map<number, Held>();
  #next = -1;

  /** `deliver` gets whole packets in order; a gap that stays is the receiver's to notice. */
  constructor(deliver: (bytes: Uint8Array, start: number, end: number) => void) {
    this.#deliver = deliver;
  }

  /** Takes the packet in `bytes[start…end)`. */
  push(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (end - start < 4) return;
    const sequenceNumber = ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0);
    const ahead = this.#next < 0 ? 0 : (sequenceNumber - this.#next) & 0xffff;
    if (ahead > 0x10000 - MAX_LATE_PACKETS) {
      // A late one or a duplicate: the receiver's counters tell.
      this.#deliver(bytes, start, end);
    } else if (ahead === 0 || ahead > MAX_HELD_PACKETS) {
      // In order, a long gap or a restart.
      if (ahead !== 0) this.#giveUp();
      this.#deliver(bytes, start, end);
      this.#next = (sequenceNumber + 1) & 0xffff;
      this.#deliverHeld();
    } else if (!this.#held.has(sequenceNumber)) {
      this.#held.set(sequenceNumber, { bytes: bytes.slice(start, end), atMs: nowMs });
    }
    this.#expire(nowMs);
  }

  /** Delivers what directly follows. */
  #deliverHeld(): void {
    while (this.#held.size > 0) {
      const held = this.#held.get(this.#next);
      if (held === undefined) return;
      this.#held.delete(this.#next);
      this.#deliver(held.bytes, 0, held.bytes.length);
      this.#next = (this.#next + 1) & 0xffff;
    }
  }

  #expire(nowMs: number): void {
    while (this.#held.size > 0) {
      const oldest = this.#held.values().next().value;
      const isFull = this.#held.size >= MAX_HELD_PACKETS;
      if (!isFull && oldest !== undefined && nowMs - oldest.atMs < MAX_HELD_MS) return;
      this.#skipGap();
    }
  }

  /** Gives up the missing packets before the first held one. */
  #skipGap(): void {
    const distances = [...this.#held.keys()].map((number) => (number - this.#next) & 0xffff);
    this.#next = (this.#next + Math.min(...distances)) & 0xffff;
    this.#deliverHeld();
  }

  #giveUp(): void {
    while (this.#held.size > 0) this.#skipGap();
  }
}
