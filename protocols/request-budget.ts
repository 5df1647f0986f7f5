/**
 * How often one client of a server may ask. Each question costs it a few bytes, and us a whole GOP (play, unpause), a file, a name
 * that is told everywhere (publish): whoever asks on and on would keep the process from everybody else.
 */
import { ProtocolError } from '../codecs/errors.ts';

/** A player whose slider is dragged asks twenty times a second, for a while; others a dozen times in all. */
const BURST = 200;
const PER_SECOND = 10;

export class RequestBudget {
  readonly #now: () => number;
  #left = BURST;
  #filledAtMs: number;

  /** `now`: milliseconds on a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#filledAtMs = now();
  }

  /** Throws ProtocolError when there have been too many. */
  take(): void {
    const nowMs = this.#now();
    const earned = ((nowMs - this.#filledAtMs) / 1000) * PER_SECOND;
    this.#filledAtMs = nowMs;
    this.#left = Math.min(BURST, this.#left + earned) - 1;
    if (this.#left < 0) throw new ProtocolError('TOO_MANY_REQUESTS', 'it asks on and on');
  }
}
