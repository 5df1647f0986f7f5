/** All streams by name. One source per name; any number of subscribers. */
import { EventEmitter } from 'node:events';
import { SlabPool } from './slab-pool.ts';
import { Stream } from './stream.ts';

interface HubEvents {
  added: [stream: Stream];
  removed: [stream: Stream];
}

export class Hub extends EventEmitter<HubEvents> {
  readonly #streams = new Map<string, Stream>();
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

  /** The stream of that name, made when it is new. */
  open(name: string): Stream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const stream = new Stream(name, this.#pool, this.#now);
    this.#streams.set(name, stream);
    this.emit('added', stream);
    return stream;
  }

  remove(name: string): void {
    const stream = this.#streams.get(name);
    if (stream === undefined) return;
    this.#streams.delete(name);
    stream.stop();
    this.emit('removed', stream);
  }
}
