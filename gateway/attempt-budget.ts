/**
 * One budget of connection attempts for all streams and targets, so that forty cameras behind one
 * switch do not all return in the same millisecond: a token bucket.
 */
import timers from 'node:timers/promises';

export class AttemptBudget {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAtMs: number;

  constructor(perSecond: number, burst: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filledAtMs = now();
  }

  /** Returns when an attempt may begin; rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<void> {
    this.#fill();
    // Tokens go negative: each waiter has reserved its own moment, in order of arrival.
    this.#tokens -= 1;
    if (this.#tokens >= 0) return;
    try {
      await timers.setTimeout((-this.#tokens / this.#perSecond) * 1000, undefined, { signal });
    } catch (error) {
      this.#tokens += 1;
      throw error;
    }
  }

  #fill(): void {
    const now = this.#now();
    // A clock that is set back by hours must not be waited for.
    const earned = (Math.max(0, now - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#filledAtMs = now;
  }
}
