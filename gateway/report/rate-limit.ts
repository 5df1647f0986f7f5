/** A token bucket that says how many were held back since the last that passed. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAtMs: number;
  #suppressed = 0;

  constructor(perSecond: number, burst: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filledAtMs = now();
  }

  /** undefined: hold this one back; else the number held back before it. */
  take(): number | undefined {
    const now = this.#now();
    const earned = (Math.max(0, now - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#filledAtMs = now;
    if (this.#tokens < 1) {
      this.#suppressed += 1;
      return undefined;
    }
    this.#tokens -= 1;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    return suppressed;
  }
}
