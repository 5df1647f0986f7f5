/**
 * What was received and not yet taken by the browser. Whoever fills it waits while it is full (`drained`), so that a browser that does
 * not keep up holds back the connection, and the gateway drops whole GOPs for it.
 */
import { concat } from '../../../../codecs/bytes.ts';
import type { Initialization } from './live-remuxer.ts';

/** More is not read: four seconds of a camera with 16 Mbit/s. */
const FULL_BYTES = 8 * 1024 * 1024;
/** Handed over at once: the browser parses it in one go. */
const MAX_APPEND_BYTES = 1024 * 1024;

export type AppendItem =
  | { readonly kind: 'init'; readonly initialization: Initialization }
  | { readonly kind: 'media'; readonly bytes: Uint8Array };

export class AppendQueue {
  #items: AppendItem[] = [];
  #byteLength = 0;
  readonly #signal: AbortSignal;
  #waiting: (() => void)[] = [];

  /** `signal`: ends all waiting. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#changed(), { once: true });
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  pushInit(initialization: Initialization): void {
    this.#push({ kind: 'init', initialization }, initialization.bytes.length);
  }

  pushMedia(pieces: readonly Uint8Array[]): void {
    for (const bytes of pieces) this.#push({ kind: 'media', bytes }, bytes.length);
  }

  /** The next initialization, or as much of what follows as is to be appended at once. */
  async next(): Promise<AppendItem> {
    for (;;) {
      this.#signal.throwIfAborted();
      const item = this.#take();
      if (item !== undefined) return item;
      await this.#change();
    }
  }

  /** Until there is room again. */
  async drained(): Promise<void> {
    while (this.#byteLength >= FULL_BYTES && !this.#signal.aborted) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #push(item: AppendItem, byteLength: number): void {
    this.#items.push(item);
    this.#byteLength += byteLength;
    this.#changed();
  }

  #take(): AppendItem | undefined {
    const [first] = this.#items;
    if (first === undefined) return undefined;
    if (first.kind === 'init') {
      this.#drop(1, first.initialization.bytes.length);
      return first;
    }
    const taken: Uint8Array[] = [];
    let byteLength = 0;
    for (const item of this.#items) {
      if (item.kind === 'init') break;
      if (taken.length > 0 && byteLength + item.bytes.length > MAX_APPEND_BYTES) break;
      taken.push(item.bytes);
      byteLength += item.bytes.length;
    }
    this.#drop(taken.length, byteLength);
    return { kind: 'media', bytes: concat(...taken) };
  }

  #drop(count: number, byteLength: number): void {
    this.#items = this.#items.slice(count);
    this.#byteLength -= byteLength;
    this.#changed();
  }
}
