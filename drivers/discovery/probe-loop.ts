/**
 * When to ask: a burst on an interface seen for the first time or on request, then one round per
 * interval. Between rounds the list of interfaces is compared with the sockets open.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Alarm } from './alarm.ts';

const JITTER_MS = 150;
/** How soon a new interface or address is noticed. Costs 60 µs on a PC, with four devices. */
const RESCAN_MS = 1000;

export interface ProbeLoopOptions {
  readonly intervalMs: number;
  /** Waits before each round of a burst. */
  readonly burstPausesMs: readonly number[];
  /** Opens what appeared, closes what went; whatever can be asked then calls `burst`. */
  readonly rescan: () => void;
  readonly probe: () => void;
}

export class ProbeLoop {
  readonly #options: ProbeLoopOptions;
  readonly #alarm = new Alarm();
  #isBurstWanted = false;

  constructor(options: ProbeLoopOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#alarm.ring();
    signal.addEventListener('abort', wake, { once: true });
    const { intervalMs, burstPausesMs, rescan } = this.#options;
    let nextProbeAtMs = performance.now() + intervalMs;
    try {
      while (!signal.aborted) {
        rescan();
        if (this.#isBurstWanted || performance.now() >= nextProbeAtMs) {
          await this.#rounds(this.#isBurstWanted ? burstPausesMs : [0], signal);
          nextProbeAtMs = performance.now() + intervalMs;
        }
        const untilProbeMs = Math.max(0, nextProbeAtMs - performance.now());
        // A burst asked for during the last one has rung the alarm already.
        if (!signal.aborted && !this.#isBurstWanted)
          await this.#alarm.wait(Math.min(RESCAN_MS, untilProbeMs));
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  /** Asks again now, instead of at the end of the interval. One that has not begun yet serves all who want it. */
  burst(): void {
    this.#isBurstWanted = true;
    this.#alarm.ring();
  }

  async #rounds(pausesMs: readonly number[], signal: AbortSignal): Promise<void> {
    for (const [round, pauseMs] of pausesMs.entries()) {
      try {
        await sleep(pauseMs + Math.random() * JITTER_MS, undefined, { signal });
      } catch {
        return; // aborted
      }
      if (round === 0) this.#isBurstWanted = false;
      this.#options.probe();
    }
  }
}
