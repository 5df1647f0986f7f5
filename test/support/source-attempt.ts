/** One attempt of a driver at a source, ended with the test. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { type SourceDescription, sourceKindOf } from '../../drivers/catalog.ts';
import type { StreamDriver } from '../../drivers/driver.ts';
import { RecordingSink } from './recording-sink.ts';

export class SourceAttempt {
  readonly sink = new RecordingSink();
  readonly log: string[] = [];
  readonly driver: StreamDriver;
  /** What it ended with: an error, or nothing. */
  readonly result: Promise<unknown>;
  readonly #abort = new AbortController();

  constructor(context: TestContext, url: string, description: Partial<SourceDescription> = {}) {
    const log = pino({ level: 'trace' }, { write: (line: string) => void this.log.push(line) });
    const kind = sourceKindOf(url);
    assert.ok(kind !== undefined, url);
    this.driver = kind.open({ url, transport: 'auto', ...description }, { log, now: Date.now });
    this.result = this.driver.run(this.sink, this.#abort.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
    context.after(() => this.stop());
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('stopped by the test'));
    await this.result;
  }

  /** Settles when so many units have come; rejects when the attempt ends before. */
  async has(video: number, audio: number): Promise<void> {
    const ended = this.result.then((error) => {
      throw error ?? new Error('ended without an error');
    });
    await Promise.race([this.sink.has(video, audio), ended]);
  }

  /** The error it ended with. */
  async error(): Promise<Error> {
    const error = await this.result;
    assert.ok(error instanceof Error, `ended with ${String(error)}`);
    return error;
  }
}
