/**
 * Moves a head for as long as somebody holds a button or key: the move is asked for again and again, each time for a little longer than
 * until the next, so that it ends by itself when this page or its network is gone; let go of, it is stopped at once.
 */

/** How long a move lasts that is not asked for again. A bad uplink takes a second. */
const MOVE_MS = 2_000;
const REPEAT_MS = 800;
/** A stop that did not arrive is worth a second try. */
const STOP_TRIES = 2;

export interface PtzDirection {
  readonly pan: -1 | 0 | 1;
  readonly tilt: -1 | 0 | 1;
  readonly zoom: -1 | 0 | 1;
}

export interface PtzMoverContext {
  /** Asks the gateway: the arguments of the verb `ptz` but the name. */
  readonly ask: (args: Readonly<Record<string, unknown>>) => Promise<unknown>;
  readonly failed: (error: unknown) => void;
  /** Calls back again and again until what it returns is called. */
  readonly every: (ms: number, callback: () => void) => () => void;
}

export class PtzMover {
  /** 0 to 1. */
  speed = 0.5;
  readonly #context: PtzMoverContext;
  readonly #held = new Map<string, PtzDirection>();
  #isAsking = false;
  /** Another direction, while a move was being asked for. */
  #isStale = false;
  #endRepeating: (() => void) | undefined;

  constructor(context: PtzMoverContext) {
    this.#context = context;
  }

  get isMoving(): boolean {
    return this.#held.size > 0;
  }

  /** `by`: what is held, a button or a key; several may be. */
  hold(by: string, direction: PtzDirection): void {
    if (this.#held.has(by)) return;
    this.#held.set(by, direction);
    this.#move();
    this.#endRepeating ??= this.#context.every(REPEAT_MS, () => this.#repeat());
  }

  release(by: string): void {
    if (!this.#held.delete(by)) return;
    if (this.#held.size === 0) this.#stop();
    else this.#move();
  }

  /** The focus, the page or the finger went elsewhere. */
  releaseAll(): void {
    if (this.#held.size === 0) return;
    this.#held.clear();
    this.#stop();
  }

  #repeat(): void {
    if (!this.#isAsking) this.#move();
  }

  #move(): void {
    if (this.#isAsking) {
      this.#isStale = true;
      return;
    }
    const { speed } = this;
    const sum = (axis: keyof PtzDirection) =>
      speed * Math.sign([...this.#held.values()].reduce((total, one) => total + one[axis], 0));
    const args = { pan: sum('pan'), tilt: sum('tilt'), zoom: sum('zoom'), timeoutMs: MOVE_MS };
    this.#isAsking = true;
    this.#isStale = false;
    this.#context.ask({ action: 'move', ...args }).then(
      () => this.#asked(),
      (error: unknown) => {
        this.#isAsking = false;
        // Who holds on does not ask again what was refused.
        this.#endRepeat();
        this.#context.failed(error);
      },
    );
  }

  #asked(): void {
    this.#isAsking = false;
    if (this.#isStale && this.isMoving) this.#move();
  }

  #stop(): void {
    this.#endRepeat();
    this.#isStale = false;
    void this.#askToStop();
  }

  async #askToStop(): Promise<void> {
    for (let left = STOP_TRIES; ; ) {
      try {
        await this.#context.ask({ action: 'stop' });
        return;
      } catch (error) {
        left -= 1;
        // Somebody moves it again.
        if (this.isMoving) return;
        if (left > 0) continue;
        this.#context.failed(error);
        return;
      }
    }
  }

  #endRepeat(): void {
    this.#endRepeating?.();
    this.#endRepeating = undefined;
  }
}
