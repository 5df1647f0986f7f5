/**
 * One serial line, open for as long as the device is there. When it vanishes (a USB adapter that is unplugged) it is opened again
 * as soon as it is back; what is asked meanwhile fails at once.
 */
import timers from 'node:timers/promises';
import type { Logger } from 'pino';
import { ProtocolError } from '../../codecs/errors.ts';
import { TimeoutError, withTimeout } from '../with-timeout.ts';
import { explainLine, SerialLineError, type SerialLineState } from './line-state.ts';
import { type OpenedPort, type OpenPort, openPort } from './open-port.ts';
import { enableRs485 } from './rs485.ts';

/** A device that is there opens within milliseconds. */
const OPEN_TIMEOUT_MS = 5_000;
/** The kernel takes 4 KiB at once; a line that takes nothing for so long is stopped by a flow control that we did not ask for. */
const WRITE_TIMEOUT_MS = 2_000;
/** Heads that move are stopped, each in less than 100 ms; the whole process has 2 s to end. */
const CLOSING_TIMEOUT_MS = 700;
/** Closing may wait for bytes that are still to be sent. */
const CLOSE_TIMEOUT_MS = 500;
/** How late it is noticed that a device has gone which nobody writes to. */
const WATCH_MS = 2_000;
/** Looking for a device costs nothing; a person who plugs it in again looks at it. */
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 5_000;
/** After this long open, the next failure is a new story. */
const STABLE_MS = 10_000;
/** Start bit, 8 data bits, stop bit. */
const BITS_PER_BYTE = 10;

export interface SerialLineOptions {
  readonly path: string;
  readonly baudRate: number;
  /** The kernel is to switch the line's direction. */
  readonly rs485: boolean;
}

export interface SerialLineContext {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Switches a UART to RS-485; throws where it cannot. Left out: by the native addon. */
  readonly enableRs485?: (descriptor: number) => void;
  /** Left out: real ones. */
  readonly openPort?: OpenPort;
}

export interface SerialLineOwner {
  /** Valid during the call. Must not throw. */
  bytes(bytes: Uint8Array): void;
  /** It can be written to: the first time, and again after each loss. */
  opened?(): void;
  /** It cannot any more. */
  lost?(error: Error): void;
  /** The last that is written, before it is closed for good. Bounds itself. */
  closing?(): Promise<void>;
  changed?(state: SerialLineState): void;
}

export class SerialLine {
  readonly #options: SerialLineOptions;
  readonly #context: SerialLineContext;
  readonly #owner: SerialLineOwner;
  #port: OpenedPort | undefined;
  /** Ends what is open. */
  #end: ((error: Error) => void) | undefined;
  #state: SerialLineState = { code: 'starting', reason: 'It has not been opened yet.' };
  #sinceMs: number;

  constructor(options: SerialLineOptions, owner: SerialLineOwner, context: SerialLineContext) {
    this.#options = options;
    this.#owner = owner;
    this.#context = context;
    this.#sinceMs = context.now();
  }

