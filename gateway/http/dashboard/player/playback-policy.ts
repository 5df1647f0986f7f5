/**
 * Where and how fast to play so that it is live: how far behind the newest picture, when to catch up and when to jump, and what
 * has been seen and may go.
 */

/** Behind the newest picture: what a network and a busy browser are late by. */
const FIRST_TARGET_S = 0.4;
/** Each time that it stood still, more is kept; each long while that it did not, less. */
const STALL_STEP_S = 0.25;
const MAX_TARGET_S = 2;
const CALM_MS = 30_000;
const CALM_STEP_S = 0.1;
/** So much too late, and it plays faster; sound keeps its pitch. */
const CATCH_UP_S = 0.3;
const CATCH_UP_RATE = 1.1;
const HURRY_S = 0.9;
const HURRY_RATE = 1.25;
/** So much too late, and it jumps: a GOP cache, a page that slept. */
const JUMP_S = 1.2;
/** A jump costs a slow machine the decoding of a GOP: it does not jump for ever. */
const JUMP_EVERY_MS = 5_000;
/** Times in MP4 are rounded. */
const SLACK_S = 0.05;
const KEPT_S = 10;
const KEPT_AFTER_REMOVAL_S = 5;

export interface Playback {
  readonly ranges: readonly (readonly [startS: number, endS: number])[];
  readonly currentS: number;
  readonly isSeeking: boolean;
  readonly rate: number;
}

export interface PlaybackAdvice {
  readonly rate: number;
  readonly seekToS: number | undefined;
  /** What was buffered before may go. */
  readonly removeBeforeS: number | undefined;
}

export class PlaybackPolicy {
  readonly #now: () => number;
  #targetS = FIRST_TARGET_S;
  #calmSinceMs: number;
  #jumpedAtMs = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
    this.#calmSinceMs = now();
  }

  get targetS(): number {
    return this.#targetS;
  }

  /** It stood still because nothing was there to play. */
  stalled(): void {
    this.#targetS = Math.min(MAX_TARGET_S, this.#targetS + STALL_STEP_S);
    this.#calmSinceMs = this.#now();
  }

  advise({ ranges, currentS, isSeeking, rate }: Playback): PlaybackAdvice {
    this.#calmDown();
    const first = ranges[0];
    const last = ranges.at(-1);
    if (first === undefined || last === undefined) {
      return { rate: 1, seekToS: undefined, removeBeforeS: undefined };
    }
    const [startS, endS] = last;
    const lateS = endS - currentS - this.#targetS;
    const isOld = currentS - first[0] > KEPT_S;
    return {
      rate: rateFor(lateS, rate),
      seekToS: isSeeking ? undefined : this.#seekFor(currentS, startS, endS, lateS),
      removeBeforeS: isOld ? currentS - KEPT_AFTER_REMOVAL_S : undefined,
    };
  }

  #seekFor(currentS: number, startS: number, endS: number, lateS: number): number | undefined {
    const toS = Math.max(startS, endS - this.#targetS);
    // Nothing is there to play, or a hole is next.
    if (currentS < startS - SLACK_S) return toS;
    // The clock of another connection.
    if (currentS > endS + MAX_TARGET_S) return toS;
    const mayJump = this.#now() - this.#jumpedAtMs >= JUMP_EVERY_MS;
    if (lateS < JUMP_S || !mayJump) return undefined;
    this.#jumpedAtMs = this.#now();
    return toS;
  }

  #calmDown(): void {
    const now = this.#now();
    if (now - this.#calmSinceMs < CALM_MS) return;
    this.#calmSinceMs = now;
    this.#targetS = Math.max(FIRST_TARGET_S, this.#targetS - CALM_STEP_S);
  }
}

/** Once it hurries it goes on until it is in time. */
function rateFor(lateS: number, rate: number): number {
  if (lateS > HURRY_S) return HURRY_RATE;
  if (lateS > CATCH_UP_S) return CATCH_UP_RATE;
  return lateS > 0 && rate > 1 ? CATCH_UP_RATE : 1;
}
