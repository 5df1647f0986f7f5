/**
 * One source of one stream: its driver under the supervisor, the media watchdog, and what people
 * are told about it.
 */
import type { Logger } from 'pino';
import { describeTrack } from '../codecs/describe-track.ts';
import type { StreamDriver } from '../drivers/driver.ts';
import { type Cause, explain, streamStateOf } from './causes.ts';
import { FirstUnitSink, hasVideo } from './first-unit-sink.ts';
import type { Stream } from './hub/stream.ts';
import { MediaWatchdog } from './media-watchdog.ts';
import type { Board } from './report/board.ts';
import type { StreamInfo, StreamStatus } from './report/status.ts';
import { StreamMeter } from './stream-meter.ts';
import { type SupervisedState, Supervisor, type SupervisorContext } from './supervisor.ts';

export interface StreamSourceOptions {
  readonly driver: StreamDriver;
  /** Where the source is, without secrets. */
  readonly sourceUrl: string;
  /** Begins sentences about it: "The camera 10.0.0.20:554". */
  readonly who: string;
  /** Silence after which a camera that was sending is called stalled and connected anew. */
  readonly stallMs: number;
  /** What the device says about itself, when it is known. */
  readonly describe?: () => Partial<StreamInfo>;
  readonly side?: SourceSide;
  /** Somebody knows more about why it does not work. */
  readonly amend?: (cause: Cause) => Cause;
}

/** What goes on beside the pictures for as long as they come. */
export interface SourceSide {
  begin(): void;
  end(): void;
  readonly info: Partial<StreamInfo>;
}

export interface StreamSourceContext extends SupervisorContext {
  readonly board: Board;
  readonly log: Logger;
}

export class StreamSource {
  readonly #stream: Stream;
  readonly #options: StreamSourceOptions;
  readonly #context: StreamSourceContext;
  readonly #supervisor: Supervisor;
  readonly #meter: StreamMeter;
  readonly #watchdog: MediaWatchdog;
  #attempt: AbortController | undefined;
  #sawMedia = false;
  #seenUnits = 0;
  #lastUnitAtMs: number | undefined;
  #status: StreamStatus;
  #reconnects = 0;
  #toldNotes = '';

