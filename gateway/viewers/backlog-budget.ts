/**
 * What is held in memory for the viewers of the whole process: one budget for all streams and protocols, so that many slow
 * viewers cost the quick ones nothing but a late start. Bytes that viewers share count once.
 */

/** Four seconds of 64 streams at 4 Mbit/s. */
const DEFAULT_MAX_BYTES = 128 * 1024 * 1024;

export class BacklogBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Who holds much is given nothing more. */
  get isSpent(): boolean {
    return this.#usedBytes > this.#maxBytes;
  }

  change(byBytes: number): void {
    this.#usedBytes += byBytes;
  }
}
