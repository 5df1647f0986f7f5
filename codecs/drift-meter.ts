/**
 * How fast a source's clock runs against arrival. What counts of two seconds is the unit that was least
 * delayed; so neither jitter nor bursts nor a stalled network that catches up looks like a clock.
 */

/** Short enough that ten seconds give a first figure. */
const WINDOW_US = 2_000_000;
/** A minute: a steady 2 % is 1.2 s by then, which no jitter hides. */
const WINDOWS = 30;
const GROUP_WINDOWS = 5;
const MIN_WINDOWS = 4;

/** Less is the crystal's (0.01 %), or not worth touching: half a second in a minute is not heard to drift. */
const MIN_DRIFT = 0.02;
/** Every ten seconds of the minute must show at least so much of it: else it was a single event. */
const MIN_STEADY_DRIFT = 0.01;
/** Faster is a recording sent as fast as it goes. */
const MAX_DRIFT = 1.5;

/** Two stretches of ten seconds differ by less: nothing is moving. */
const LEVEL_US = 200_000;

export class DriftMeter {
  /** Source time minus arrival of the least delayed unit of each window; NaN where none came. */
  readonly #bests: number[] = [];
  #windowAtUs: number | undefined;
  #bestUs = Number.NaN;
  #isFirst = true;

  /** True when a window is complete: time to look at the figures. */
  note(sourceUs: number, arrivalUs: number): boolean {
    this.#windowAtUs ??= arrivalUs;
    const aheadUs = sourceUs - arrivalUs;
    if (arrivalUs - this.#windowAtUs < WINDOW_US) {
      if (!(aheadUs <= this.#bestUs)) this.#bestUs = aheadUs;
      return false;
    }
    this.#close(arrivalUs);
    this.#bestUs = aheadUs;
    return true;
  }

  #close(arrivalUs: number): void {
    const passed = Math.floor((arrivalUs - (this.#windowAtUs ?? arrivalUs)) / WINDOW_US);
    this.#windowAtUs = (this.#windowAtUs ?? arrivalUs) + passed * WINDOW_US;
    // What a source had in store comes at once when it begins.
    if (this.#isFirst) this.#isFirst = false;
    else this.#push(this.#bestUs);
    for (let n = 1; n < Math.min(passed, WINDOWS); n += 1) this.#push(Number.NaN);
  }

  #push(bestUs: number): void {
    if (this.#bests.length === WINDOWS) this.#bests.shift();
    this.#bests.push(bestUs);
  }

  /** Source time minus arrival of the least delayed unit in the last ten seconds that had any; −∞ before. */
  get recentUs(): number {
    let bestUs = Number.isNaN(this.#bestUs) ? Number.NEGATIVE_INFINITY : this.#bestUs;
    let known = 0;
    for (let index = this.#bests.length - 1; index >= 0 && known < GROUP_WINDOWS; index -= 1) {
      const windowUs = this.#bests[index] ?? Number.NaN;
      if (Number.isNaN(windowUs)) continue;
      known += 1;
      bestUs = Math.max(bestUs, windowUs);
    }
    return bestUs;
  }

  /** The same at the beginning of what is remembered. */
  get oldestUs(): number {
    return this.#bests.find((windowUs) => !Number.isNaN(windowUs)) ?? this.#bestUs;
  }

  /** The same before that, when the clock has run so from its first unit on: a fast one is ahead at the end of a window. */
  beforeOldestUs(drift: number): number {
    return this.oldestUs - drift * WINDOW_US * (drift > 0 ? 2 : 1);
  }

  /** −0.16: the clock runs 16 % slow. Over what is remembered, a minute at most; undefined before 10 s. */
  get drift(): number | undefined {
    const { length } = this.#bests;
    if (length < MIN_WINDOWS) return undefined;
    const size = Math.min(GROUP_WINDOWS, Math.floor(length / 2));
    const changeUs = this.#best(length - size, length) - this.#best(0, size);
    return Number.isNaN(changeUs) ? undefined : changeUs / ((length - size) * WINDOW_US);
  }

  /** The same when it is certain: over a whole minute, and in every part of it. */
  get steadyDrift(): number | undefined {
    const { drift } = this;
    if (drift === undefined || this.#bests.length < WINDOWS) return undefined;
    if (Math.abs(drift) < MIN_DRIFT || drift > MAX_DRIFT) return undefined;
    const groups = Array.from({ length: WINDOWS / GROUP_WINDOWS }, (_, index) =>
      this.#best(index * GROUP_WINDOWS, (index + 1) * GROUP_WINDOWS),
    );
    const isSteady = groups.every((groupUs, index) => {
      const before = index === 0 ? undefined : groups[index - 1];
      if (before === undefined) return true;
      const change = (groupUs - before) / (GROUP_WINDOWS * WINDOW_US);
      return change * Math.sign(drift) >= MIN_STEADY_DRIFT;
    });
    return isSteady ? drift : undefined;
  }

  /**
   * By how much the source has fallen behind where it was within the last minute, and stayed: time that
   * a restarted encoder did not count. A network that was stalled catches up instead.
   */
  get fallenBehindUs(): number {
    const { length } = this.#bests;
    if (length < 3 * GROUP_WINDOWS) return 0;
    const recentUs = this.#best(length - GROUP_WINDOWS, length);
    const beforeUs = this.#best(length - 2 * GROUP_WINDOWS, length - GROUP_WINDOWS);
    const olderUs = this.#best(0, length - 2 * GROUP_WINDOWS);
    const behindUs = olderUs - Math.max(recentUs, beforeUs);
    return Math.abs(recentUs - beforeUs) < LEVEL_US && behindUs > 0 ? behindUs : 0;
  }

  /** NaN when nothing came. */
  #best(from: number, to: number): number {
    let bestUs = Number.NaN;
    for (const windowUs of this.#bests.slice(from, to)) {
      if (!(windowUs <= bestUs) && !Number.isNaN(windowUs)) bestUs = windowUs;
    }
    return bestUs;
  }
}
