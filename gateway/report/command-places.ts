/** How many commands run at a time; a few more wait their turn: forty buttons pressed at once are no mistake. */

const MAX_RUNNING = 16;
/** More, for what must not wait: a camera that turns is to be stopped however much else is asked. */
const MAX_STOPS = 16;
/** Each may have 64 KiB of arguments. */
const MAX_WAITING = 128;

export class CommandPlaces {
  #running = 0;
  /** In the order in which they came; each is called once it has a place. */
  readonly #waiting = new Set<() => void>();

  /** Whoever gets a place leaves it again. False: too many wait, or `maxWaitMs` have passed (0: it is not to wait). */
  async take(isStop: boolean, maxWaitMs: number): Promise<boolean> {
    const places = isStop ? MAX_RUNNING + MAX_STOPS : MAX_RUNNING;
    if (this.#running < places) {
      this.#running += 1;
      return true;
    }
    if (maxWaitMs <= 0 || this.#waiting.size >= MAX_WAITING) return false;
    return await new Promise((resolve) => {
      const enter = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(enter);
        resolve(false);
      }, maxWaitMs);
      this.#waiting.add(enter);
    });
  }

  leave(): void {
    this.#running -= 1;
    if (this.#running >= MAX_RUNNING) return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#running += 1;
    next();
  }
}
