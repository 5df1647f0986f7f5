/** A fault that repeats is one line when it begins and then one line a minute, with its count. */
import type { Logger } from 'pino';

const PERIOD_MS = 60_000;

/** More kinds of fault than a box has cameras and targets; the oldest is forgotten. */
const MAX_FAULTS = 512;

export type FaultLevel = 'error' | 'warn' | 'info' | 'debug';

interface Repeats {
  count: number;
  last: string;
  readonly level: FaultLevel;
  readonly fields: object;
  readonly timer: NodeJS.Timeout;
}

export class LogRepeats {
  readonly #log: Logger;
  readonly #faults = new Map<string, Repeats>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** `key` tells faults apart: what and where. `fields` are those of the first occurrence. */
  report(key: string, level: FaultLevel, fields: object, message: string): void {
    const fault = this.#faults.get(key);
    if (fault !== undefined) {
      fault.count += 1;
      fault.last = message;
      return;
    }
    this.#log[level](fields, message);
    this.#forgetOldest();
    const timer = setInterval(() => this.#period(key), PERIOD_MS);
    timer.unref();
    this.#faults.set(key, { count: 0, last: message, level, fields, timer });
  }

  /** Says what is still unsaid and stops the timers. */
  close(): void {
    for (const key of [...this.#faults.keys()]) this.#forget(key);
  }

  #period(key: string): void {
    const fault = this.#faults.get(key);
    if (fault === undefined) return;
    // A minute of quiet: the next occurrence is a new story.
    if (fault.count === 0) this.#forget(key);
    else this.#say(fault);
  }

  #say(fault: Repeats): void {
    if (fault.count === 0) return;
    this.#log[fault.level](
      { ...fault.fields, times: fault.count },
      `${fault.count} ${fault.count === 1 ? 'time' : 'times'}, last: ${fault.last}`,
    );
    fault.count = 0;
  }

  #forget(key: string): void {
    const fault = this.#faults.get(key);
    if (fault === undefined) return;
    clearInterval(fault.timer);
    this.#faults.delete(key);
    this.#say(fault);
  }

  #forgetOldest(): void {
    if (this.#faults.size < MAX_FAULTS) return;
    const oldest = this.#faults.keys().next().value;
    if (oldest !== undefined) this.#forget(oldest);
  }
}
