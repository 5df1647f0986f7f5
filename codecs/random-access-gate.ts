/**
 * Holds back what nobody could decode: all before the first random access point, and after a loss all up to the
 * next one. With it go the pictures that follow such a point and refer to what is before it (H.265's RASL): a decoder
 * drops them at the start of a stream by itself, but in the middle, after a loss, it would show garbage.
 */
export class RandomAccessGate {
  /** Whole pictures held back after a loss. At the start that is nobody's damage: the source was in the middle of a GOP. */
  heldBack = 0;
  #hasOpened = false;
  #isOpen = false;
  /** The gate was opened by the latest random access point. */
  #isFresh = false;

  /** Pictures pass. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** A picture is missing or damaged. */
  close(): void {
    this.#isOpen = false;
  }

  admits(randomAccess: boolean, skippedLeading: boolean): boolean {
    if (randomAccess) {
      this.#isFresh = !this.#isOpen;
      this.#isOpen = true;
    }
    if (this.#isOpen && !(this.#isFresh && skippedLeading)) {
      this.#hasOpened = true;
      return true;
    }
    if (this.#hasOpened) this.heldBack += 1;
    return false;
  }
}
