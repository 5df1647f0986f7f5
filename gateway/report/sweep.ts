/** Once in a life: retained state of streams, targets and devices that are no more is removed from a broker. */
import type { BrokerLink } from './broker-link.ts';

/** Long enough after the start for discovery to have met again what it knew before. */
const AFTER_MS = 60_000;
const FOR_MS = 5_000;

export class Sweep {
  readonly #filters: readonly string[];
  readonly #afterMs: number;
  #at: 'before' | 'due' | 'running' | 'done' = 'before';
  #link: BrokerLink | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(filters: readonly string[], afterMs = AFTER_MS) {
    this.#filters = filters;
    this.#afterMs = afterMs;
  }

  /** What the broker lists now is what an earlier life left there. */
  get isRunning(): boolean {
    return this.#at === 'running';
  }

  attach(link: BrokerLink): void {
    this.#link = link;
    if (this.#at === 'due') this.#begin(link);
    if (this.#at !== 'before' || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#at = 'due';
      if (this.#link !== undefined) this.#begin(this.#link);
    }, this.#afterMs);
    this.#timer.unref();
  }

  /** One that was cut short begins again. */
  detach(): void {
    this.#link = undefined;
    if (this.#at !== 'running') return;
    this.#at = 'due';
    clearTimeout(this.#timer);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #begin(link: BrokerLink): void {
    this.#at = 'running';
    for (const filter of this.#filters) link.subscribe(filter, true);
    this.#timer = setTimeout(() => {
      for (const filter of this.#filters) link.unsubscribe(filter);
      this.#at = 'done';
    }, FOR_MS);
    this.#timer.unref();
  }
}
