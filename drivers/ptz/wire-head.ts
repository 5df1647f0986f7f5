/**
 * A head that is told everything in packets: what the interface asks, in the head's language, over its link.
 *
 * Such heads move until they are told to stop. So whoever asks for a move leaves a timer here, which his giving up does not end;
 * a stop that did not get through is tried again, and sent when the line is there again.
 */
import type { Logger } from 'pino';
import { ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import {
  type HeadLanguage,
  type HeadPosition,
  type HeadVelocity,
  STANDING,
} from '../../protocols/head-language.ts';
import { withTimeout } from '../with-timeout.ts';
import type { HeadLink } from './head-link.ts';
import type { PtzAbilities, PtzHead, PtzPreset } from './ptz-head.ts';

/** Whoever wants more asks again: it renews the time. */
const MAX_MOVE_MS = 5 * 60_000;
/** How soon it is noticed that a newer move was given up. */
const WAITING_MOVE_MS = 50;
/** A stop that does not get through is tried again, after twice as long each time. */
const FIRST_STOP_AGAIN_MS = 1_000;
const MAX_STOP_AGAIN_MS = 30_000;
/** About an hour: a network is mended by then, or somebody has stood before the head. */
const MAX_STOP_TRIES = 120;
/** The whole process has 2 s to end. */
const CLOSE_TIMEOUT_MS = 600;

export interface WireHeadOptions {
  /** For people, in errors and the log. */
  readonly name: string;
  readonly language: HeadLanguage;
  readonly link: HeadLink;
  readonly log: Logger;
  /** Where it is not the language's. */
  readonly protocol?: string;
}

export class WireHead implements PtzHead {
  readonly #name: string;
  readonly #language: HeadLanguage;
  readonly #link: HeadLink;
  readonly #log: Logger;
  readonly #abilities: PtzAbilities;
  /** It was told to move, and has not been stopped since. */
  #isMoving = false;
  #velocity = STANDING;
  /** Asked for, and not sent or given up yet. */
  #waitingMoves = 0;
  /** How many moves have begun. */
  #moves = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The stop under way, unless a motion was asked for after it. */
  #stopping: Promise<void> | undefined;
  #isClosed = false;

  constructor({ name, language, link, log, protocol }: WireHeadOptions) {
    this.#name = name;
    this.#language = language;
    this.#link = link;
    this.#log = log;
    this.#abilities = {
      protocol: protocol ?? language.protocol,
      absolute: language.hasAbsolute,
      home: true,
      listsPresets: false,
    };
  }

  async abilities(): Promise<PtzAbilities> {
    return this.#abilities;
  }

  async move(velocity: HeadVelocity, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const pan = within(velocity.pan, -1, 1);
    const tilt = within(velocity.tilt, -1, 1);
    const zoom = within(velocity.zoom, -1, 1);
    if (pan === 0 && tilt === 0 && zoom === 0) return await this.stop(signal);
    const forMs = within(timeoutMs, 0, MAX_MOVE_MS);
    this.#stopping = undefined;
    const packets = this.#language.move({ pan, tilt, zoom }, this.#velocity);
    const onSend = () => this.#moveBegins({ pan, tilt, zoom }, forMs);
    this.#waitingMoves += 1;
    try {
      await this.#link.send({ kind: 'motion', packets, onSend }, signal);
    } finally {
      this.#waitingMoves -= 1;
    }
  }

  async stop(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // Not the caller's to give up: whoever wanted it to stop still does.
    await this.#stop();
  }

  async moveTo(position: HeadPosition, signal: AbortSignal): Promise<void> {
    const wanted = {
      pan: optional(position.pan, -1),
      tilt: optional(position.tilt, -1),
      zoom: optional(position.zoom, 0),
    };
    const inquiry = this.#language.positionInquiry(wanted);
    const reply = inquiry === undefined ? undefined : await this.#link.ask(inquiry, signal);
    await this.#travel(this.#language.moveTo(wanted, reply), signal);
  }

  async home(signal: AbortSignal): Promise<void> {
    await this.#travel(this.#language.home(), signal);
  }

  async presets(): Promise<readonly PtzPreset[]> {
    throw new UnsupportedError(
      `${this.#name} cannot list its presets: they are numbers from ${this.#presetRange}`,
    );
  }

  async goToPreset(token: string, signal: AbortSignal): Promise<void> {
    await this.#travel(this.#language.goToPreset(this.#presetNumber(token)), signal);
  }

  async setPreset(
    { token }: { token?: string | undefined; name?: string | undefined },
    signal: AbortSignal,
  ): Promise<string> {
    if (token === undefined) {
      throw new UnsupportedError(
        `${this.#name} gives presets no tokens: name one, a number from ${this.#presetRange}`,
      );
    }
    const packets = this.#language.setPreset(this.#presetNumber(token));
    await this.#link.send({ kind: 'other', packets }, signal);
    return token;
  }

  async removePreset(token: string, signal: AbortSignal): Promise<void> {
    const packets = this.#language.removePreset(this.#presetNumber(token));
    await this.#link.send({ kind: 'other', packets }, signal);
  }

  /** The line is there: what was left moving is stopped now. `isForgotten`: it may have been, in an earlier life of ours. */
  comeBack(isForgotten: boolean): void {
    if (this.#isMoving || isForgotten) this.#stopByItself(1);
  }

  /** For the end: it is stopped where it moves, or what can be done for that within a bounded time. */
  async close(): Promise<void> {
    if (this.#isMoving) {
      await withTimeout(this.#stop(), CLOSE_TIMEOUT_MS).catch((err: unknown) => {
        this.#log.warn({ err, head: this.#name }, 'a head is left moving');
      });
    }
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#link.close?.();
  }

  get #presetRange(): string {
    return `${this.#language.firstPreset} to ${this.#language.lastPreset}`;
  }

  #presetNumber(token: string): number {
    const { firstPreset, lastPreset } = this.#language;
    const number = /^\d{1,3}$/.test(token) ? Number(token) : Number.NaN;
    if (number >= firstPreset && number <= lastPreset) return number;
    throw new ProtocolError(
      'PTZ_NO_SUCH_PRESET',
      `expected a preset from ${this.#presetRange}, got ${JSON.stringify(token)}`,
    );
  }

  /** To a place of its own, where it stops by itself. A move that is under way ends before. */
  async #travel(packets: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#isMoving) await this.#stop();
    this.#stopping = undefined;
    await this.#link.send({ kind: 'motion', packets }, signal);
  }

  #moveBegins(velocity: HeadVelocity, forMs: number): void {
    this.#isMoving = true;
    this.#velocity = velocity;
    this.#moves += 1;
    this.#endsIn(forMs);
  }

  #endsIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      // A stop would take the place of a newer move that waits for its turn, and has a time of its own.
      if (this.#waitingMoves > 0) this.#endsIn(WAITING_MOVE_MS);
      else this.#stopByItself(1);
    }, ms);
  }

  #stop(): Promise<void> {
    if (this.#stopping !== undefined) return this.#stopping;
    const stopping = this.#sendStop().finally(() => {
      if (this.#stopping === stopping) this.#stopping = undefined;
    });
    this.#stopping = stopping;
    return stopping;
  }

  async #sendStop(): Promise<void> {
    let stopped = 0;
    const onSend = () => {
      stopped = this.#moves;
    };
    await this.#link.send({ kind: 'stop', packets: this.#language.stop(), onSend });
    // A move may have been sent before this is heard of.
    if (stopped !== this.#moves) return;
    this.#isMoving = false;
    this.#velocity = STANDING;
    clearTimeout(this.#timer);
  }

  #stopByItself(attempt: number): void {
    clearTimeout(this.#timer);
    this.#stop().catch((err: unknown) => {
      if (!this.#isMoving || this.#isClosed) return;
      const isLast = attempt === MAX_STOP_TRIES;
      if (attempt === 1 || isLast) {
        this.#log.warn({ err, head: this.#name, isLast }, 'a head is left moving');
      }
      if (isLast) return;
      const waitMs = Math.min(MAX_STOP_AGAIN_MS, FIRST_STOP_AGAIN_MS * 2 ** (attempt - 1));
      this.#timer = setTimeout(() => this.#stopByItself(attempt + 1), waitMs);
    });
  }
}

/** What is no number is 0, and stands still. */
function within(value: number, min: number, max: number): number {
  return Number.isNaN(value) ? 0 : Math.min(max, Math.max(min, value));
}

function optional(value: number | undefined, min: number): number | undefined {
  return value === undefined ? undefined : within(value, min, 1);
}
