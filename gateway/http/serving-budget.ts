/**
 * How many answers may be under way at once: viewers in all and per address, apart from them what needs no login (the
 * page and its files; whether the service is well), and apart from those the API. A viewer counts while something is sent to it, not while its
 * connection waits for the next request.
 */
import type { Route } from './route.ts';

/** API answers are small and at once; more than this under way are clients that do not read. */
const MAX_OTHERS = 64;
/** A browser has six connections to a server. */
const MAX_STRANGERS = 64;
/** Two browsers; whoever sends the body of a login byte by byte keeps nobody else from the page. */
const MAX_STRANGERS_OF_ADDRESS = 16;
/** Supervisors and load balancers ask a few times a minute, and are answered at once. */
const MAX_PROBES = 16;
const MAX_PROBES_OF_ADDRESS = 4;

export interface ViewerLimits {
  readonly viewers: number;
  readonly viewersPerAddress: number;
}

export class ServingBudget {
  readonly #viewers: Room;
  readonly #others = new Room(MAX_OTHERS, MAX_OTHERS);
  readonly #strangers = new RoomsApart(MAX_STRANGERS, MAX_STRANGERS_OF_ADDRESS);
  readonly #probes = new RoomsApart(MAX_PROBES, MAX_PROBES_OF_ADDRESS);

  constructor(limits: ViewerLimits) {
    this.#viewers = new Room(limits.viewers, limits.viewersPerAddress);
  }

  /**
   * undefined: no room. Hold the result while the answer is sent. `address` undefined: this machine, where a
   * reverse proxy may stand for all viewers there are.
   */
  enter(
    { access, isProbe }: Pick<Route, 'access' | 'isProbe'>,
    address: string | undefined,
  ): Disposable | undefined {
    if (isProbe === true) return this.#probes.enter(address);
    if (access === 'viewer') return this.#viewers.enter(address);
    return access === 'everybody' ? this.#strangers.enter(address) : this.#others.enter(undefined);
  }
}

/** Those elsewhere, however many addresses they have, take nothing of what this machine has. */
class RoomsApart {
  readonly #elsewhere: Room;
  readonly #here: Room;

  constructor(max: number, maxOfAddress: number) {
    this.#elsewhere = new Room(max, maxOfAddress);
    this.#here = new Room(max, max);
  }

  enter(address: string | undefined): Disposable | undefined {
    return (address === undefined ? this.#here : this.#elsewhere).enter(address);
  }
}

class Room {
  readonly #max: number;
  readonly #maxOfAddress: number;
  readonly #insideByAddress = new Map<string, number>();
  #inside = 0;

  constructor(max: number, maxOfAddress: number) {
    this.#max = max;
    this.#maxOfAddress = maxOfAddress;
  }

  /** `address` undefined: not counted by address. */
  enter(address: string | undefined): Disposable | undefined {
    if (this.#inside >= this.#max) return undefined;
    if (address !== undefined) {
      const ofAddress = this.#insideByAddress.get(address) ?? 0;
      if (ofAddress >= this.#maxOfAddress) return undefined;
      this.#insideByAddress.set(address, ofAddress + 1);
    }
    this.#inside += 1;
    return once(() => this.#leave(address));
  }

  #leave(address: string | undefined): void {
    this.#inside -= 1;
    if (address === undefined) return;
    const left = (this.#insideByAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#insideByAddress.delete(address);
    else this.#insideByAddress.set(address, left);
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
