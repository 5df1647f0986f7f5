/**
 * One track of a source has stepped back, by less than reordered pictures go back anyway: has this one, too?
 * It has when a run of units comes late by about as much; the most delayed picture of a B-frame pyramid is one of eight.
 */
const RUN_UNITS = 8;
/** Tracks are sent about as far apart at most. */
const MAX_WAIT_MS = 2_000;

export class SuspectedStep {
  /** What the other track was moved by. */
  readonly byUs: number;
  readonly #sinceMs: number;
  readonly #wasAheadUs: number;
  #run = 0;
  #highestUs = Number.NEGATIVE_INFINITY;

  /** `wasAheadUs`: the track's time minus arrival, of the least delayed unit before. */
  constructor(byUs: number, wasAheadUs: number, sinceMs: number) {
    this.byUs = byUs;
    this.#wasAheadUs = wasAheadUs;
    this.#sinceMs = sinceMs;
  }

  /** Of each unit that comes. 'yes' only where it is shown after all that came late: so no two change their order. */
  note(timeUs: number, arrivalMs: number): 'yes' | 'no' | 'perhaps' {
    const lateUs = this.#wasAheadUs - (timeUs - arrivalMs * 1000);
    this.#run = lateUs > this.byUs / 2 ? this.#run + 1 : 0;
    const isHighest = timeUs > this.#highestUs;
    this.#highestUs = this.#run > 1 ? Math.max(this.#highestUs, timeUs) : timeUs;
    if (this.#run > RUN_UNITS && isHighest) return 'yes';
    return arrivalMs - this.#sinceMs > MAX_WAIT_MS ? 'no' : 'perhaps';
  }
}
