/** One stream as HLS while somebody asks for it: its segmenter, and those who wait for what it has not made yet. */
import { describeTrack, type TrackDescription } from '../../../codecs/describe-track.ts';
import type { Fragment } from '../../../codecs/mp4/fragment-writer.ts';
import type { Hub } from '../../hub/hub.ts';
import { EarlyReloads } from './early-reloads.ts';
import { LISTED_SEGMENTS } from './playlists.ts';
import type { Segment } from './segment.ts';
import { Segmenter } from './segmenter.ts';
import { ViewerCount } from './viewer-count.ts';

/** Kept behind the playlist: a player that read it a moment ago still finds what it lists (§6.2.2). */
const KEPT_SEGMENTS = LISTED_SEGMENTS + 2;

interface Waiter {
  readonly isMet: () => boolean;
  readonly settle: (met: boolean) => void;
}

export interface HlsStreamContext {
  readonly hub: Hub;
  /** ms since 1970. */
  readonly wallClock: () => number;
  /** Bytes were added. */
  readonly grown: () => void;
}

export class HlsStream implements Disposable {
  readonly name: string;
  readonly segmenter: Segmenter;
  readonly viewers: ViewerCount;
  readonly earlyReloads = new EarlyReloads();
  /** When somebody last asked; its owner's clock. */
  askedAtMs = 0;
  readonly #context: HlsStreamContext;
  readonly #waiters = new Set<Waiter>();
  #following: Disposable | undefined;
  #isOver = false;

  constructor(name: string, context: HlsStreamContext) {
    this.name = name;
    this.#context = context;
    this.viewers = new ViewerCount(context.hub, name);
    // Seconds: segments are longer, so those of a later segmenter have higher numbers.
    const firstNumber = Math.floor(context.wallClock() / 1000);
    this.segmenter = new Segmenter(firstNumber, context.wallClock, {
      changed: () => this.#changed(),
    });
  }

  start(): void {
    this.#following = this.#context.hub.follow(this.name, this.segmenter);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.viewers[Symbol.dispose]();
    this.#following?.[Symbol.dispose]();
    for (const { settle } of [...this.#waiters]) settle(false);
  }

  get byteLength(): number {
    return this.segmenter.segments.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** A playlist can be given: how long segments and parts are is known, and there is something to list. */
  get isReady(): boolean {
    const { targetDurationS, segments } = this.segmenter;
    return targetDurationS !== undefined && (segments[0]?.parts.length ?? 0) > 0;
  }

  /** The source is there, and what it sends now is in the playlist. */
  get isLive(): boolean {
    return this.isReady && this.segmenter.isFlowing;
  }

  /** Nothing will come: whoever waits is told at once. */
  get isHopeless(): boolean {
    const { isOnline, isRefused, segments } = this.segmenter;
    return this.#isOver || (segments.length === 0 && (!isOnline || isRefused));
  }

  /** Of the whole ones. */
  get newestSegment(): number | undefined {
    return this.segmenter.segments.findLast(({ isComplete }) => isComplete)?.number;
  }

  /** Of the picture. */
  get description(): TrackDescription | undefined {
    const track = this.#context.hub.get(this.name)?.tracks.find(({ kind }) => kind === 'video');
    return track && describeTrack(track);
  }

  segment(number: number): Segment | undefined {
    return this.segmenter.segments.find((segment) => segment.number === number);
  }

  part(segment: number, part: number): Fragment | undefined {
    return this.segment(segment)?.parts[part];
  }

  initialization(number: number): Uint8Array | undefined {
    const { segments } = this.segmenter;
    return segments.find(({ initialization }) => initialization.number === number)?.initialization
      .bytes;
  }

  /** Whether there is this segment, or with `part` this part of it, or what comes after. */
  hasReached(segment: number, part: number | undefined): boolean {
    const { nextPart } = this.segmenter;
    if (part !== undefined && nextPart.segment === segment && nextPart.part > part) return true;
    const { newestSegment } = this;
    return newestSegment !== undefined && newestSegment >= segment;
  }

  /** True as soon as it is met; false when the time is over, the viewer is gone, or nothing will come. */
  waitUntil(isMet: () => boolean, timeoutMs: number, gone: AbortSignal): Promise<boolean> {
    if (isMet()) return Promise.resolve(true);
    if (this.isHopeless || gone.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (met: boolean) => {
        clearTimeout(timer);
        gone.removeEventListener('abort', leave);
        this.#waiters.delete(waiter);
        resolve(met);
      };
      const leave = () => settle(false);
      const timer = setTimeout(leave, timeoutMs);
      const waiter = { isMet, settle };
      gone.addEventListener('abort', leave);
      this.#waiters.add(waiter);
    });
  }

  #changed(): void {
    const { segments } = this.segmenter;
    const open = segments.at(-1)?.isComplete === false ? 1 : 0;
    while (segments.length - open > KEPT_SEGMENTS) this.segmenter.dropOldest();
    this.#context.grown();
    for (const { isMet, settle } of [...this.#waiters]) {
      if (isMet()) settle(true);
      else if (this.isHopeless) settle(false);
    }
  }
}
