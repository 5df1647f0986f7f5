/** Asks each camera that is online for its own JPEG, every so often, one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

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

  constructor(context: SnapshotRoundsContext) {
    this.#context = context;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#waiting = new AbortController();
      for (const stream of [...this.#context.onlineStreams()]) {
        if (!signal.aborted) await this.#tell(stream);
      }
      const ended = AbortSignal.any([signal, this.#waiting.signal]);
      await sleep(this.#context.intervalMs, undefined, { signal: ended, ref: false }).catch(
        () => undefined, // sooner than that
      );
    }
  }

  /** Somebody has come who has none. */
  beginAgain(): void {
    this.#waiting.abort();
  }

  async #tell(stream: string): Promise<void> {
    const { take, tell, log } = this.#context;
    try {
      const jpeg = await take(stream);
      if (jpeg === undefined) return;
      if (jpeg.length <= MAX_JPEG_BYTES) tell(stream, jpeg);
      else log.debug({ stream, bytes: jpeg.length }, 'snapshot is too large to be told');
    } catch (err) {
      // The next round asks again; what is wrong with the camera is told by the stream's status.
      log.debug({ err, stream }, 'no snapshot');
    }
  }
}
