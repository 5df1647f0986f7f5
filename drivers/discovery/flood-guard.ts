/**
 * How much of what anybody on the network may send is looked at, per second. Parsing takes a tenth of a millisecond on a
 * PC and half of one on a Raspberry Pi, in the thread that moves the pictures.
 */

/** 256 cameras that answer three probes at once, and some twice. The next round finds who was passed over. */
const LOOKED_AT_PER_S = 1000;
/** A rack answers for each of 64 channels; nobody may have all of the rest. */
const OF_ONE_SENDER_PER_S = 64;
/**
 * Milliseconds in each second. What somebody sends may take long to understand: one mDNS packet of 9 KB some 20 ms, one
 * match among a thousand devices 0.1 ms. Who sends nonsense does not take the time of the others either.
 */
const MAX_MS_PER_S = 250;
const MS_OF_ONE_SENDER_PER_S = 100;
/** Even to throw that many away costs a core of a Raspberry Pi: better not to hear them. */
const FLOOD_PER_S = 4000;

export class FloodGuard {
  readonly #nowMs: () => number;
  readonly #workedMs: () => number;
  #second = 0;
  #count = 0;
  #lookedAt = 0;
  #spentMs = 0;
  readonly #senders = new Map<string, { count: number; spentMs: number }>();

  constructor(nowMs: () => number = () => performance.now(), workedMs: () => number = cpuMs) {
    this.#nowMs = nowMs;
    this.#workedMs = workedMs;
  }

  /** More comes than can be borne: the sockets should be closed for a while. */
  get isFlood(): boolean {
    return this.#count > FLOOD_PER_S;
  }

  /** Works on it if it is to be looked at; false if not. */
  hear(sender: string, work: () => void): boolean {
    if (!this.admit(sender)) return false;
    const beganMs = this.#workedMs();
    try {
      work();
    } finally {
      const tookMs = this.#workedMs() - beganMs;
      this.#spentMs += tookMs;
      const account = this.#senders.get(sender);
      if (account !== undefined) account.spentMs += tookMs;
    }
    return true;
  }

  /** Whether to look at this one. */
  admit(sender: string): boolean {
    this.pass();
    if (this.#lookedAt >= LOOKED_AT_PER_S || this.#spentMs >= MAX_MS_PER_S) return false;
    const account = this.#senders.get(sender) ?? { count: 0, spentMs: 0 };
    this.#senders.set(sender, account);
    account.count += 1;
    if (account.count > OF_ONE_SENDER_PER_S) return false;
    if (account.spentMs >= MS_OF_ONE_SENDER_PER_S) return false;
    this.#lookedAt += 1;
    return true;
  }

  /** It came, and is none of those that are looked at. */
  pass(): void {
    const second = Math.floor(this.#nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
      this.#lookedAt = 0;
      this.#spentMs = 0;
      this.#senders.clear();
    }
    this.#count += 1;
  }
}

/** Not what passes meanwhile: on a busy box that is other programs' time, and a sender would be passed over for it. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
