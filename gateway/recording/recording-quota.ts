/**
 * How much recordings may take, and how old they may get. The oldest go first; never one that is being written, and never a file
 * that is no recording of ours, whatever it is called.
 */
import { constants, type Dirent } from 'node:fs';
import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { RECORDER_MARK } from './recording-file.ts';

/** Of a folder: more are looked at another time. */
const MAX_FILES = 10_000;
/** Where the mark is, in both formats. */
const HEAD_BYTES = 4096;
const EXTENSION = /\.(flv|mp4)$/;

export interface RecordingQuotaContext {
  readonly dir: string;
  /** 0: as much as the disk has. */
  readonly maxBytes: number;
  /** 0: they are kept for ever. */
  readonly maxAgeMs: number;
  /** Whether it is being written, or kept for one who writes. */
  readonly isInUse: (name: string) => boolean;
  readonly log: Logger;
  readonly now: () => number;
}

interface Recording {
  readonly name: string;
  readonly size: number;
  readonly modifiedMs: number;
}

export class RecordingQuota {
  readonly #context: RecordingQuotaContext;
  /** By name and inode: a file's beginning never changes from ours to not ours. */
  #known = new Map<string, boolean>();

  constructor(context: RecordingQuotaContext) {
    this.#context = context;
  }

  /** Deletes what has to go; returns what the recordings take then, with those that are being written. */
  async enforce(): Promise<number> {
    const { maxBytes, maxAgeMs, isInUse, now } = this.#context;
    const recordings = await this.#recordings();
    let bytes = recordings.reduce((sum, { size }) => sum + size, 0);
    for (const recording of recordings) {
      const isOld = maxAgeMs > 0 && now() - recording.modifiedMs > maxAgeMs;
      const isOver = maxBytes > 0 && bytes > maxBytes;
      if ((!isOld && !isOver) || isInUse(recording.name)) continue;
      if (await this.#delete(recording, isOld ? 'maxAgeMs' : 'maxBytes')) bytes -= recording.size;
    }
    return bytes;
  }

  /** The oldest first. */
  async #recordings(): Promise<Recording[]> {
    const { dir } = this.#context;
    const known = new Map<string, boolean>();
    const recordings: Recording[] = [];
    for (const entry of (await entriesOf(dir)).slice(0, MAX_FILES)) {
      if (!entry.isFile() || !EXTENSION.test(entry.name)) continue;
      const found = await this.#look(entry.name, known).catch(() => undefined);
      if (found !== undefined) recordings.push(found);
    }
    this.#known = known;
    return recordings.sort((a, b) => a.modifiedMs - b.modifiedMs);
  }

  /** undefined: it is none of ours. */
  async #look(name: string, known: Map<string, boolean>): Promise<Recording | undefined> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(join(this.#context.dir, name), flags);
    try {
      const { ino, size, mtimeMs } = await handle.stat();
      const key = `${ino} ${name}`;
      let isOurs = this.#known.get(key);
      if (isOurs === undefined) {
        const head = Buffer.alloc(HEAD_BYTES);
        const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0);
        isOurs = head.subarray(0, bytesRead).includes(RECORDER_MARK);
      }
      known.set(key, isOurs);
      return isOurs ? { name, size, modifiedMs: mtimeMs } : undefined;
    } finally {
      await handle.close();
    }
  }

  async #delete({ name, size }: Recording, limit: string): Promise<boolean> {
    const { dir, log } = this.#context;
    try {
      await unlink(join(dir, name));
      log.info({ file: name, bytes: size, limit }, 'deleted the oldest recording');
      return true;
    } catch (err) {
      log.warn({ err, file: name }, 'cannot delete a recording');
      return false;
    }
  }
}

async function entriesOf(dir: string): Promise<Dirent[]> {
  try {
    return await readdir(dir, { withFileTypes: true });
  } catch (error) {
    // Nothing has been recorded yet.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
