/** A publisher under test: its source is the test itself, its end can be awaited. */
import { pino } from 'pino';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import { RtmpPublisher, type RtmpPublisherOptions } from '../../gateway/proxypublish/publisher.ts';

export class Publishing {
  readonly publisher: RtmpPublisher;
  readonly abort = new AbortController();
  /** Resolves when the master has accepted the stream, rejects when the session ends before that. */
  readonly accepted: Promise<void>;
  /** undefined when it returned, else what it threw. */
  readonly ended: Promise<unknown>;
  sink: StreamSink | undefined;
  #tracks: readonly Track[];
  readonly #via: readonly string[];

  constructor(
    options: Partial<RtmpPublisherOptions> & Pick<RtmpPublisherOptions, 'targetUri'>,
    tracks: readonly Track[],
    /** The gateways that the stream came through, this one last. */
    way: readonly string[] = [],
  ) {
    this.#tracks = tracks;
    this.#via = way.slice(0, -1);
    this.publisher = new RtmpPublisher(
      { targetStreamName: 'cam', ...options },
      { log: pino({ level: 'silent' }), now: () => performance.now(), gatewayId: way.at(-1) },
    );
    const accepted = new Promise<void>((resolve) => {
      this.publisher.onPublishing = resolve;
    });
    const run = this.#run();
    this.ended = run.then(
      () => undefined,
      (error: unknown) => error,
    );
    this.accepted = Promise.race([
      accepted,
      run.then(() => Promise.reject(new Error('it ended without publishing'))),
    ]);
    this.accepted.catch(() => undefined); // a test may look at `ended` only
  }

  write(unit: AccessUnit): void {
    this.sink?.write(unit);
  }

  /** Another attempt of the same publisher; what it ends with. */
  again(): Promise<unknown> {
    this.sink = undefined;
    return this.#run().then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  /** Ends the session as the owner would; nothing may have gone wrong. */
  async stop(): Promise<void> {
    this.abort.abort(new Error('the test is over'));
    const error = await this.ended;
    if (error !== undefined) throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort.abort(new Error('the test is over'));
    await this.ended;
  }

  #run(): Promise<void> {
    const subscribe = (sink: StreamSink) => this.#subscribe(sink);
    return this.publisher.run(
      { tracks: this.#tracks, via: this.#via, subscribe },
      this.abort.signal,
    );
  }

  #subscribe(sink: StreamSink): Disposable {
    this.sink = sink;
    sink.start(this.#tracks);
    return {
      [Symbol.dispose]: () => {
        this.sink = undefined;
      },
    };
  }
}
