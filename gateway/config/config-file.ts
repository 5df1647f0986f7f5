/**
 * The file that `sluice run` is configured by: which one, what it says, and a new text in its place. With none given it is
 * `sluice.yaml` in the data folder, which need not be there: the first `config/set` makes it.
 */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type FileAccess, type FileOperations, KeptFile } from '../kept-file.ts';
import { ConfigError, failAt } from './config-error.ts';
import { isMap } from './describe-issue.ts';
import { MAX_FILE_BYTES, parseConfig, readConfigText, readTree } from './load.ts';
import type { Config } from './schema.ts';

const DEFAULT_NAME = 'sluice.yaml';
const DEFAULT_DATA_DIR = './data';
const PRIVATE_MODE = 0o600;
const USUAL_MODE = 0o644;

export interface ConfigFileOptions {
  /** As given with --config; undefined: none. */
  readonly path?: string | undefined;
  /** As given with --data-dir. */
  readonly dataDir?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tests cut the power. */
  readonly operations?: FileOperations;
}

export class ConfigFile {
  /** As people are told it. */
  readonly name: string;
  readonly path: string;
  readonly #options: ConfigFileOptions;

  constructor(options: ConfigFileOptions) {
    const { path, dataDir = DEFAULT_DATA_DIR } = options;
    this.name = path ?? join(dataDir, DEFAULT_NAME);
    this.path = resolve(this.name);
    this.#options = options;
  }

  /** Throws a `ConfigError`. */
  load(): Config {
    return this.parse(this.read());
  }

  /** Empty where it may be missing, and is. Throws a `ConfigError`. */
  read(): string {
    if (this.#options.path === undefined && !existsSync(this.path)) return '';
    return readConfigText(this.name);
  }

  /** What the service would be with this text. Throws a `ConfigError`. */
  parse(text: string): Config {
    if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
      failAt(this.name, [], `expected at most ${MAX_FILE_BYTES} bytes`);
    }
    const { path, env } = this.#options;
    const folder = dirname(this.path);
    const context = { file: this.name, folder, env };
    if (path !== undefined) {
      const { dataDir } = this.#options;
      return parseConfig(text, { ...context, dataDir: dataDir && resolve(dataDir) });
    }
    const { gateway } = Object(readTree(text, this.name)) as { gateway?: unknown };
    if (isMap(gateway) && Object.hasOwn(gateway, 'dataDir')) {
      const words = 'this file is found in the data folder: leave it out, or start with --config';
      failAt(this.name, ['gateway', 'dataDir'], words);
    }
    return parseConfig(text, { ...context, dataDir: folder });
  }

  /** Whenever the power goes, the old text is there or the new one. */
  async write(text: string, hasSecrets: boolean): Promise<void> {
    // A link stays one.
    const path = existsSync(this.path) ? realpathSync(this.path) : this.path;
    const file = new KeptFile(dirname(path), basename(path), this.#options.operations);
    try {
      await file.write(text, false, accessOf(path, hasSecrets));
    } catch (error) {
      throw new ConfigError(`${this.name} cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }
}

/** Tells texts apart. */
export function revisionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** As it was, but that nobody else may read secrets. */
function accessOf(path: string, hasSecrets: boolean): FileAccess {
  const stats = existsSync(path) ? statSync(path) : undefined;
  const mode = hasSecrets ? PRIVATE_MODE : (stats?.mode ?? USUAL_MODE) & 0o777;
  // Only root can give a file away; everybody else has it anyway.
  const isOthers = stats !== undefined && process.getuid?.() === 0 && stats.uid !== 0;
  return { mode, owner: isOthers ? { uid: stats.uid, gid: stats.gid } : undefined };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error && 'code' in error)) return String(error);
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
      return 'the service may not write to its folder';
    case 'EROFS':
      return 'its folder is read-only for the service (with systemd: ReadWritePaths=)';
    case 'EBUSY':
      return 'it is mounted as a single file and cannot be replaced: mount its folder instead';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return String(error.code);
  }
}
