/**
 * Which moment of the stream's clock is which one of the wall clock: what sender reports say. One for all tracks of
 * a stream, so that picture and sound are placed by the same offset, whatever it is.
 */

/** What arrives jitters; only what is further off is another clock: a drift of months, or NTP has set ours. */
const MAX_ERROR_US = 500_000;

export class ReportClock {
  /** Wall clock minus the stream's clock. */
  #offsetUs: number | undefined;
  /** The least since the last look: of the unit that was least delayed. */
  #leastUs = Number.POSITIVE_INFINITY;

  /** A unit has come, and it is the stream's latest. */
  note(dtsUs: number, wallMs: number): void {
    const offsetUs = wallMs * 1000 - dtsUs;
    this.#offsetUs ??= offsetUs;
    if (offsetUs < this.#leastUs) this.#leastUs = offsetUs;
  }

  /** Looks again at the clocks: to be called now and then, for all tracks at once. */
  adjust(): void {
    const leastUs = this.#leastUs;
    this.#leastUs = Number.POSITIVE_INFINITY;
    if (this.#offsetUs === undefined || leastUs === Number.POSITIVE_INFINITY) return;
    if (Math.abs(leastUs - this.#offsetUs) > MAX_ERROR_US) this.#offsetUs = leastUs;
  }

  /** The stream's time at a moment; undefined before the first unit. */
  streamUsAt(wallMs: number): number | undefined {
    return this.#offsetUs === undefined ? undefined : wallMs * 1000 - this.#offsetUs;
  }
}