  get state(): SerialLineState & { readonly sinceMs: number } {
    return { ...this.#state, sinceMs: this.#sinceMs };
  }

  /** How long bytes take to leave. */
  transmissionMs(bytes: number): number {
    return Math.ceil((bytes * BITS_PER_BYTE * 1000) / this.#options.baudRate);
  }

  /** Never rejects; when it returns `signal` has aborted and nothing is open. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const openForMs = await this.#session(signal);
      failures = openForMs >= STABLE_MS ? 1 : failures + 1;
      await this.#wait(failures, signal);
    }
    this.#change({ code: 'stopped', reason: 'The gateway does not use it any more.' });
  }

  /** Throws, with the reason, while it is not open. */
  assertOpen(): void {
    if (this.#port === undefined) throw new ProtocolError('SERIAL_LINE_DOWN', this.#state.reason);
  }

  /** Settles when the kernel has taken the bytes; they are on the line for `transmissionMs` yet. One write at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    this.assertOpen();
    try {
      await withTimeout(this.#port?.write(bytes), WRITE_TIMEOUT_MS);
    } catch (cause) {
      const code = cause instanceof TimeoutError ? 'stuck' : 'lost';
      const error = new SerialLineError(code, messageOf(cause));
      // Whoever asked need not wait for the port's own event.
      this.#end?.(error);
      throw new ProtocolError('SERIAL_LINE_DOWN', explainLine(error, this.#options.path).reason);
    }
  }

  /** From opening to loss, or to the end; returns for how long it was open. Never rejects. */
  async #session(signal: AbortSignal): Promise<number> {
    const life = new AbortController();
    const stop = () => life.abort(signal.reason);
    signal.addEventListener('abort', stop);
    this.#end = (error) => life.abort(error);
    let port: OpenedPort | undefined;
    let openedAtMs: number | undefined;
    try {
      port = await this.#open();
      openedAtMs = this.#context.now();
      if (this.#options.rs485) this.#switchToRs485(port);
      this.#port = port;
      this.#change({ code: 'ok', reason: '' });
      this.#owner.opened?.();
      await watch(port, life.signal);
      if (!signal.aborted) throw life.signal.reason;
      await withTimeout(this.#owner.closing?.(), CLOSING_TIMEOUT_MS).catch(() => undefined);
    } catch (error) {
      if (!signal.aborted) this.#failed(error, openedAtMs !== undefined);
    } finally {
      signal.removeEventListener('abort', stop);
      this.#port = undefined;
      this.#end = undefined;
      await withTimeout(port?.close(), CLOSE_TIMEOUT_MS).catch(() => undefined);
    }
    return openedAtMs === undefined ? 0 : this.#context.now() - openedAtMs;
  }

  async #open(): Promise<OpenedPort> {
    const { path, baudRate } = this.#options;
    const open = this.#context.openPort ?? openPort;
    const opening = open({
      path,
      baudRate,
      onBytes: (bytes) => this.#owner.bytes(bytes),
      onGone: (error) => this.#end?.(error),
    });
    try {
      return await withTimeout(opening, OPEN_TIMEOUT_MS);
    } catch (error) {
      // It may open yet, when nobody waits for it any more.
      opening.then((port) => port.close()).catch(() => undefined);
      throw error;
    }
  }

  #switchToRs485(port: OpenedPort): void {
    const { log } = this.#context;
    const enable = this.#context.enableRs485 ?? enableRs485;
    const { path } = this.#options;
    try {
      enable(port.descriptor);
      log.info({ path }, 'the kernel switches the direction of this serial line');
    } catch (error) {
      log.warn(
        { path, reason: messageOf(error) },
        'the kernel does not switch the direction of this serial line: it works only where the adapter does',
      );
    }
  }

  #failed(error: unknown, wasOpen: boolean): void {
    const isKnown = error instanceof SerialLineError || !wasOpen;
    const cause = isKnown ? error : new SerialLineError('lost', messageOf(error));
    const state = explainLine(cause, this.#options.path);
    this.#port = undefined;
    this.#change(state);
    if (wasOpen) this.#owner.lost?.(new ProtocolError('SERIAL_LINE_DOWN', state.reason));
  }

  #change(state: SerialLineState): void {
    const { code, reason } = state;
    if (code === this.#state.code && reason === this.#state.reason) return;
    this.#state = state;
    this.#sinceMs = this.#context.now();
    const { log } = this.#context;
    const fields = { path: this.#options.path, code, reason };
    if (code === 'ok' || code === 'stopped') log.info(fields, 'serial line');
    else log.warn(fields, 'serial line');
    this.#owner.changed?.(state);
  }

  async #wait(failures: number, signal: AbortSignal): Promise<void> {
    const full = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10));
    const waitMs = full / 2 + (full / 2) * this.#context.random();
    // Aborted: the loop looks at `signal` itself.
    await timers.setTimeout(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Returns when `signal` aborts; rejects when the device has gone without an event. */
async function watch(port: OpenedPort, signal: AbortSignal): Promise<void> {
  for (;;) {
    await timers.setTimeout(WATCH_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await withTimeout(port.isThere(), WATCH_MS);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
