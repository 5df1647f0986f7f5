/**
 * A file that is replaced as a whole, with the one before it beside it where that is wanted. Whenever the power goes, one of the
 * two is whole: what is written is on the disk before it gets the name, and the name is, before this returns.
 */
import { readFileSync, statSync } from 'node:fs';
import fs from 'node:fs/promises';
import { join } from 'node:path';

/** Far more than what is ever kept; a larger file is none of ours. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Passwords may be in it. */
const PRIVATE_MODE = 0o600;

/** Whose file it is and who may read it. */
export interface FileAccess {
  readonly mode: number;
  /** Left out: the user that we run as. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** What of `node:fs/promises` is used; tests cut the power in between. */
export type FileOperations = Pick<
  typeof fs,
  'mkdir' | 'open' | 'rm' | 'link' | 'copyFile' | 'rename'
>;

export class KeptFile {
  readonly #folder: string;
  readonly #path: string;
  readonly #operations: FileOperations;

  constructor(folder: string, name: string, operations: FileOperations = fs) {
    this.#folder = folder;
    this.#path = join(folder, name);
    this.#operations = operations;
  }

  /** Undefined where there is none, or none that can be read. */
  read(which: 'newest' | 'previous'): string | undefined {
    const path = which === 'newest' ? this.#path : this.#previousPath;
    try {
      return statSync(path).size > MAX_BYTES ? '' : readFileSync(path, 'utf8');
    } catch {
      // Not there yet, or the disk does not give it: to be told by whoever wants it.
      return undefined;
    }
  }

  /** `keepsPrevious`: what is there is worth keeping. Calls must not overlap. */
  async write(
    text: string,
    keepsPrevious: boolean,
    access: FileAccess = { mode: PRIVATE_MODE },
  ): Promise<void> {
    const { mkdir, rename } = this.#operations;
    const temporary = `${this.#path}.new`;
    await mkdir(this.#folder, { recursive: true });
    await this.#writeThrough(temporary, text, access);
    if (keepsPrevious) await this.#keepPrevious();
    await rename(temporary, this.#path);
    await this.#syncFolder();
  }

  get #previousPath(): string {
    return `${this.#path}.previous`;
  }

  async #writeThrough(path: string, text: string, { mode, owner }: FileAccess): Promise<void> {
    const { rm, open } = this.#operations;
    // What a power cut has left may have another mode.
    await rm(path, { force: true });
    const file = await open(path, 'wx', PRIVATE_MODE);
    try {
      if (owner !== undefined) await file.chown(owner.uid, owner.gid);
      if (mode !== PRIVATE_MODE) await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** A second name for what is there, so that it stays when the first goes to another. */
  async #keepPrevious(): Promise<void> {
    const { rm, link, copyFile, rename } = this.#operations;
    const temporary = `${this.#previousPath}.new`;
    await rm(temporary, { force: true });
    try {
      await link(this.#path, temporary).catch((error: unknown) => {
        if (isMissing(error)) throw error;
        // FAT knows no second names.
        return copyFile(this.#path, temporary);
      });
      await rename(temporary, this.#previousPath);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #syncFolder(): Promise<void> {
    const folder = await this.#operations.open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
