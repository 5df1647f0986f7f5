/**
 * How much of what anybody on the network may send is looked at, per second. Parsing takes a tenth of a millisecond on a
 * PC and half of one on a Raspberry Pi, in the thread that moves the pictures.
 */

/** 256 cameras that answer three probes at once, and some twice. The next round finds who was passed over. */
const LOOKED_AT_PER_S = 1000;
/** A rack answers for each of 64 channels; nobody may have all of the rest. */
const OF_ONE_SENDER_PER_S = 64;
/** Even to throw that many away costs a core of a Raspberry Pi: better not to hear them. */
const FLOOD_PER_S = 4000;

export class FloodGuard {
  readonly #nowMs: () => number;
  #second = 0;
  #count = 0;
  #lookedAt = 0;
  readonly #senders = new Map<string, number>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** More comes than can be borne: the sockets should be closed for a while. */
  get isFlood(): boolean {
    return this.#count > FLOOD_PER_S;
  }

  /** Whether to look at this one. */
  admit(sender: string): boolean {
    const second = Math.floor(this.#nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
      this.#lookedAt = 0;
      this.#senders.clear();
    }
    this.#count += 1;
    if (this.#lookedAt >= LOOKED_AT_PER_S) return false;
    const ofSender = (this.#senders.get(sender) ?? 0) + 1;
    this.#senders.set(sender, ofSender);
    if (ofSender > OF_ONE_SENDER_PER_S) return false;
    this.#lookedAt += 1;
    return true;
  }
}
