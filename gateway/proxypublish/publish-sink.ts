/**
 * The end of a stream that feeds one RTMP session: units go straight to the socket while it keeps
 * up, and through the queue while it does not.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { ProtocolError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import { MediaWriter, type MediaWriterOptions } from '../../protocols/rtmp/media-writer.ts';
import type { SessionAge } from './carriage.ts';
import type { SinkQueue } from './sink-queue.ts';

/** A master that reads nothing for so long is dead, or sits behind a firewall that forgot us. */
export const STALL_MS = 30_000;
/** A camera whose times go back does so all day. */
const TOLD_EVERY_MS = 60_000;

/** The part of a socket that is used here. */
export interface PublishSocket {
  readonly writableLength: number;
  write(bytes: Uint8Array, flushed?: () => void): boolean;
  cork(): void;
  uncork(): void;
}

export interface PublishCounters {
  bytes: number;
  unitsSent: number;
}

export interface PublishSinkContext {
  readonly counters: PublishCounters;
  /** Milliseconds on any clock. */
  readonly now: () => number;
  /** Times went backwards, so many units of the session by now; at most once a minute. */
  readonly onTimesBack: (clampedUnits: number) => void;
  /** The session cannot go on. */
  readonly onFailure: (error: unknown) => void;
}

export class PublishSink implements StreamSink {
  readonly #socket: PublishSocket;
  readonly #queue: SinkQueue;
  readonly #context: PublishSinkContext;
  readonly #writer: MediaWriter;
  /** When the socket last took everything, or began to hold something. */
  #progressAtMs = 0;
  #isWaiting = false;
  #isOver = false;
  #toldClampedUnits = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #firstVideoAtMs: number | undefined;
  #firstAudioAtMs: number | undefined;

  constructor(
    socket: PublishSocket,
    queue: SinkQueue,
    options: MediaWriterOptions,
    context: PublishSinkContext,
  ) {
    this.#socket = socket;
    this.#queue = queue;
    this.#context = context;
    this.#writer = new MediaWriter(options, {
      write: (bytes) => this.#writeOne(bytes),
      writeGathered: (parts) => this.#writeMany(parts),
    });
  }

  age(): SessionAge {
    const nowMs = this.#context.now();
    const since = (ms: number | undefined) => (ms === undefined ? undefined : nowMs - ms);
    return { videoMs: since(this.#firstVideoAtMs), audioMs: since(this.#firstAudioAtMs) };
  }

  start(tracks: readonly Track[]): void {
    this.#queue.restart(tracks.some((track) => track.kind === 'video'));
    this.#writer.start(tracks);
  }

  write(unit: AccessUnit): void {
    if (this.#isOver || !this.#queue.admit(unit)) return;
    if (!this.#queue.isEmpty) this.#drain();
    if (this.#queue.isEmpty && this.#socket.writableLength === 0) {
      this.#send(unit);
      return;
    }
    this.#queue.push(unit);
    this.#checkStall();
  }

  stop(): void {
    if (this.#isOver || this.#socket.writableLength > 0) return;
    this.#writer.flush();
  }

  /** Nothing is written from now on. */
  close(): void {
    this.#isOver = true;
  }

  #send(unit: AccessUnit): void {
    this.#context.counters.unitsSent += 1;
    if (unit.track.kind === 'video') this.#firstVideoAtMs ??= this.#context.now();
    else this.#firstAudioAtMs ??= this.#context.now();
    try {
      this.#writer.write(unit);
      if (this.#writer.clampedUnits !== this.#toldClampedUnits) this.#tellTimesBack();
    } catch (error) {
      // A track that cannot be described ends this session, never the source's.
      this.#isOver = true;
      this.#context.onFailure(error);
    }
  }

  #tellTimesBack(): void {
    const nowMs = this.#context.now();
    if (nowMs - this.#toldAtMs < TOLD_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    this.#toldClampedUnits = this.#writer.clampedUnits;
    this.#context.onTimesBack(this.#toldClampedUnits);
  }

  #writeOne(bytes: Uint8Array): boolean {
    this.#context.counters.bytes += bytes.length;
    this.#socket.write(bytes, this.#flushed);
    return this.#isHolding();
  }

  #writeMany(parts: readonly Uint8Array[]): boolean {
    const last = parts.length - 1;
    this.#socket.cork();
    for (const [index, part] of parts.entries()) {
      this.#context.counters.bytes += part.length;
      this.#socket.write(part, index === last ? this.#flushed : undefined);
    }
    this.#socket.uncork();
    return this.#isHolding();
  }

  #isHolding(): boolean {
    const isHolding = this.#socket.writableLength > 0;
    if (isHolding) this.#beginWaiting();
    return isHolding;
  }

  #beginWaiting(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#progressAtMs = this.#context.now();
  }

  /** One function for all writes. Called also for those that the kernel took at once. */
  readonly #flushed = (): void => {
    if (!this.#isWaiting || this.#isOver) return;
    this.#progressAtMs = this.#context.now();
    this.#drain();
    if (this.#queue.isEmpty && this.#socket.writableLength === 0) this.#isWaiting = false;
  };

  #drain(): void {
    while (this.#socket.writableLength === 0 && !this.#isOver) {
      const unit = this.#queue.shift();
      if (unit === undefined) return;
      this.#send(unit);
    }
  }

  #checkStall(): void {
    this.#beginWaiting(); // the socket may hold bytes of the dialogue only
    if (this.#context.now() - this.#progressAtMs < STALL_MS) return;
    this.#isOver = true;
    this.#context.onFailure(
      new ProtocolError('RTMP_STALLED', `nothing could be sent for ${STALL_MS / 1000} s`),
    );
  }
}
