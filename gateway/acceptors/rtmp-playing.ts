/**
 * A player's stream at our RTMP server. A name that nobody publishes is waited for. When the source goes, the player is told only
 * after a while: ffmpeg and librtmp take the notice for the end of the stream, and most sources return before.
 */
import type { Socket } from 'node:net';
import type { ServerStream, StreamUse } from '../../protocols/rtmp/server-stream.ts';
import type { FanOut } from '../viewers/fan-out.ts';

/** As long as a link to a master outlives its source: an encoder restarts in less. */
const AWAY_MS = 15_000;

export interface RtmpPlayingContext {
  readonly fanOut: FanOut;
  /** Its source is there. */
  readonly isLive: () => boolean;
  readonly backlogBytes: () => number;
  readonly isEncrypted: boolean;
  /** As in RtmpTransport. */
  readonly socket: Socket | undefined;
  /** It takes too little, for too long: end its connection. */
  readonly tooSlow: (words: string) => void;
}

export class RtmpPlaying implements StreamUse {
  readonly #stream: ServerStream;
  /** As players and publishers know it here. */
  readonly #name: string;
  readonly #context: RtmpPlayingContext;
  #viewing: Disposable | undefined;
  #away: NodeJS.Timeout | undefined;
  /** A name that was never there is waited for, without a word. */
  #hasBegun = false;
  #isToldAway = false;

  constructor(stream: ServerStream, name: string, context: RtmpPlayingContext) {
    this.#stream = stream;
    this.#name = name;
    this.#context = context;
  }

  start(): void {
    this.#stream.begin();
    this.#stream.status('status', 'Play.Reset', `Playing and resetting ${this.#name}.`);
    this.#stream.status('status', 'Play.Start', `Started playing ${this.#name}.`);
    this.#join();
  }

  /** Players send none. */
  media(): void {}

  pause(isPaused: boolean): void {
    if (!isPaused) {
      this.#stream.status('status', 'Unpause.Notify', `Unpaused ${this.#name}.`);
      if (this.#viewing !== undefined) return;
      // It may have gone, or come back, while nobody listened.
      this.#sourceChanged(this.#context.isLive());
      this.#join();
      return;
    }
    this.#leave();
    this.#stream.status('status', 'Pause.Notify', `Paused ${this.#name}.`);
  }

  seek(): void {
    this.#stream.status('error', 'Seek.Failed', 'What is live has no other time than now.');
  }

  close(): void {
    this.#leave();
  }

  /** Begins with a keyframe. */
  #join(): void {
    const stream = this.#stream;
    const { fanOut, isLive, backlogBytes, isEncrypted, socket, tooSlow } = this.#context;
    const holdsCopies = isEncrypted || stream.id !== 1;
    if (isLive()) this.#hasBegun = true;
    this.#viewing = fanOut.join(this.#name, {
      get backlogBytes() {
        return backlogBytes();
      },
      holdsCopies,
      socket: holdsCopies ? undefined : socket,
      send: (bytes) => stream.send(bytes),
      sourceChanged: (isOnline) => this.#sourceChanged(isOnline),
      close: tooSlow,
    });
  }

  #leave(): void {
    clearTimeout(this.#away);
    this.#viewing?.[Symbol.dispose]();
    this.#viewing = undefined;
  }

  #sourceChanged(isOnline: boolean): void {
    clearTimeout(this.#away);
    if (!isOnline) {
      if (!this.#hasBegun || this.#isToldAway) return;
      this.#away = setTimeout(() => this.#tellAway(), AWAY_MS);
      return;
    }
    this.#hasBegun = true;
    if (this.#isToldAway) {
      this.#isToldAway = false;
      this.#stream.begin();
      this.#stream.status('status', 'Play.PublishNotify', `${this.#name} is now published.`);
    }
  }

  #tellAway(): void {
    this.#isToldAway = true;
    this.#stream.status('status', 'Play.UnpublishNotify', `${this.#name} is now unpublished.`);
    this.#stream.eof();
  }
}
