/**
 * The names of pushed streams, over a restart: whoever is away while the box restarts is told to be missing, and not forgotten.
 * A file in dataDir, written when they are others.
 */
import type { Logger } from 'pino';
import { KeptFile } from '../kept-file.ts';
import { toName } from '../names.ts';

const FILE = 'pushed.json';
/** Names that come and go cost the card no more than that. */
const WRITE_AFTER_MS = 10_000;

export class PushedNames {
  readonly #file: KeptFile;
  readonly #log: Logger;
  #pending: readonly string[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(dataDir: string, log: Logger) {
    this.#file = new KeptFile(dataDir, FILE);
    this.#log = log;
  }

  /** A file that makes no sense holds none. */
  read(): string[] {
    let names: unknown;
    try {
      names = JSON.parse(this.#file.read('newest') ?? '[]');
    } catch {
      this.#log.warn(
        `${FILE} in dataDir is damaged: streams that others push are known when they come`,
      );
    }
    if (!Array.isArray(names)) return [];
    return names.filter(
      (name) => typeof name === 'string' && name !== '' && toName(name, '') === name,
    );
  }

  keep(names: readonly string[]): void {
    this.#pending = names;
    this.#timer ??= setTimeout(() => void this.written(), WRITE_AFTER_MS).unref();
  }

  /** What is to be kept is on the disk, or has been warned of. */
  written(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const names = this.#pending;
    if (names === undefined) return;
    this.#pending = undefined;
    try {
      await this.#file.write(`${JSON.stringify(names)}\n`, false);
    } catch (err) {
      this.#log.warn({ err }, `cannot keep the names of pushed streams; check gateway.dataDir`);
    }
  }
}
