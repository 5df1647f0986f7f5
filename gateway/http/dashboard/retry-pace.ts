/** How long to wait before the next connection: longer each time, until one has held. */

const FIRST_MS = 1_000;
const MAX_MS = 30_000;
/** Who takes a page only to send it away is asked no more often than who does not answer. */
const HELD_MS = 10_000;

export class RetryPace {
  readonly #chance: () => number;
  #ms = FIRST_MS;

  /** `chance`: 0 to 1, so that pages that lost the same broker do not come back at the same moment. */
  constructor(chance: () => number = Math.random) {
    this.#chance = chance;
  }

  /** `heldMs`: the connection before; 0: there was none. */
  next(heldMs: number): number {
    if (heldMs >= HELD_MS) this.#ms = FIRST_MS;
    const ms = this.#ms * (0.5 + this.#chance() / 2);
    this.#ms = Math.min(MAX_MS, this.#ms * 2);
    return ms;
  }
}
