/**
 * Run, wait, run again: the only retry loop in the repository. The first connect is an attempt
 * like any other, so start order never matters. How long to wait depends on the cause.
 */
import timers from 'node:timers/promises';
import type { AttemptBudget } from './attempt-budget.ts';
import type { Cause, Patience } from './causes.ts';
import { linkAbort } from './linked-abort.ts';

interface Waits {
  readonly firstMs: number;
  /** How much longer each further wait is. */
  readonly factor: number;
  readonly maxMs: number;
}

/** First wait and longest wait for each kind of failure. */
export const WAITS: Record<Patience, Waits> = {
  // The network comes back within seconds to minutes; half a minute is the most a return may take.
  normal: { firstMs: 1_000, factor: 2, maxMs: 30_000 },
  // The next attempt is made in another way: no reason to wait, but none to do it in a tight loop either.
  'other-way': { firstMs: 500, factor: 2, maxMs: 10_000 },
  // It is we who listen: whoever sends while we wait is not heard.
  listening: { firstMs: 500, factor: 1, maxMs: 500 },
  // A master that still holds our old session lets go after its idle time, often 15 to 60 s.
  taken: { firstMs: 5_000, factor: 2, maxMs: 30_000 },
  // Cameras lock accounts after a handful of wrong logins: after the third, ten minutes.
  login: { firstMs: 30_000, factor: 4.5, maxMs: 600_000 },
  // Only a change at the far side helps; look again now and then.
  rare: { firstMs: 15_000, factor: 2, maxMs: 300_000 },
};

/** After this long up, the next failure is a new story: waits start small again. */
const STABLE_MS = 60_000;

export type SupervisedState =
  | { readonly at: 'connecting'; readonly attempts: number }
  | { readonly at: 'up' }
  | {
      readonly at: 'waiting';
      readonly cause: Cause;
      readonly attempts: number;
      readonly retryAtMs: number;
    };

export interface Supervised {
  /** One attempt. Calls `up()` when it has succeeded; settles when it is over. */
  run(signal: AbortSignal, up: () => void): Promise<void>;
  explain(error: unknown): Cause;
  changed(state: SupervisedState): void;
}

export interface SupervisorContext {
  readonly budget: AttemptBudget;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

export class Supervisor {
  readonly #task: Supervised;
  readonly #context: SupervisorContext;
  #attempts = 0;
  #wake: AbortController | undefined;
  /** Asked for while an attempt was under way: the wait after it is left out. */
  #isWoken = false;

  constructor(task: Supervised, context: SupervisorContext) {
    this.#task = task;
    this.#context = context;
  }

  /** Never throws; returns once `signal` has aborted and the last attempt has settled. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const cause = await this.#attempt(signal);
      if (signal.aborted || cause === undefined) return;
      await this.#wait(cause, signal);
    }
  }

  /** Ends a wait early, or leaves out the next: the device was heard of again, or somebody asked. */
  wake(): void {
    this.#attempts = 0;
    this.#isWoken = true;
    this.#wake?.abort();
  }

  async #attempt(signal: AbortSignal): Promise<Cause | undefined> {
    const { budget, now } = this.#context;
    let upSinceMs: number | undefined;
    this.#isWoken = false;
    using life = linkAbort(signal);
    try {
      await budget.take(signal);
      this.#task.changed({ at: 'connecting', attempts: this.#attempts });
      await this.#task.run(life.controller.signal, () => {
        if (upSinceMs !== undefined || signal.aborted) return;
        upSinceMs = now();
        this.#task.changed({ at: 'up' });
      });
      return signal.aborted ? undefined : this.#failed(undefined, upSinceMs);
    } catch (error) {
      return signal.aborted ? undefined : this.#failed(error, upSinceMs);
    }
  }

  #failed(error: unknown, upSinceMs: number | undefined): Cause {
    const wasStable = upSinceMs !== undefined && this.#context.now() - upSinceMs >= STABLE_MS;
    this.#attempts = wasStable ? 1 : this.#attempts + 1;
    return this.#task.explain(error);
  }

  async #wait(cause: Cause, signal: AbortSignal): Promise<void> {
    if (this.#isWoken) return;
    const heldMs = (cause.notBeforeMs ?? 0) - this.#context.now();
    const waitMs = Math.max(this.#waitMs(cause.patience), heldMs);
    this.#task.changed({
      at: 'waiting',
      cause,
      attempts: this.#attempts,
      retryAtMs: this.#context.now() + waitMs,
    });
    using life = linkAbort(signal);
    this.#wake = life.controller;
    try {
      await timers.setTimeout(waitMs, undefined, { signal: life.controller.signal });
    } catch {
      // Woken or stopped: the loop looks at `signal` itself.
    }
  }

  /** Grows up to the maximum, with the upper half random: forty cameras must not march in step. */
  #waitMs(patience: Patience): number {
    const { firstMs, factor, maxMs } = WAITS[patience];
    const full = Math.min(maxMs, firstMs * factor ** Math.min(this.#attempts - 1, 20));
    return full / 2 + (full / 2) * this.#context.random();
  }
}
