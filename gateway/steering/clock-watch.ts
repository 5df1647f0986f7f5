/**
 * A camera's clock, looked at when its stream comes online, and then once an hour while it is: what is wrong is told, and where
 * that is wanted, set right. Never more often than once an hour, however often the stream comes and goes.
 */
import timers from 'node:timers/promises';
import type { Logger } from 'pino';
import type { CameraControls } from '../../drivers/camera/camera-controls.ts';
import { explain } from '../causes.ts';
import { bounded } from './bounded.ts';
import { clockWords } from './clock-words.ts';

/** People do not mind less; ONVIF tells whole seconds, and logins begin to fail at about 5. */
const WRONG_MS = 5_000;
const PERIOD_MS = 60 * 60_000;
/** Our own clock is not set yet: a box without a battery waits for NTP after its start. */
const UNSURE_MS = 60_000;
const TIMEOUT_MS = 10_000;
const CONSEQUENCE = 'The times in its pictures and its own recordings are wrong.';

export interface ClockWatchOptions {
  readonly controls: Pick<CameraControls, 'clock' | 'setClock'>;
  readonly who: string;
  readonly setsClock: boolean;
}

export interface ClockWatchContext {
  readonly log: Logger;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  /** False while our own clock is known to be not set yet. */
  readonly isOwnClockRight: () => Promise<boolean>;
  /** The note has changed. */
  readonly changed: () => void;
  readonly event: (type: string, message: string) => void;
}

export class ClockWatch {
  readonly #options: ClockWatchOptions;
  readonly #context: ClockWatchContext;
  #note: string | undefined;
  #nextAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ClockWatchOptions, context: ClockWatchContext) {
    this.#options = options;
    this.#context = context;
  }

  /** What is wrong with the clock. */
  get note(): string | undefined {
    return this.#note;
  }

  /** Never rejects; returns when `signal` has aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { now } = this.#context;
    while (!signal.aborted) {
      const waitMs = this.#nextAtMs - now();
      if (waitMs > 0) await timers.setTimeout(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const isSure = await this.#context.isOwnClockRight();
      this.#nextAtMs = now() + (isSure ? PERIOD_MS : UNSURE_MS);
      if (isSure) await this.#look(signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const offsetMs = await this.#offsetMs(signal);
    if (offsetMs === undefined) return;
    const words = clockWords(offsetMs);
    if (!isWrong(offsetMs)) this.#setNote(undefined);
    else if (this.#options.setsClock) await this.#setRight(words, signal);
    else {
      this.#setNote(
        `${words} ${CONSEQUENCE} Set discovery.setClock to true, or give the camera an NTP server.`,
      );
    }
  }

  async #setRight(words: string, signal: AbortSignal): Promise<void> {
    const { controls, who } = this.#options;
    try {
      await bounded(signal, TIMEOUT_MS, (each) => controls.setClock(each));
    } catch (error) {
      if (!signal.aborted) this.#notSet(words, explain(error, who, 'camera').reason);
      return;
    }
    const afterMs = await this.#offsetMs(signal);
    if (afterMs === undefined) return;
    if (isWrong(afterMs)) {
      this.#notSet(words, `${who} took the time, and says otherwise now.`);
      return;
    }
    this.#setNote(undefined);
    this.#context.event('clock-set', `${who}: ${words} It has been set.`);
  }

  #notSet(words: string, why: string): void {
    const { who } = this.#options;
    this.#setNote(`${words} ${CONSEQUENCE} It could not be set: ${why}`);
    this.#context.event('clock-not-set', `${who}: ${words} It could not be set: ${why}`);
  }

  /** undefined: it cannot be learnt now. */
  async #offsetMs(signal: AbortSignal): Promise<number | undefined> {
    try {
      const { controls } = this.#options;
      return (await bounded(signal, TIMEOUT_MS, (each) => controls.clock(each))).offsetMs;
    } catch (err) {
      if (!signal.aborted) this.#context.log.debug({ err }, 'a camera does not tell its time');
      return undefined;
    }
  }

  #setNote(note: string | undefined): void {
    if (note === this.#note) return;
    this.#note = note;
    this.#context.changed();
  }
}

function isWrong(offsetMs: number): boolean {
  return Math.abs(offsetMs) > WRONG_MS;
}