  constructor(stream: Stream, options: StreamSourceOptions, context: StreamSourceContext) {
    this.#stream = stream;
    this.#options = options;
    this.#context = context;
    this.#meter = new StreamMeter(stream);
    this.#watchdog = new MediaWatchdog(options.who, options.stallMs);
    this.#supervisor = new Supervisor(
      {
        run: (signal, up) => this.#run(signal, up),
        explain: (error) => this.#explain(error),
        changed: (state) => this.#changed(state),
      },
      context,
    );
    this.#status = {
      state: 'connecting',
      code: 'starting',
      reason: `Connecting to ${options.sourceUrl}.`,
      since: this.#iso(context.now()),
      lastFrameAt: null,
      attempts: 0,
      nextRetryAt: null,
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#context.board.setStreamStatus(this.#stream.name, this.#status);
    this.tellInfo();
    this.#stream.on('tracks', this.tellInfo);
    await this.#supervisor.run(signal);
    this.#stream.off('tracks', this.tellInfo);
  }

  /** Drops the connection, if any, and connects anew at once. */
  restart(): void {
    this.#attempt?.abort(new Error('restart was asked for'));
    this.#supervisor.wake();
  }

  /**
   * Ends a wait early: the device was heard of. Does nothing while connected. One that has moved is not waited for where it
   * was: an address that nobody has any more keeps an attempt for ten seconds.
   */
  wake(hasMoved = false): void {
    if (hasMoved && !this.#sawMedia) this.#attempt?.abort(new Error('the device has moved'));
    this.#supervisor.wake();
  }

  /** Connected, and without a picture for so long. */
  isSilent(ms: number): boolean {
    const lastMs = this.#lastUnitAtMs ?? Number.NEGATIVE_INFINITY;
    return this.#attempt !== undefined && this.#context.now() - lastMs >= ms;
  }

  /** The media watchdog; called about once a second for every source by one timer. */
  tick(nowMs: number): void {
    const units = this.#units();
    if (units !== this.#seenUnits) {
      this.#seenUnits = units;
      this.#lastUnitAtMs = nowMs;
    }
    if (this.#attempt === undefined) return;
    const { receivedPackets: packets, awaits } = this.#options.driver.stats;
    const verdict = this.#watchdog.look(nowMs, { units, packets, awaits });
    switch (verdict.at) {
      case 'fine':
        if (this.#status.code === 'no-keyframe' && this.#sawMedia) this.#tellOnline();
        return;
      case 'no-keyframe':
        this.#tellNoKeyframe(verdict.words);
        return;
      case 'dead':
        this.#attempt.abort(verdict.error);
    }
  }

  /** Pictures, or sounds where there is no picture: sound alone must not hide that the picture is gone. */
  #units(): number {
    const { videoUnits, audioUnits } = this.#stream.counters;
    return hasVideo(this.#stream.tracks) ? videoUnits : videoUnits + audioUnits;
  }

  /** Called every `periodMs` by one timer for all. */
  tellStats(periodMs: number): void {
    // A note may come long after the start: a clock is only known to run slow after a minute.
    if (this.#options.driver.notes.join() !== this.#toldNotes) this.tellInfo();
    const { board } = this.#context;
    const { stats } = this.#options.driver;
    board.setStreamStats(this.#stream.name, {
      ...this.#meter.read(periodMs),
      lostPackets: stats.lostPackets,
      damagedUnits: stats.damagedUnits,
      jitterMs: stats.jitterMs,
      reconnects: this.#reconnects,
      viewers: this.#stream.viewers,
    });
    if (this.#lastUnitAtMs === undefined) return;
    const lastFrameAt = this.#iso(this.#lastUnitAtMs);
    this.#status = { ...this.#status, lastFrameAt };
    board.touchStream(this.#stream.name, lastFrameAt);
  }

  async #run(signal: AbortSignal, up: () => void): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#watchdog.begin(this.#context.now(), this.#units());
    this.#sawMedia = false;
    try {
      const sink = new FirstUnitSink(this.#stream, () => {
        this.#sawMedia = true;
        this.#lastUnitAtMs = this.#context.now();
        up();
      });
      await this.#options.driver.run(sink, AbortSignal.any([signal, attempt.signal]));
      attempt.signal.throwIfAborted();
    } catch (error) {
      throw attempt.signal.aborted ? attempt.signal.reason : error;
    } finally {
      this.#attempt = undefined;
      this.#options.side?.end();
      this.#stream.stop();
    }
  }

  #explain(error: unknown): Cause {
    const { who, amend } = this.#options;
    const explained = explain(error, who, 'camera');
    const cause = amend?.(explained) ?? explained;
    this.#context.log.debug({ err: error, code: cause.code }, 'attempt ended');
    return cause;
  }

  #changed(state: SupervisedState): void {
    switch (state.at) {
      case 'connecting':
        // While trying again people still see why it is down.
        if (this.#status.code !== 'starting' || state.attempts > 0) {
          this.#tell({ ...this.#status, nextRetryAt: null });
        }
        return;
      case 'up':
        this.#context.log.info({ transport: this.#options.driver.stats.transport }, 'online');
        this.tellInfo();
        this.#tellOnline();
        this.#options.side?.begin();
        return;
      case 'waiting': {
        const { cause, attempts, retryAtMs } = state;
        if (this.#status.state === 'online') this.#reconnects += 1;
        const changed = this.#status.code !== cause.code;
        const next = this.#next(
          streamStateOf(cause.code),
          cause.code,
          cause.reason,
          attempts,
          this.#iso(retryAtMs),
        );
        this.#tell(next);
        if (!changed) return;
        this.#context.log.warn({ code: cause.code, reason: cause.reason }, 'stream down');
        this.#event('down', cause.reason);
      }
    }
  }

  #tellOnline(): void {
    this.#tell(this.#next('online', 'ok', 'Pictures are arriving.', 0, null));
    this.#event('online', `${this.#stream.name} is online.`);
  }

  /** The session goes on: a keyframe may come yet. */
  #tellNoKeyframe(words: string): void {
    if (this.#status.code === 'no-keyframe') return;
    this.#tell(this.#next('stalled', 'no-keyframe', words, this.#status.attempts, null));
    this.#context.log.warn({ code: 'no-keyframe', reason: words }, 'stream down');
    this.#event('down', words);
  }

  #next(
    state: StreamStatus['state'],
    code: StreamStatus['code'],
    reason: string,
    attempts: number,
    nextRetryAt: string | null,
  ): StreamStatus {
    const since =
      state === this.#status.state ? this.#status.since : this.#iso(this.#context.now());
    const lastFrameAt = this.#lastUnitAtMs === undefined ? null : this.#iso(this.#lastUnitAtMs);
    return { state, code, reason, since, lastFrameAt, attempts, nextRetryAt };
  }

  #tell(status: StreamStatus): void {
    this.#status = status;
    this.#context.board.setStreamStatus(this.#stream.name, status);
  }

  /** Something that it says has changed. */
  readonly tellInfo = (): void => {
    const { driver, side } = this.#options;
    const { transport } = driver.stats;
    this.#toldNotes = driver.notes.join();
    const { notes: sideNotes = [], ...sideInfo } = side?.info ?? {};
    const notes = [...driver.notes, ...sideNotes];
    this.#context.board.setStreamInfo(this.#stream.name, {
      ...this.#options.describe?.(),
      ...sideInfo,
      source: this.#options.sourceUrl,
      ...(transport === undefined ? {} : { transport }),
      ...(notes.length === 0 ? {} : { notes }),
      tracks: this.#stream.tracks.map(describeTrack),
    });
  };

  #event(type: string, message: string): void {
    const at = this.#iso(this.#context.now());
    this.#context.board.emit('event', { at, type, stream: this.#stream.name, message });
  }

  #iso(ms: number): string {
    return new Date(ms).toISOString();
  }
}
