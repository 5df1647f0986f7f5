/**
 * Fixed-size pieces of memory that are handed out and given back, so that caches neither
 * fragment the heap nor leave work for the garbage collector. One pool, one budget per process.
 */
export const SLAB_BYTES = 64 * 1024;

/** Kept for the next user; more go back to the system: caches are full only while something is amiss. */
const MAX_SPARE_SLABS = 16;

export class SlabPool {
  readonly #capacity: number;
  readonly #free: Uint8Array[] = [];
  #made = 0;

  constructor(maxBytes: number) {
    this.#capacity = Math.floor(maxBytes / SLAB_BYTES);
  }

  /** Undefined when the budget is spent: the caller goes without. */
  acquire(): Uint8Array | undefined {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#made >= this.#capacity) return undefined;
    this.#made += 1;
    return new Uint8Array(SLAB_BYTES);
  }

  release(slab: Uint8Array): void {
    if (this.#free.length < MAX_SPARE_SLABS) this.#free.push(slab);
    else this.#made -= 1;
  }

  get usedBytes(): number {
    return (this.#made - this.#free.length) * SLAB_BYTES;
  }
}
