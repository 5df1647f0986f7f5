/**
 * A signal that many wait on at once, following one that lives longer: nothing stays behind at that one, as it would
 * with `AbortSignal.any`, and Node does not take the many for a leak.
 */
import { setMaxListeners } from 'node:events';

export class ManyWaits implements Disposable {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  readonly #follow = () => this.#controller.abort(this.#parent.reason);

  constructor(parent: AbortSignal) {
    this.#parent = parent;
    setMaxListeners(0, this.#controller.signal);
    if (parent.aborted) this.#follow();
    else parent.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#parent.removeEventListener('abort', this.#follow);
  }
}
