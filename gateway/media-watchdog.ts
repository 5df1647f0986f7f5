/**
 * Whether one attempt at a source brings pictures: looked at once a second, by one timer for all. A source may be
 * silent, or send packets in which no picture can be begun.
 */
import { SilenceError } from './causes.ts';

/** A camera may take this long from connect to its first picture: lookup, login, SETUP, a long GOP. */
const FIRST_PICTURE_MS = 20_000;
/** So long without a keyframe is told: encoders are set to 1 to 4 s, "smart" ones go up to 10. */
export const NO_KEYFRAME_MS = 10_000;
/** So long, and a new session is worth a try: most cameras begin one with a keyframe. */
const KEYFRAME_PATIENCE_MS = 30_000;

/** Packets are coming when there was one so recently. */
const PACKETS_WITHIN_MS = 2_500;

/** What is looked at; counters only ever rise within an attempt. */
export interface MediaSigns {
  readonly units: number;
  readonly packets: number;
  /** Why no picture is handed on although packets arrive. */
  readonly awaits: 'parameter-sets' | 'keyframe' | undefined;
}

export type Verdict =
  | { readonly at: 'fine' }
  /** Told to people; the session goes on. */
  | { readonly at: 'no-keyframe'; readonly words: string }
  /** The session has to end. */
  | { readonly at: 'dead'; readonly error: SilenceError };

const FINE: Verdict = { at: 'fine' };

export class MediaWatchdog {
  readonly #who: string;
  readonly #stallMs: number;
  #beganAtMs = 0;
  #units = 0;
  #packets = 0;
  #lastPacketAtMs = Number.NEGATIVE_INFINITY;
  #hasMedia = false;
  #lastUnitAtMs = 0;
  /** Since when packets come in which nothing begins. */
  #awaitsSinceMs: number | undefined;

  /** `who` begins sentences: "The camera front-door". */
  constructor(who: string, stallMs: number) {
    this.#who = who;
    this.#stallMs = stallMs;
  }

  /** A new attempt; `units`: the stream's count so far. */
  begin(nowMs: number, units: number): void {
    this.#beganAtMs = nowMs;
    this.#units = units;
    this.#packets = 0;
    this.#lastPacketAtMs = Number.NEGATIVE_INFINITY;
    this.#hasMedia = false;
    this.#awaitsSinceMs = undefined;
  }

  look(nowMs: number, signs: MediaSigns): Verdict {
    if (signs.units !== this.#units) {
      this.#units = signs.units;
      this.#hasMedia = true;
      this.#lastUnitAtMs = nowMs;
    }
    if (signs.packets !== this.#packets) {
      this.#packets = signs.packets;
      this.#lastPacketAtMs = nowMs;
    }
    const arePacketsComing = nowMs - this.#lastPacketAtMs < PACKETS_WITHIN_MS;
    if (signs.awaits === undefined || !arePacketsComing) this.#awaitsSinceMs = undefined;
    else this.#awaitsSinceMs ??= nowMs;
    return this.#keyframe(nowMs, signs.awaits) ?? this.#silence(nowMs);
  }

  /** Undefined when no keyframe is waited for, or not for long. */
  #keyframe(nowMs: number, awaits: MediaSigns['awaits']): Verdict | undefined {
    if (awaits === undefined || this.#awaitsSinceMs === undefined) return undefined;
    const waitedMs = nowMs - this.#awaitsSinceMs;
    if (waitedMs < NO_KEYFRAME_MS) return FINE;
    const words = this.#keyframeWords(awaits);
    return waitedMs < KEYFRAME_PATIENCE_MS
      ? { at: 'no-keyframe', words: `${words} Still waiting.` }
      : { at: 'dead', error: new SilenceError('no-keyframe', `${words} Connecting anew.`) };
  }

  #keyframeWords(awaits: 'parameter-sets' | 'keyframe'): string {
    const seconds = NO_KEYFRAME_MS / 1000;
    return awaits === 'keyframe'
      ? `${this.#who} sends packets, but no keyframe for ${seconds} s: nothing can be decoded. Set the I-frame interval (GOP) of its encoder to 2 to 4 s, and switch "smart codec" off.`
      : `${this.#who} sends packets, but not the parameter sets (SPS, PPS) that a decoder must know, for ${seconds} s. Restart its encoder, or update its firmware.`;
  }

  #silence(nowMs: number): Verdict {
    if (!this.#hasMedia) {
      if (nowMs - this.#beganAtMs < Math.max(FIRST_PICTURE_MS, this.#stallMs)) return FINE;
      const words = `${this.#who} accepted the connection but sends no picture. Check that the stream is enabled in the camera; connecting anew.`;
      return { at: 'dead', error: new SilenceError('no-data', words) };
    }
    if (nowMs - this.#lastUnitAtMs < this.#stallMs) return FINE;
    const seconds = Math.round(this.#stallMs / 1000);
    const words = `${this.#who} is connected but has sent no picture for ${seconds} s. It may be rebooting or its network may be down; connecting anew.`;
    return { at: 'dead', error: new SilenceError('no-data', words) };
  }
}
