/**
 * Plays one stream in a video element and keeps at it: connection → tags → access units → fragmented MP4 → browser. What it shows and why
 * not is one signal, `state`.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { codecName } from '../../../../codecs/codec-name.ts';
import { UnsupportedError } from '../../../../codecs/errors.ts';
import { FlvDemuxer } from '../../../../codecs/flv/flv-demuxer.ts';
import type { Track } from '../../../../codecs/track.ts';
import { pause } from '../pause.ts';
import { AppendQueue } from './append-queue.ts';
import { readFlv } from './flv-connection.ts';
import { LiveRemuxer } from './live-remuxer.ts';
import { appendAll, mediaSourceConstructor } from './media-sink.ts';
import { hlsAddress } from './play-address.ts';
import { type PlayCause, PlayFailure, retryAfterMs } from './play-failure.ts';
import { PlaybackPolicy } from './playback-policy.ts';

/** The picture stands still for so long: begin anew. Cameras with a picture every few seconds exist. */
const STUCK_MS = 12_000;
const LOOK_EVERY_MS = 1_000;
/** It has played for so long: what failed before is forgotten. */
const GOOD_MS = 5_000;
const HLS_TYPE = 'application/vnd.apple.mpegurl';

export type PlayerState =
  | { readonly at: 'idle' }
  | { readonly at: 'connecting' }
  | {
      readonly at: 'playing';
      readonly hasVideo: boolean;
      readonly hasAudio: boolean;
      readonly leftOut: readonly Track['codec'][];
    }
  | { readonly at: 'failed'; readonly code: PlayCause; readonly detail: string }
  /** Not tried again: neither will change by itself. */
  | { readonly at: 'undecodable'; readonly codec: string }
  | { readonly at: 'no-player' };

/** There is no decoder for it: the browser's or ours. */
class Undecodable extends Error {}

export class LivePlayer {
  readonly #state = signal<PlayerState>({ at: 'idle' });
  readonly #video: HTMLVideoElement;
  readonly #url: string;
  #running: AbortController | undefined;

  constructor(video: HTMLVideoElement, url: string) {
    this.#video = video;
    this.#url = url;
  }

  get state(): ReadonlySignal<PlayerState> {
    return this.#state;
  }

  /** Does nothing while it plays. */
  start(): void {
    if (this.#running !== undefined) return;
    const running = new AbortController();
    this.#running = running;
    void this.#run(running.signal);
  }

  /** The last picture stays. */
  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#video.pause();
    this.#state.value = { at: 'idle' };
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      // While it tries again the words say why.
      if (failures === 0) this.#state.value = { at: 'connecting' };
      const beganMs = performance.now();
      try {
        await this.#attempt(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Undecodable) {
          this.#state.value = { at: 'undecodable', codec: error.message };
          return;
        }
        const wasGood = this.#state.value.at === 'playing' && performance.now() - beganMs > GOOD_MS;
        failures = wasGood ? 1 : failures + 1;
        const { code, message } = failureOf(error);
        this.#state.value = { at: 'failed', code, detail: message };
        await pause(retryAfterMs(code, failures), signal);
      }
    }
  }

  async #attempt(outer: AbortSignal): Promise<void> {
    const attempt = new AbortController();
    const { signal } = attempt;
    const options = { signal };
    outer.addEventListener('abort', () => attempt.abort(outer.reason), options);
    const video = this.#video;
    video.addEventListener('error', () => attempt.abort(decodingFailure(video)), options);
    const watch = watchProgress(video, () => attempt.abort(new PlayFailure('stuck', '')));
    try {
      await this.#play(signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearInterval(watch);
      attempt.abort();
    }
  }

  async #play(signal: AbortSignal): Promise<void> {
    const Source = mediaSourceConstructor();
    if (Source === undefined) return this.#playNatively(signal);
    const video = this.#video;
    const queue = new AppendQueue(signal);
    const policy = new PlaybackPolicy(() => performance.now());
    const options = { signal };
    let isPlaying = false;
    video.addEventListener(
      'playing',
      () => {
        isPlaying = true;
      },
      options,
    );
    video.addEventListener(
      'waiting',
      () => {
        if (isPlaying && !video.seeking) policy.stalled();
      },
      options,
    );
    const { promise: refused, reject: refuse } = rejectable();
    const remuxer = new LiveRemuxer((type) => Source.isTypeSupported(type), {
      initialized: (initialization) => {
        queue.pushInit(initialization);
        const { kinds, leftOut } = initialization;
        const hasVideo = kinds !== 'audio';
        const hasAudio = kinds !== 'video';
        this.#showsWhenPlaying({ at: 'playing', hasVideo, hasAudio, leftOut }, signal);
      },
      fragment: (pieces) => queue.pushMedia(pieces),
      refused: (codec) => refuse(new Undecodable(codecName({ codec }))),
    });
    const demuxer = new FlvDemuxer(remuxer, () => performance.now());
    const context = {
      fetch: (input: string | URL | Request, init?: RequestInit) =>
        fetch(input, { ...init, cache: 'no-store' }),
      drained: () => queue.drained(),
    };
    const reading = readFlv(
      this.#url,
      (type, timestampMs, body) => {
        try {
          return demuxer.push(type, timestampMs, body);
        } catch (error) {
          // A codec that even we do not know.
          throw error instanceof UnsupportedError ? new Undecodable(error.message) : error;
        }
      },
      signal,
      context,
    );
    await Promise.race([reading, appendAll(video, Source, queue, policy, signal), refused]);
  }

  /** Low latency is the browser's own affair there. */
  async #playNatively(signal: AbortSignal): Promise<void> {
    const video = this.#video;
    const address = hlsAddress(this.#url);
    if (address === undefined || video.canPlayType(HLS_TYPE) === '') {
      this.#state.value = { at: 'no-player' };
      return;
    }
    video.src = address;
    const playing: PlayerState = { at: 'playing', hasVideo: true, hasAudio: true, leftOut: [] };
    this.#showsWhenPlaying(playing, signal);
    await video.play().catch(() => undefined);
    await new Promise<never>((_, reject) => {
      const options = { signal };
      video.addEventListener('ended', () => reject(new PlayFailure('ended', '')), options);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  }

  #showsWhenPlaying(playing: PlayerState, signal: AbortSignal): void {
    if (this.#state.value.at === 'playing') this.#state.value = playing;
    else {
      const shown = () => {
        this.#state.value = playing;
      };
      this.#video.addEventListener('playing', shown, { once: true, signal });
    }
  }
}

function rejectable(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  // Whoever does not wait for it any more need not hear of it.
  promise.catch(() => undefined);
  return { promise, reject };
}

function failureOf(error: unknown): PlayFailure {
  if (error instanceof PlayFailure) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new PlayFailure('damaged', detail);
}

function decodingFailure({ error }: HTMLVideoElement): PlayFailure {
  return new PlayFailure('damaged', error?.message ?? '');
}

function watchProgress(video: HTMLVideoElement, stuck: () => void): ReturnType<typeof setInterval> {
  let lastS = video.currentTime;
  let movedMs = performance.now();
  return setInterval(() => {
    const now = performance.now();
    // Before it has anything the connection's own watch is enough.
    if (video.currentTime !== lastS || video.paused) movedMs = now;
    lastS = video.currentTime;
    if (now - movedMs > STUCK_MS) stuck();
  }, LOOK_EVERY_MS);
}
