/**
 * One extension and its way into the gateway. Every call of it is guarded: what it throws is told, and costs it what
 * the call was for. When it ends, whatever it had from here is taken back.
 */
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Publications } from '../acceptors/publications.ts';
import { PushAcceptor } from '../acceptors/push-acceptor.ts';
import type { PushConfig } from '../acceptors/push-connection.ts';
import { parsePushConfig } from '../config/push-config.ts';
import type { Hub } from '../hub/hub.ts';
import type { Stream } from '../hub/stream.ts';
import { CheckedSink } from './checked-sink.ts';
import type * as api from './extension-api.ts';

/** A stop of the whole service may take 2 s. */
const DEACTIVATE_MS = 500;

export interface ExtensionContext {
  readonly hub: Hub;
  readonly publications: Publications;
  readonly log: Logger;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  readonly gatewayId: string;
}

/** Says whose code runs: also in the timers, sockets and promises that it makes. */
export type RunningExtension = AsyncLocalStorage<ExtensionHost>;

/** What an extension has of a stream that it sees. */
interface SeenStream {
  readonly subscriptions: Set<() => void>;
  gone: (() => void) | undefined;
}

export class ExtensionHost implements api.Host {
  readonly apiVersion = 1;
  readonly gatewayId: string;
  readonly log: api.Log;
  readonly name: string;
  readonly #extension: api.Extension;
  readonly #context: ExtensionContext;
  readonly #running: RunningExtension;
  readonly #log: Logger;
  readonly #acceptors: PushAcceptor[] = [];
  readonly #sources = new Map<string, (source: api.Source) => api.Driver>();
  /** What is undone when it ends. */
  readonly #held = new Set<() => void>();
  #isEnded = false;

  constructor(extension: api.Extension, context: ExtensionContext, running: RunningExtension) {
    this.#extension = extension;
    this.#context = context;
    this.#running = running;
    this.name = extension.name;
    this.gatewayId = context.gatewayId;
    this.#log = context.log.child({ extension: extension.name });
    const say = (level: 'debug' | 'info' | 'warn' | 'error') => (words: string) =>
      this.#log[level](String(words));
    this.log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  }

  async activate(options: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#running.run(this, async () => await this.#extension.activate(this, options));
  }

