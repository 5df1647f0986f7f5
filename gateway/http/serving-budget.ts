/**
 * How many answers may be under way at once: viewers in all and per address, and apart from them everybody
 * else. A viewer counts while something is sent to it, not while its connection waits for the next request.
 */
import type { Access } from './route.ts';

/** API answers are small and at once; more than this under way are clients that do not read. */
const MAX_OTHERS = 64;

export interface ViewerLimits {
  readonly viewers: number;
  readonly viewersPerAddress: number;
}

export class ServingBudget {
  readonly #limits: ViewerLimits;
  readonly #viewersByAddress = new Map<string, number>();
  #viewers = 0;
  #others = 0;

  constructor(limits: ViewerLimits) {
    this.#limits = limits;
  }

  /**
   * undefined: no room. Hold the result while the answer is sent. `address` undefined: this machine, where a
   * reverse proxy may stand for all viewers there are.
   */
  enter(access: Access, address: string | undefined): Disposable | undefined {
    return access === 'viewer' ? this.#enterViewer(address) : this.#enterOther();
  }

  #enterOther(): Disposable | undefined {
    if (this.#others >= MAX_OTHERS) return undefined;
    this.#others += 1;
    return once(() => {
      this.#others -= 1;
    });
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
