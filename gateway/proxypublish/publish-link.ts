/**
 * One stream to one target: idle while the stream has no source, else one supervised RTMP session.
 * When the source goes away the session is held for a while, so that a short absence of the camera
 * does not end it at the master.
 */
import type { Logger } from 'pino';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import { type Cause, explain } from '../causes.ts';
import type { Stream } from '../hub/stream.ts';
import type { Board } from '../report/board.ts';
import type { CauseCode, PublishState, PublishStatus } from '../report/status.ts';
import { type SupervisedState, Supervisor, type SupervisorContext } from '../supervisor.ts';

/** How long an RTMP session outlives its source: a camera reboots in 30 to 60 s, a link blinks in 5. */
const HOLD_MS = 15_000;

/** What a publisher needs of a stream. */
export interface PublishSource {
  /** As they are now; none while the camera is away. */
  readonly tracks: readonly Track[];
  /** The gateways that it came through. */
  readonly via: readonly string[];
  subscribe(sink: StreamSink): Disposable;
}

/** One RTMP session at a time; the mirror image of a stream driver. */
export interface Publisher {
  run(source: PublishSource, signal: AbortSignal): Promise<void>;
  /** Set by the owner: the target has accepted the stream. */
  onPublishing: () => void;
  /** Set by the owner: `leftOut` is another. */
  onLeftOut: () => void;
  /** What of the stream the target does not get, and why. */
  readonly leftOut: readonly string[];
  readonly stats: PublisherStats;
}

export interface PublisherStats {
  readonly queueMs: number;
  readonly droppedGops: number;
  readonly droppedUnits: number;
  readonly bytes: number;
}

export interface PublishLinkOptions {
  /** The target's name in topics. */
  readonly target: string;
  /** The target's URL without secrets. */
  readonly targetUrl: string;
  /** False: a session that was lost is not opened again before the stream begins anew. */
  readonly keepAlive: boolean;
  readonly publisher: Publisher;
}

export interface PublishLinkContext extends SupervisorContext {
  readonly board: Board;
  readonly log: Logger;
  /** A target refused or was unreachable before it was ever reached. */
  readonly onConnectError: (reason: string) => void;
}

export class PublishLink {
  readonly #stream: Stream;
  readonly #options: PublishLinkOptions;
  readonly #context: PublishLinkContext;
  readonly #supervisor: Supervisor;
  #session: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #hold: NodeJS.Timeout | undefined;
  #expectation: Disposable | undefined;
  #wasPublishing = false;
  #since: string;
  #status: PublishStatus;

