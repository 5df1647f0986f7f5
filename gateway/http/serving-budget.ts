/**
 * How many answers may be under way at once: viewers in all and per address, apart from them what needs no login (the
 * page and its files), and apart from both the API. A viewer counts while something is sent to it, not while its connection waits for the next request.
 */
import type { Access } from './route.ts';

/** API answers are small and at once; more than this under way are clients that do not read. */
const MAX_OTHERS = 64;
/** A browser has six connections to a server. */
const MAX_STRANGERS = 64;

export interface ViewerLimits {
  readonly viewers: number;
  readonly viewersPerAddress: number;
}

export class ServingBudget {
  readonly #limits: ViewerLimits;
  readonly #viewersByAddress = new Map<string, number>();
  #viewers = 0;
  readonly #others = new Room(MAX_OTHERS);
  readonly #strangers = new Room(MAX_STRANGERS);

  constructor(limits: ViewerLimits) {
    this.#limits = limits;
  }

  /**
   * undefined: no room. Hold the result while the answer is sent. `address` undefined: this machine, where a
   * reverse proxy may stand for all viewers there are.
   */
  enter(access: Access, address: string | undefined): Disposable | undefined {
    if (access === 'viewer') return this.#enterViewer(address);
    return access === 'everybody' ? this.#strangers.enter() : this.#others.enter();
  }

  #enterViewer(address: string | undefined): Disposable | undefined {
    if (this.#viewers >= this.#limits.viewers) return undefined;
    if (address === undefined) {
      this.#viewers += 1;
      return once(() => {
        this.#viewers -= 1;
      });
    }
    const ofAddress = this.#viewersByAddress.get(address) ?? 0;
    if (ofAddress >= this.#limits.viewersPerAddress) return undefined;
    this.#viewers += 1;
    this.#viewersByAddress.set(address, ofAddress + 1);
    return once(() => this.#leave(address));
  }

  #leave(address: string): void {
    this.#viewers -= 1;
    const left = (this.#viewersByAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#viewersByAddress.delete(address);
    else this.#viewersByAddress.set(address, left);
  }
}

class Room {
  readonly #max: number;
  #inside = 0;

  constructor(max: number) {
    this.#max = max;
  }

  enter(): Disposable | undefined {
    if (this.#inside >= this.#max) return undefined;
    this.#inside += 1;
    return once(() => {
      this.#inside -= 1;
    });
  }
}

/** An answer may end in more than one way at a time. */
function once(leave: () => void): Disposable {
  let isInside = true;
  return {
    [Symbol.dispose]: () => {
      if (isInside) leave();
      isInside = false;
    },
  };
}
