/**
 * What the broker ought to hold: one payload per topic. Changes go out after a short delay, the
 * newest only, at most one message per topic and `link.window` in all on their way; the whole set
 * goes out again on every new link. So memory is bounded by the number of topics, however slow or
 * absent the broker is.
 */
import type { BrokerLink } from './broker-link.ts';

/** A flapping stream makes at most four messages a second per topic. */
const DELAY_MS = 250;

interface Entry {
  /** Empty: the broker is to forget the topic, and so are we once it has. */
  payload: string;
  isInFlight: boolean;
}

export class RetainedSet {
  readonly #entries = new Map<string, Entry>();
  readonly #dirty = new Set<string>();
  #link: BrokerLink | undefined;
  #inFlight = 0;
  #timer: NodeJS.Timeout | undefined;
  #drained: (() => void)[] = [];

  set(topic: string, payload: string): void {
    const entry = this.#entries.get(topic);
    if (entry?.payload === payload) return;
    if (entry === undefined) this.#entries.set(topic, { payload, isInFlight: false });
    else entry.payload = payload;
    this.#dirty.add(topic);
    this.#schedule();
  }

  remove(topic: string): void {
    if (this.#entries.has(topic)) this.set(topic, '');
  }

  /** Makes the broker forget a topic that an earlier life of this gateway left there. */
  clearForeign(topic: string): void {
    if (!this.#entries.has(topic)) this.set(topic, '');
  }

  /** The same payload once more: somebody else has overwritten it. */
  repeat(topic: string): void {
    if (!this.#entries.has(topic)) return;
    this.#dirty.add(topic);
    this.#schedule();
  }

  attach(link: BrokerLink): void {
    this.#link = link;
    this.#inFlight = 0;
    this.#dirty.clear();
    for (const [topic, entry] of this.#entries) {
      entry.isInFlight = false;
      this.#dirty.add(topic);
    }
    this.#pump();
  }

  detach(): void {
    this.#link = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#settle();
  }

  /** Sends what is waiting now; resolves when the broker has everything, or there is none. */
  async flush(): Promise<void> {
    this.#pump();
    if (this.#isDrained()) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  #schedule(): void {
    if (this.#link === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#pump(), DELAY_MS);
    this.#timer.unref();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const link = this.#link;
    if (link === undefined) return;
    for (const topic of this.#dirty) {
      if (this.#inFlight >= link.window) return;
      const entry = this.#entries.get(topic);
      // A topic on its way stays dirty; its acknowledgement pumps again.
      if (entry === undefined || entry.isInFlight) continue;
      this.#dirty.delete(topic);
      this.#send(link, topic, entry);
    }
  }

  #send(link: BrokerLink, topic: string, entry: Entry): void {
    const { payload } = entry;
    entry.isInFlight = true;
    this.#inFlight += 1;
    link.publish({ topic, payload, qos: 1, retain: true }, (error) => {
      // Of an earlier link: the new one has sent everything again.
      if (this.#link !== link) return;
      entry.isInFlight = false;
      this.#inFlight -= 1;
      if (error) this.#dirty.add(topic);
      else if (payload === '' && entry.payload === '') this.#entries.delete(topic);
      // An error means that the link is going: the next link sends it.
      if (!error) this.#pump();
      this.#settle();
    });
  }

  #isDrained(): boolean {
    return this.#link === undefined || (this.#dirty.size === 0 && this.#inFlight === 0);
  }

  #settle(): void {
    if (!this.#isDrained()) return;
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }
}
