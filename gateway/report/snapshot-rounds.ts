/** Asks each camera that is online for its own JPEG, every so often, one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { linkAbort } from '../linked-abort.ts';

/** Brokers that refuse large packets end the connection. */
const MAX_JPEG_BYTES = 1024 * 1024;

export interface SnapshotRoundsContext {
  readonly intervalMs: number;
  readonly onlineStreams: () => Iterable<string>;
  /** undefined: the stream has none. */
  readonly take: (stream: string) => Promise<Uint8Array> | undefined;
  readonly tell: (stream: string, jpeg: Uint8Array) => void;
  readonly log: Logger;
}

export class SnapshotRounds {
  readonly #context: SnapshotRoundsContext;
  #waiting = new AbortController();
  /** Streams that gave none at the last round, and why: said once. */
  readonly #troubles = new Map<string, string>();

  constructor(context: SnapshotRoundsContext) {
    this.#context = context;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      using life = linkAbort(signal);
      this.#waiting = life.controller;
      const online = [...this.#context.onlineStreams()];
      for (const stream of this.#troubles.keys()) {
        if (!online.includes(stream)) this.#troubles.delete(stream);
      }
      for (const stream of online) {
        if (!signal.aborted) await this.#tell(stream, signal);
      }
      const { signal: ended } = life.controller;
      await sleep(this.#context.intervalMs, undefined, { signal: ended, ref: false }).catch(
        () => undefined, // sooner than that
      );
    }
  }

  /** Somebody has come who has none. */
  beginAgain(): void {
    this.#waiting.abort();
  }

  async #tell(stream: string, signal: AbortSignal): Promise<void> {
    const { take, tell, log } = this.#context;
    try {
      const jpeg = await take(stream);
      if (jpeg === undefined) return;
      if (jpeg.length <= MAX_JPEG_BYTES) {
        tell(stream, jpeg);
        this.#troubles.delete(stream);
      } else {
        this.#complain(stream, `it is larger than ${MAX_JPEG_BYTES} bytes`);
      }
    } catch (err) {
      log.debug({ err, stream }, 'no snapshot');
      if (!signal.aborted) this.#complain(stream, err instanceof Error ? err.message : String(err));
    }
  }

  /** The next round asks again. */
  #complain(stream: string, words: string): void {
    if (this.#troubles.get(stream) === words) return;
    this.#troubles.set(stream, words);
    this.#context.log.warn({ stream }, `no snapshot of ${stream} for MQTT: ${words}`);
  }
}
