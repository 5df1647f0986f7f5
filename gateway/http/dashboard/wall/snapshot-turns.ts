/** So many at a time, in the order in which they came; who gives up loses their turn. */
export class SnapshotTurns {
  readonly #atATime: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(atATime: number) {
    this.#atATime = atATime;
  }

  /** undefined: given up before its turn. */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    if (this.#running < this.#atATime) this.#running += 1;
    else if (!(await this.#waitForTurn(signal))) return undefined;
    try {
      return signal.aborted ? undefined : await work();
    } finally {
      this.#passOn();
    }
  }

  #waitForTurn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isTurn: boolean) => {
        signal.removeEventListener('abort', giveUp);
        resolve(isTurn);
      };
      const go = () => settle(true);
      const giveUp = () => {
        if (this.#waiting.delete(go)) settle(false);
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', giveUp);
    });
  }

  #passOn(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(first);
    first();
  }
}
