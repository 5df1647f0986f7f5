/** Which stream name each adopted device has, kept in dataDir: a name once given stays. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { writeAtomically } from './config/identity.ts';

const FILE = 'adopted.json';
const VERSION = 1;

export class AdoptedNames {
  readonly #dataDir: string;
  readonly #log: Logger;
  /** From what identifies a device (serial, MAC, endpoint reference) to its name. */
  readonly #names: Map<string, string>;

  constructor(dataDir: string, log: Logger) {
    this.#dataDir = dataDir;
    this.#log = log;
    this.#names = new Map(readNames(join(dataDir, FILE)));
  }

  /** The name given to a device known by any of these keys. */
  find(keys: readonly string[]): string | undefined {
    for (const key of keys) {
      const name = this.#names.get(key);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  isTaken(name: string): boolean {
    return [...this.#names.values()].includes(name);
  }

  keep(keys: readonly string[], name: string): void {
    const isNew = keys.some((key) => this.#names.get(key) !== name);
    if (!isNew) return;
    for (const key of keys) this.#names.set(key, name);
    const text = JSON.stringify(
      { version: VERSION, names: Object.fromEntries(this.#names) },
      null,
      2,
    );
    try {
      writeAtomically(this.#dataDir, FILE, `${text}\n`);
    } catch (err) {
      this.#log.warn(
        { err, dataDir: this.#dataDir },
        'cannot keep the names of adopted cameras; check gateway.dataDir',
      );
    }
  }
}

function readNames(path: string): [string, string][] {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('names' in parsed)) return [];
    return Object.entries(parsed.names ?? {}).filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && /^[a-z0-9-]{1,48}$/.test(entry[1]),
    );
  } catch {
    // Not there yet, or damaged: names are given anew, in the same way.
    return [];
  }
}