  constructor(stream: Stream, options: PublishLinkOptions, context: PublishLinkContext) {
    this.#stream = stream;
    this.#options = options;
    this.#context = context;
    this.#since = this.#iso(context.now());
    this.#status = this.#next('idle', 'no-source', 'Waiting for the camera.', 0, null);
    options.publisher.onPublishing = () => undefined;
    options.publisher.onLeftOut = () => this.#tellLeftOut();
    this.#supervisor = new Supervisor(
      {
        run: (signal, up) => this.#run(signal, up),
        explain: (error) => this.#explain(error),
        changed: (state) => this.#changed(state),
      },
      context,
    );
  }

  open(): void {
    this.#tell(this.#status);
    this.#stream.on('online', this.#onOnline);
    this.#stream.on('offline', this.#onOffline);
    if (this.#stream.isOnline) this.#onOnline();
  }

  /** Unpublishes cleanly; resolves when nothing is left. */
  async close(): Promise<void> {
    this.#stream.off('online', this.#onOnline);
    this.#stream.off('offline', this.#onOffline);
    clearTimeout(this.#hold);
    this.#endSession();
    await this.#running;
    this.#context.board.removePublish(this.#stream.name, this.#options.target);
  }

  /** Brings the counters on the board up to date. */
  tellStats(): void {
    const { state, code, reason, attempts, nextRetryAt } = this.#status;
    this.#status = this.#next(state, code, reason, attempts, nextRetryAt);
    this.#context.board.setPublish(this.#stream.name, this.#options.target, this.#status, 'stats');
  }

  readonly #onOnline = (): void => {
    clearTimeout(this.#hold);
    if (this.#session !== undefined) return;
    const session = new AbortController();
    this.#session = session;
    this.#expect();
    this.#running = this.#running.then(() => this.#supervisor.run(session.signal));
  };

  readonly #onOffline = (): void => {
    clearTimeout(this.#hold);
    this.#hold = setTimeout(() => {
      this.#endSession();
      this.#tell(this.#next('idle', 'no-source', 'The camera is gone; waiting for it.', 0, null));
    }, HOLD_MS);
  };

  #endSession(): void {
    this.#session?.abort(new Error('the stream has ended'));
    this.#session = undefined;
    this.#expectation?.[Symbol.dispose]();
    this.#expectation = undefined;
  }

  async #run(signal: AbortSignal, up: () => void): Promise<void> {
    const { publisher } = this.#options;
    publisher.onPublishing = up;
    const stream = this.#stream;
    const source = {
      get tracks() {
        return stream.tracks;
      },
      get via() {
        return stream.via;
      },
      subscribe: (sink: StreamSink) => this.#subscribe(sink),
    };
    await publisher.run(source, signal);
  }

  #subscribe(sink: StreamSink): Disposable {
    const subscription = this.#stream.subscribe(sink);
    // Subscribed: the cache has done its work until the next time the session is lost.
    this.#expectation?.[Symbol.dispose]();
    this.#expectation = undefined;
    return subscription;
  }

  #explain(error: unknown): Cause {
    const cause = explain(error, `The master ${this.#options.targetUrl}`, 'master');
    this.#context.log.debug({ err: error, code: cause.code }, 'publish attempt ended');
    return cause;
  }

  #changed(state: SupervisedState): void {
    switch (state.at) {
      case 'connecting':
        if (state.attempts === 0) {
          this.#tell(this.#next('connecting', 'starting', 'Connecting to the master.', 0, null));
        } else {
          this.#tell({ ...this.#status, nextRetryAt: null });
        }
        return;
      case 'up':
        this.#wasPublishing = true;
        this.#tellPublishing();
        this.#event('publishing', `${this.#stream.name} is being published.`);
        return;
      case 'waiting':
        if (this.#wasPublishing && !this.#options.keepAlive && !isOnTheWay(state.cause)) {
          this.#endSession();
          this.#tell(
            this.#next(
              'idle',
              state.cause.code,
              `${state.cause.reason} keepAlive is false: not connecting again before the camera begins anew.`,
              state.attempts,
              null,
            ),
          );
          return;
        }
        this.#expect();
        this.#failed(state.cause, state.attempts, this.#iso(state.retryAtMs));
    }
  }

  #tellPublishing(): void {
    const { leftOut } = this.#options.publisher;
    const all = 'The master takes the stream.';
    const reason = leftOut.length === 0 ? all : `${all} Left out: ${leftOut.join(', ')}.`;
    this.#context.log.info(leftOut.length === 0 ? {} : { leftOut }, 'publishing');
    this.#tell(this.#next('publishing', 'ok', reason, 0, null));
  }

  /** The camera's tracks have changed while the session goes on. */
  #tellLeftOut(): void {
    if (this.#status.state === 'publishing') this.#tellPublishing();
  }

  #failed(cause: Cause, attempts: number, nextRetryAt: string): void {
    const changed = this.#status.code !== cause.code;
    const state = isRefusal(cause.code) ? 'refused' : 'waiting';
    this.#tell(this.#next(state, cause.code, cause.reason, attempts, nextRetryAt));
    if (changed) {
      this.#context.log.warn({ code: cause.code, reason: cause.reason }, 'not publishing');
      this.#event('not-publishing', cause.reason);
    }
    if (!this.#wasPublishing && !isOnTheWay(cause)) this.#context.onConnectError(cause.reason);
  }

  #expect(): void {
    this.#expectation ??= this.#stream.expectSubscriber();
  }

  #next(
    state: PublishState,
    code: CauseCode,
    reason: string,
    attempts: number,
    nextRetryAt: string | null,
  ): PublishStatus {
    if (this.#status !== undefined && this.#status.state !== state) {
      this.#since = this.#iso(this.#context.now());
    }
    const { queueMs, droppedGops, droppedUnits, bytes } = this.#options.publisher.stats;
    const { targetUrl: target } = this.#options;
    const since = this.#since;
    return {
      state,
      code,
      reason,
      target,
      queueMs,
      droppedGops,
      droppedUnits,
      bytes,
      since,
      attempts,
      nextRetryAt,
    };
  }

  #tell(status: PublishStatus): void {
    this.#status = status;
    this.#context.board.setPublish(this.#stream.name, this.#options.target, status, 'status');
  }

  #event(type: string, message: string): void {
    this.#context.board.emit('event', {
      at: this.#iso(this.#context.now()),
      type,
      stream: this.#stream.name,
      target: this.#options.target,
      message,
    });
  }

  #iso(ms: number): string {
    return new Date(ms).toISOString();
  }
}

/** The session is not lost: it is begun anew in another way. */
function isOnTheWay({ patience }: Cause): boolean {
  return patience === 'other-way';
}

/** The master answered, and said no. */
function isRefusal(code: CauseCode): boolean {
  return [
    'name-taken',
    'loop',
    'auth',
    'no-credentials',
    'codec',
    'not-found',
    'rejected',
    'busy',
  ].includes(code);
}
