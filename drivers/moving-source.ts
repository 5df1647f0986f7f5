/** A source whose URL may change between two attempts, because the device that has it moves. */
import { ProtocolError } from '../codecs/errors.ts';
import type { StreamSink } from '../codecs/stream-sink.ts';
import { emptyStats, type SourceStats, type StreamDriver } from './driver.ts';

export class MovingSource implements StreamDriver {
  /** Undefined: nobody knows. */
  readonly #whereNow: () => string | undefined;
  readonly #open: (url: string) => StreamDriver;
  #url: string | undefined;
  /** Kept as long as its URL: it has learned about the device. */
  #driver: StreamDriver | undefined;

  constructor(whereNow: () => string | undefined, open: (url: string) => StreamDriver) {
    this.#whereNow = whereNow;
    this.#open = open;
  }

  get stats(): SourceStats {
    return this.#driver?.stats ?? NO_STATS;
  }

  get notes(): readonly string[] {
    return this.#driver?.notes ?? [];
  }

  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    const url = this.#whereNow();
    if (url === undefined) {
      throw new ProtocolError('NO_ADDRESS', 'no address of this device is known');
    }
    if (this.#driver === undefined || url !== this.#url) this.#driver = this.#open(url);
    this.#url = url;
    await this.#driver.run(sink, signal);
  }
}

const NO_STATS = emptyStats();
