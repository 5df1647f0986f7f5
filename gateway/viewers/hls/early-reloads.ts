/**
 * A playlist must not be loaded again before it can have changed (RFC 8216 §6.3.4). Chromium's own player does: it reads
 * three segments and asks again at once. If it begins to play just then, it takes itself for one that was paused, throws
 * away what it has, and gives up (DEMUXER_ERROR_COULD_NOT_PARSE) when the playlist names no segment that is new to it. So
 * whoever has been told of the newest segment waits for the next one.
 */

/** In one segment's time; more are answered at once. */
const MAX_REMEMBERED = 2_000;

export class EarlyReloads {
  readonly #told = new Set<string>();
  #newest: number | undefined;

  /** `newest`: number of the newest whole segment. */
  isEarly(viewer: string, newest: number | undefined): boolean {
    return newest === this.#newest && this.#told.has(viewer);
  }

  told(viewer: string, newest: number | undefined): void {
    if (newest !== this.#newest) this.#told.clear();
    this.#newest = newest;
    if (this.#told.size < MAX_REMEMBERED) this.#told.add(viewer);
  }
}
