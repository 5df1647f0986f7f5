/**
 * What brokers ought to hold: one payload per topic. Each broker has an outlet (retained-outlet.ts) that brings it
 * there and knows what it may hold already, so that memory is bounded by the number of topics there are, however slow
 * or absent a broker is.
 */
import { RetainedOutlet } from './retained-outlet.ts';

export class RetainedSet {
  readonly #payloads = new Map<string, string>();
  readonly #outlets: RetainedOutlet[] = [];

  /** For one broker, for as long as this set is there. */
  openOutlet(): RetainedOutlet {
    const outlet = new RetainedOutlet(this.#payloads);
    this.#outlets.push(outlet);
    return outlet;
  }

  set(topic: string, payload: string): void {
    if (this.#payloads.get(topic) === payload) return;
    this.#payloads.set(topic, payload);
    for (const outlet of this.#outlets) outlet.change(topic);
  }

  remove(topic: string): void {
    if (!this.#payloads.delete(topic)) return;
    for (const outlet of this.#outlets) outlet.change(topic);
  }

  /** The same payload once more, to whoever missed it. */
  repeat(topic: string): void {
    for (const outlet of this.#outlets) outlet.repeat(topic);
  }

  /** Makes every broker forget what was told there by other ways than this set. */
  clear(topic: string): void {
    for (const outlet of this.#outlets) outlet.clear(topic);
  }

  /** Sends what is waiting now; resolves when every broker that is there has everything. */
  async flush(): Promise<void> {
    await Promise.all(this.#outlets.map((outlet) => outlet.flush()));
  }
}
