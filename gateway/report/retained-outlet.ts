/**
 * Brings one broker to what it ought to hold. Changes go out after a short delay, the newest only, at most one message
 * per topic and `link.window` in all on their way; everything goes out again on every new link.
 */
import { type BrokerLink, RefusedError } from './broker-link.ts';

/** A flapping stream makes at most four messages a second per topic. */
const DELAY_MS = 250;
/** Somebody may have set the broker's access list right meanwhile. */
const REFUSED_MS = 60_000;
/** Of what an earlier life left at a broker; a broker that lists more than this is not ours alone. */
const MAX_TOLD = 20_000;

export class RetainedOutlet {
  readonly #payloads: ReadonlyMap<string, string>;
  /** What the broker may hold: only that is to be removed there. */
  readonly #told = new Set<string>();
  /** Differs from what the broker was told; empty without a link. */
  readonly #changed = new Set<string>();
  readonly #inFlight = new Set<string>();
  /** By the broker of this link. */
  readonly #refused = new Set<string>();
  #link: BrokerLink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #drained: (() => void)[] = [];

  constructor(payloads: ReadonlyMap<string, string>) {
    this.#payloads = payloads;
  }

  attach(link: BrokerLink): void {
    this.#link = link;
    this.#inFlight.clear();
    this.#changed.clear();
    for (const topic of this.#payloads.keys()) this.#changed.add(topic);
    for (const topic of this.#told) this.#changed.add(topic);
    this.#pump();
  }

  detach(): void {
    this.#link = undefined;
    this.#inFlight.clear();
    this.#changed.clear();
    this.#refused.clear();
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    this.#timer = undefined;
    this.#again = undefined;
    this.#settle();
  }

  /** The topic has another payload now, or none. */
  change(topic: string): void {
    if (this.#payloads.has(topic) || this.#told.has(topic)) this.#send(topic);
    else this.#changed.delete(topic);
  }

  /** Makes the broker forget a topic that is not in the set. */
  clear(topic: string): void {
    if (this.#payloads.has(topic) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(topic);
    this.#send(topic);
  }

  /** The same payload once more: somebody else has overwritten it. */
  repeat(topic: string): void {
    if (this.#payloads.has(topic)) this.#send(topic);
  }

  async flush(): Promise<void> {
    this.#pump();
    if (this.#isDrained()) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  #send(topic: string): void {
    if (this.#link === undefined) return;
    this.#changed.add(topic);
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#pump(), DELAY_MS);
    this.#timer.unref();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const link = this.#link;
    if (link === undefined) return;
    for (const topic of this.#changed) {
      if (this.#inFlight.size >= link.window) return;
      // A topic on its way stays; its acknowledgement pumps again.
      if (this.#inFlight.has(topic)) continue;
      this.#changed.delete(topic);
      this.#publish(link, topic);
    }
  }

  /** An empty payload makes the broker forget the topic (MQTT-3.3.1-6). */
  #publish(link: BrokerLink, topic: string): void {
    const payload = this.#payloads.get(topic) ?? '';
    this.#told.add(topic);
    this.#refused.delete(topic);
    this.#inFlight.add(topic);
    link.publish({ topic, payload, qos: 1, retain: true }, (error) => {
      // Of an earlier link: the new one has sent everything again.
      if (this.#link !== link) return;
      this.#inFlight.delete(topic);
      if (error) this.#sendLater(topic);
      else if (payload === '' && !this.#payloads.has(topic)) this.#told.delete(topic);
      if (!error || error instanceof RefusedError) this.#pump();
      this.#settle();
    });
  }

  /** Not at once: it would be refused again. Where the link is going, the next one sends everything. */
  #sendLater(topic: string): void {
    this.#refused.add(topic);
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      for (const refused of this.#refused) this.change(refused);
      this.#refused.clear();
    }, REFUSED_MS).unref();
  }

  #isDrained(): boolean {
    return this.#link === undefined || (this.#changed.size === 0 && this.#inFlight.size === 0);
  }

  #settle(): void {
    if (!this.#isDrained()) return;
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }
}
