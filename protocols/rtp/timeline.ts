/**
 * RTP timestamps of one source → microseconds of the source's own clock. The 32-bit counter is unwrapped
 * into ticks since the first packet, and time is computed from those, never summed. Whether the clock
 * can be believed is not asked here (`codecs/source-clock.ts`).
 */
export class RtpTimeline {
  readonly #clockRate: number;
  #lastTimestamp: number;
  #ticks = 0;

  /** `originTimestamp` is the RTP time at which the clock is 0 (RFC 2326 §12.33), or that of the first packet. */
  constructor(clockRate: number, originTimestamp: number) {
    this.#clockRate = clockRate;
    this.#lastTimestamp = originTimestamp;
  }

  /** The time of `timestamp`; the counter follows it. */
  advance(timestamp: number): number {
    this.#ticks += (timestamp - this.#lastTimestamp) | 0;
    this.#lastTimestamp = timestamp;
    return this.#toUs(this.#ticks);
  }

  /** The time of a timestamp near the last one, without following it. */
  place(timestamp: number): number {
    return this.#toUs(this.#ticks + ((timestamp - this.#lastTimestamp) | 0));
  }

  /** How far a timestamp is from the last one, in µs. */
  distanceUs(timestamp: number): number {
    return Math.abs(this.#toUs((timestamp - this.#lastTimestamp) | 0));
  }

  /** In whole seconds and a rest, so that months of ticks stay exact in a double. */
  #toUs(ticks: number): number {
    const seconds = Math.floor(ticks / this.#clockRate);
    const rest = ticks - seconds * this.#clockRate;
    return seconds * 1_000_000 + Math.round((rest * 1_000_000) / this.#clockRate);
  }
}
