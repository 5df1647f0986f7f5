/**
 * How many watch a stream as HLS: players ask again and again, and say not that they are one. Whoever has asked lately
 * from one address with one program counts as one: behind a proxy that hides addresses, all do.
 */
import type { Hub } from '../../hub/hub.ts';
import type { Stream } from '../../hub/stream.ts';

/** Players ask once in a target duration, which is at most 10 s. */
const PRESENT_MS = 15_000;
/** More are not told apart: what is remembered of each is some hundred bytes. */
const MAX_REMEMBERED = 2_000;

export class ViewerCount implements Disposable {
  readonly #hub: Hub;
  readonly #name: string;
  readonly #askedAtMs = new Map<string, number>();
  #counted: Stream | undefined;
  #count = 0;

  constructor(hub: Hub, name: string) {
    this.#hub = hub;
    this.#name = name;
  }

  [Symbol.dispose](): void {
    this.#askedAtMs.clear();
    this.#tell();
  }

  /** `viewer`: what tells one from another. */
  asked(viewer: string, nowMs: number): void {
    if (this.#askedAtMs.size >= MAX_REMEMBERED && !this.#askedAtMs.has(viewer)) return;
    this.#askedAtMs.set(viewer, nowMs);
    this.#tell();
  }

  /** Every few seconds: those who ask no more are gone. */
  look(nowMs: number): void {
    for (const [viewer, atMs] of this.#askedAtMs) {
      if (nowMs - atMs > PRESENT_MS) this.#askedAtMs.delete(viewer);
    }
    this.#tell();
  }

  /** The stream of that name may be another one by now. */
  #tell(): void {
    const stream = this.#hub.get(this.#name);
    if (stream === this.#counted && this.#count === this.#askedAtMs.size) return;
    if (this.#counted !== undefined) this.#counted.viewers -= this.#count;
    this.#counted = stream;
    this.#count = this.#askedAtMs.size;
    if (stream !== undefined) stream.viewers += this.#count;
  }
}
