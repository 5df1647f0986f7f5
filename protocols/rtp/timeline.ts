/**
 * RTP timestamps of one source → microseconds on the stream's clock. The 32-bit counter is
 * unwrapped into ticks since the first packet, and time is computed from those, never summed.
 */

/** No camera pauses its clock so long in a live stream: the counter was set anew. */
const JUMP_S = 10;
/** How far the clock goes on across a jump: about a frame. */
const JUMP_STEP_US = 40_000;

export class RtpTimeline {
  readonly #clockRate: number;
  /** Jumps that were smoothed over. */
  jumps = 0;
  #lastTimestamp = 0;
  #ticks = 0;
  #offsetUs: number;
  #hasBegun = false;

  /** `originTimestamp` is the RTP time at which the stream's clock is 0 (RFC 2326 §12.33). */
  constructor(clockRate: number, originTimestamp?: number) {
    this.#clockRate = clockRate;
    this.#offsetUs = 0;
    if (originTimestamp !== undefined) {
      this.#lastTimestamp = originTimestamp;
      this.#hasBegun = true;
    }
  }

  /** Moves the whole time line: what came is unchanged, what comes is `byUs` later. */
  shift(byUs: number): void {
    this.#offsetUs += byUs;
  }

  /** The time of `timestamp`; the counter follows it. */
  advance(timestamp: number): number {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#lastTimestamp = timestamp;
    }
    const delta = (timestamp - this.#lastTimestamp) | 0;
    this.#lastTimestamp = timestamp;
    if (Math.abs(delta) > JUMP_S * this.#clockRate) {
      this.jumps += 1;
      this.#offsetUs = this.#toUs(this.#ticks) + this.#offsetUs + JUMP_STEP_US;
      this.#ticks = 0;
    } else {
      this.#ticks += delta;
    }
    return this.#toUs(this.#ticks) + this.#offsetUs;
  }

  /** The time of a timestamp near the last one, without following it. */
  place(timestamp: number): number {
    const delta = (timestamp - this.#lastTimestamp) | 0;
    return this.#toUs(this.#ticks + delta) + this.#offsetUs;
  }

  /** In whole seconds and a rest, so that months of ticks stay exact in a double. */
  #toUs(ticks: number): number {
    const seconds = Math.floor(ticks / this.#clockRate);
    const rest = ticks - seconds * this.#clockRate;
    return seconds * 1_000_000 + Math.round((rest * 1_000_000) / this.#clockRate);
  }
}
