/** A camera's snapshot for any number of people: one request at a time, and its answer holds for a second. */

import { linkAbort } from './linked-abort.ts';

/** A camera that works on a picture for longer has something else to do. */
const TIMEOUT_MS = 5_000;
const HOLDS_MS = 1_000;

export type TakeSnapshot = (signal: AbortSignal) => Promise<Uint8Array>;

export class SharedSnapshot {
  readonly #take: TakeSnapshot;
  readonly #stopping: AbortSignal;
  #last: Promise<Uint8Array> | undefined;

  constructor(take: TakeSnapshot, stopping: AbortSignal) {
    this.#take = take;
    this.#stopping = stopping;
  }

  /** A failure is shared as well: a camera in trouble is not asked by everybody. */
  get(): Promise<Uint8Array> {
    this.#last ??= this.#begin();
    return this.#last;
  }

  async #begin(): Promise<Uint8Array> {
    using link = linkAbort(this.#stopping);
    const { controller } = link;
    const tooLong = new DOMException('the camera gave no picture in time', 'TimeoutError');
    const timer = setTimeout(() => controller.abort(tooLong), TIMEOUT_MS);
    try {
      return await this.#take(controller.signal);
    } finally {
      clearTimeout(timer);
      setTimeout(() => {
        this.#last = undefined;
      }, HOLDS_MS).unref();
    }
  }
}
