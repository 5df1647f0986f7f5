/**
 * Streams as HLS, by name: each begins with the first request for it and ends a while after the last. All segments
 * together have one budget: when it is spent, the oldest segment of all goes first.
 */
import type { Logger } from 'pino';
import type { Hub } from '../../hub/hub.ts';
import { HlsStream } from './hls-stream.ts';

/** A player that was paused for a while, or a phone in a pocket, still finds it going. */
const IDLE_MS = 60_000;
const LOOK_EVERY_MS = 5_000;

export interface HlsStreamsContext {
  readonly hub: Hub;
  readonly maxBytes: number;
  readonly log: Logger;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

export class HlsStreams {
  readonly #context: HlsStreamsContext;
  readonly #streams = new Map<string, HlsStream>();
  #timer: NodeJS.Timeout | undefined;

  constructor(context: HlsStreamsContext) {
    this.#context = context;
  }

  /** undefined: there is no such stream, or its source is away. `viewer`: what tells one who asks from another. */
  open(name: string, viewer: string): HlsStream | undefined {
    const stream = this.#streams.get(name) ?? this.#begin(name);
    if (stream === undefined) return undefined;
    stream.askedAtMs = this.#context.now();
    stream.viewers.asked(viewer, stream.askedAtMs);
    return stream;
  }

  stop(): void {
    for (const stream of [...this.#streams.values()]) this.#end(stream, 'the gateway stops');
  }

  #begin(name: string): HlsStream | undefined {
    const { hub, log, wallClock } = this.#context;
    if (hub.get(name)?.isOnline !== true) return undefined;
    const stream = new HlsStream(name, { hub, wallClock, grown: () => this.#keepToBudget() });
    this.#streams.set(name, stream);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
    log.info({ stream: name }, 'HLS begins: somebody asks for it');
    stream.start();
    return stream;
  }

  #end(stream: HlsStream, why: string): void {
    if (!this.#streams.delete(stream.name)) return;
    stream[Symbol.dispose]();
    this.#context.log.info({ stream: stream.name, why }, 'HLS ends');
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const nowMs = this.#context.now();
    for (const stream of [...this.#streams.values()]) {
      stream.viewers.look(nowMs);
      if (nowMs - stream.askedAtMs > IDLE_MS) this.#end(stream, 'nobody asks for it');
    }
  }

  #keepToBudget(): void {
    let byteLength = 0;
    for (const stream of this.#streams.values()) byteLength += stream.byteLength;
    while (byteLength > this.#context.maxBytes) {
      const oldest = this.#oldest();
      if (oldest === undefined) {
        this.#endLargest();
        return;
      }
      byteLength -= oldest.segmenter.segments[0]?.byteLength ?? 0;
      oldest.segmenter.dropOldest();
    }
  }

  /** The stream with the oldest whole segment; never the last whole one it has, by which its viewers live. */
  #oldest(): HlsStream | undefined {
    let oldest: HlsStream | undefined;
    for (const stream of this.#streams.values()) {
      const [first, second] = stream.segmenter.segments;
      if (first?.isComplete !== true || second?.isComplete !== true) continue;
      const oldestMs = oldest?.segmenter.segments[0]?.startedAtMs ?? Number.POSITIVE_INFINITY;
      if (first.startedAtMs < oldestMs) oldest = stream;
    }
    return oldest;
  }

  #endLargest(): void {
    const largest = [...this.#streams.values()].reduce((a, b) =>
      b.byteLength > a.byteLength ? b : a,
    );
    this.#context.log.warn(
      { stream: largest.name, maxBytes: this.#context.maxBytes },
      'HLS: the memory for segments (limits.hlsMaxBytes) does not hold one segment of each stream',
    );
    this.#end(largest, 'no memory');
  }
}
