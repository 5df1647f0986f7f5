/** All streams by name. One source per name; any number of subscribers. */
import { EventEmitter } from 'node:events';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { SlabPool } from './slab-pool.ts';
import { Stream } from './stream.ts';

interface Follower {
  readonly added: (stream: Stream) => void;
  readonly removed: (stream: Stream) => void;
}

interface HubEvents {
  added: [stream: Stream];
  removed: [stream: Stream];
}

export class Hub extends EventEmitter<HubEvents> {
  readonly #streams = new Map<string, Stream>();
  /** Not listeners: there may be hundreds. */
  readonly #followers = new Set<Follower>();
  readonly #pool: SlabPool;
  readonly #now: () => number;

  constructor(gopCacheMaxBytes: number, now: () => number) {
    super();
    this.#pool = new SlabPool(gopCacheMaxBytes);
    this.#now = now;
  }

  get streams(): Iterable<Stream> {
    return this.#streams.values();
  }

  get(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  /** The stream of that name, made when it is new. */
  open(name: string): Stream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const stream = new Stream(name, this.#pool, this.#now);
    this.#streams.set(name, stream);
    this.emit('added', stream);
    for (const { added } of [...this.#followers]) added(stream);
    return stream;
  }

  remove(name: string): void {
    const stream = this.#streams.get(name);
    if (stream === undefined) return;
    this.#streams.delete(name);
    stream.stop();
    this.emit('removed', stream);
    for (const { removed } of [...this.#followers]) removed(stream);
  }

  /** Like `Stream.subscribe`, for a name that may not be there yet, may go, and may come back. */
  follow(name: string, sink: StreamSink): Disposable {
    let subscription = this.#streams.get(name)?.subscribe(sink);
    let isOver = false;
    const follower = {
      added: (stream: Stream) => {
        if (!isOver && stream.name === name) subscription = stream.subscribe(sink);
      },
      removed: (stream: Stream) => {
        if (stream.name !== name) return;
        subscription?.[Symbol.dispose]();
        subscription = undefined;
      },
    };
    this.#followers.add(follower);
    return {
      [Symbol.dispose]: () => {
        isOver = true;
        this.#followers.delete(follower);
        subscription?.[Symbol.dispose]();
        subscription = undefined;
      },
    };
  }
}