  /** `failure`: what ended it. */
  async end(failure?: unknown): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (failure !== undefined) this.#tell(failure, 'has failed and is ended');
    for (const undo of [...this.#held]) undo();
    this.#held.clear();
    this.#sources.clear();
    await Promise.all(this.#acceptors.map((acceptor) => acceptor.stop()));
    const late = new Promise((resolve) => setTimeout(resolve, DEACTIVATE_MS).unref());
    try {
      const over = this.#running.run(this, async () => await this.#extension.deactivate?.());
      await Promise.race([over, late]);
    } catch (error) {
      this.#tell(error, 'failed in deactivate()');
    }
  }

  onStream(listener: (stream: api.Stream) => (() => void) | undefined): void {
    this.#mustBeActive();
    const seen = new Map<string, SeenStream>();
    const added = (stream: Stream) => {
      const entry: SeenStream = { subscriptions: new Set(), gone: undefined };
      seen.set(stream.name, entry);
      this.#guarded('onStream()', () => {
        const result = listener(this.#view(stream, entry.subscriptions));
        if (typeof result === 'function') entry.gone = result;
      });
    };
    const removed = ({ name }: Stream) => {
      const entry = seen.get(name);
      if (entry === undefined) return;
      seen.delete(name);
      if (entry.gone !== undefined) this.#guarded('the end of onStream()', entry.gone);
      for (const end of entry.subscriptions) end();
    };
    const { hub } = this.#context;
    hub.on('added', added);
    hub.on('removed', removed);
    this.#held.add(() => {
      hub.off('added', added);
      hub.off('removed', removed);
    });
    for (const stream of [...hub.streams]) added(stream);
  }

  listen(acceptor: api.Acceptor): void {
    this.#mustBeActive();
    const config: PushConfig = parsePushConfig(acceptor);
    const { publications, now } = this.#context;
    const served = new PushAcceptor(
      config,
      { publications, now, log: this.#log },
      {
        name: acceptor.protocol,
        makeFeed: (client) =>
          acceptor.accept({
            address: client.address,
            placeName: client.placeName,
            admit: () => client.admit(),
            sink: (name) => new CheckedSink(this.ours(client.sink(name))),
            refuse: (words) => client.refuse(words),
          }),
      },
    );
    this.#acceptors.push(served);
    void this.#running.run(this, () => served.start());
  }

  addSource(scheme: string, open: (source: api.Source) => api.Driver): void {
    this.#mustBeActive();
    const plain = scheme.toLowerCase().replace(/:(\/\/)?$/, '');
    if (!/^x-[a-z0-9.+-]+$/.test(plain)) throw new TypeError(`a scheme is x-NAME, not "${scheme}"`);
    this.#sources.set(plain, open);
  }

  publish(publisher: api.Publisher): api.Publication {
    this.#mustBeActive();
    const { name, protocol, peer, duplicatePublisher = 'reject' } = publisher;
    const publication = this.#running.exit(() =>
      this.#context.publications.open({
        ...{ name, protocol, peer, via: [], publishType: 'live', duplicate: duplicatePublisher },
        end: (words) => {
          this.#held.delete(close);
          this.#guarded('ended()', () => publisher.ended(words));
        },
      }),
    );
    const close = () => publication.close('its extension has ended');
    this.#held.add(close);
    const sink = new CheckedSink(this.ours(publication));
    return {
      name: publication.name,
      start: (tracks) => sink.start(tracks),
      write: (unit) => {
        sink.write(unit);
        publication.received(unit.data.length);
      },
      stop: () => sink.stop(),
      close: (words) => {
        this.#held.delete(close);
        publication.close(words);
      },
    };
  }

  /** Undefined where it serves no such scheme. */
  openSource(scheme: string, source: api.Source): api.Driver | undefined {
    const open = this.#sources.get(scheme);
    return open && this.#running.run(this, () => open(source));
  }

  /** One attempt of a driver. */
  runDriver(driver: api.Driver, sink: api.Sink, signal: AbortSignal): Promise<void> {
    return this.#running.run(this, async () => await driver.run(sink, signal));
  }

  /** What it calls of ours is ours again: timers and sockets that are made there are no longer its. */
  ours(sink: StreamSink): StreamSink {
    const running = this.#running;
    return {
      start: (tracks) => running.exit(() => sink.start(tracks)),
      write: (unit) => running.exit(() => sink.write(unit)),
      stop: () => running.exit(() => sink.stop()),
    };
  }

  #view(stream: Stream, subscriptions: Set<() => void>): api.Stream {
    return {
      name: stream.name,
      get isOnline() {
        return stream.isOnline;
      },
      get tracks() {
        return stream.tracks;
      },
      subscribe: (sink) => this.#subscribe(stream, sink, subscriptions),
    };
  }

  #subscribe(stream: Stream, sink: api.Sink, subscriptions: Set<() => void>): () => void {
    this.#mustBeActive();
    let subscription: Disposable | undefined;
    let isOver = false;
    const end = () => {
      isOver = true;
      this.#held.delete(end);
      subscriptions.delete(end);
      subscription?.[Symbol.dispose]();
    };
    const call = (method: string, work: () => void) => {
      if (isOver) return;
      try {
        work();
      } catch (error) {
        end();
        this.#tell(error, `failed in ${method}() and no longer gets the stream ${stream.name}`);
      }
    };
    const guarded: StreamSink = {
      start: (tracks) => call('start', () => this.#running.run(this, () => sink.start(tracks))),
      write: (unit) => call('write', () => this.#running.run(this, () => sink.write(unit))),
      stop: () => call('stop', () => this.#running.run(this, () => sink.stop())),
    };
    this.#held.add(end);
    subscriptions.add(end);
    subscription = stream.subscribe(guarded);
    // It may have failed already, with the tracks.
    if (isOver) subscription[Symbol.dispose]();
    return end;
  }

  #guarded(what: string, work: () => void): void {
    if (this.#isEnded) return;
    try {
      this.#running.run(this, work);
    } catch (error) {
      this.#tell(error, `failed in ${what}`);
    }
  }

  #mustBeActive(): void {
    if (this.#isEnded) throw new Error('this extension has ended');
  }

  #tell(error: unknown, what: string): void {
    const words = error instanceof Error ? error.message : String(error);
    this.#log.error({ err: error }, `The extension ${this.name} ${what}: ${words}`);
  }
}
