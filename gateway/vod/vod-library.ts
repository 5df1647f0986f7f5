/**
 * The files that players may have: recordings, and a second folder that is only read. Names come from players: a name is a path
 * below one of the folders and nothing else, whatever it is made of, and whatever symbolic links lie there.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import { FileRanges } from './file-ranges.ts';
import { FlvFile } from './flv-file.ts';
import { Mp3File } from './mp3-file.ts';
import { Mp4File } from './mp4-file.ts';
import { VodError, type VodFile } from './vod-file.ts';

/** Each holds two windows and an index. */
const MAX_OPEN_FILES = 256;
/** The sample tables of all MP4 files that are open: an hour of video has about 1 MB of them. */
const MAX_INDEX_BYTES = 128 * 1024 * 1024;
const MAX_NAME_LENGTH = 512;
/** NAME_MAX of every file system of ours. */
const MAX_SEGMENT_BYTES = 255;

export type VodFormat = 'flv' | 'mp4' | 'mp3';

const EXTENSIONS: Readonly<Record<VodFormat, readonly string[]>> = {
  flv: ['.flv'],
  mp4: ['.mp4', '.m4v', '.m4a', '.f4v', '.mov'],
  mp3: ['.mp3'],
};

/** What a player asks for. */
export interface VodName {
  readonly format: VodFormat;
  /** Below the folder. */
  readonly path: string;
}

/** A file that was found, open. */
export interface FoundFile {
  readonly handle: FileHandle;
  readonly size: number;
  readonly modifiedMs: number;
  /** For an ETag. */
  readonly inode: number;
}

/**
 * `flv:NAME`, `mp4:NAME`, `mp3:NAME`, and NAME with one of their extensions. undefined: the name of a live stream.
 * What is behind a `?` is for those who check logins.
 */
export function parseVodName(name: string): VodName | undefined {
  const [bare = ''] = name.split('?', 1);
  for (const format of ['flv', 'mp4', 'mp3'] as const) {
    if (bare.startsWith(`${format}:`)) return { format, path: bare.slice(format.length + 1) };
    const extension = bare.slice(bare.lastIndexOf('.')).toLowerCase();
    if (EXTENSIONS[format].includes(extension)) return { format, path: bare };
  }
  return undefined;
}

export class VodLibrary {
  readonly #folders: readonly string[];
  #open = 0;
  #indexBytes = 0;

  /** Looked into one after the other; one that is not there is none. */
  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  /** Throws VodError. */
  async open(name: string): Promise<VodFile> {
    const wanted = parseVodName(name);
    if (wanted === undefined) throw new VodError('bad-name', 'a name such as flv:NAME is expected');
    if (this.#open >= MAX_OPEN_FILES) throw new VodError('busy', 'too many files are being played');
    this.#open += 1;
    try {
      const { handle, size } = await this.find(wanted);
      return await this.#openFormat(wanted.format, handle, size);
    } catch (error) {
      this.#open -= 1;
      throw asVodError(error);
    }
  }

  /** The open file behind a name; whoever gets it closes it. Throws VodError. */
  async find({ format, path }: VodName): Promise<FoundFile> {
    if (!isSafePath(path)) throw new VodError('bad-name', 'this is no name of a file');
    const hasExtension = EXTENSIONS[format].some((extension) =>
      path.toLowerCase().endsWith(extension),
    );
    const paths = hasExtension ? [path] : EXTENSIONS[format].map((extension) => path + extension);
    for (const folder of this.#folders) {
      for (const candidate of paths) {
        const found = await openInside(folder, candidate);
        if (found !== undefined) return found;
      }
    }
    throw new VodError('not-found', 'there is no such file');
  }

  async #openFormat(format: VodFormat, handle: FileHandle, size: number): Promise<VodFile> {
    const ranges = new FileRanges(handle, size);
    try {
      switch (format) {
        case 'flv':
          return this.#counted(await FlvFile.open(ranges));
        case 'mp4': {
          const file = await Mp4File.open(ranges, MAX_INDEX_BYTES - this.#indexBytes);
          return this.#counted(file, file.indexBytes);
        }
        case 'mp3':
          return this.#counted(await Mp3File.open(ranges));
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  #counted(file: VodFile, indexBytes = 0): VodFile {
    this.#indexBytes += indexBytes;
    let isOpen = true;
    return {
      tracks: file.tracks,
      durationMs: file.durationMs,
      seek: (ms) => file.seek(ms),
      read: () => file.read(),
      close: async () => {
        if (!isOpen) return;
        isOpen = false;
        this.#open -= 1;
        this.#indexBytes -= indexBytes;
        await file.close();
      },
    };
  }
}

/** Whether it names something below a folder, in a way that means the same to every system. Hidden files are nobody's. */
export function isSafePath(path: string): boolean {
  if (path.length > MAX_NAME_LENGTH || /[\p{Cc}\\:]/u.test(path)) return false;
  return path
    .split('/')
    .every(
      (segment) =>
        segment !== '' &&
        !segment.startsWith('.') &&
        Buffer.byteLength(segment) <= MAX_SEGMENT_BYTES,
    );
}

/** undefined: it is not there, lies outside by a symbolic link, or is no plain file. */
async function openInside(folder: string, path: string): Promise<FoundFile | undefined> {
  let handle: FileHandle | undefined;
  try {
    const root = await realpath(folder);
    const real = await realpath(join(root, path));
    if (!real.startsWith(root + sep)) return undefined;
    // Not waiting for the far end of a pipe.
    handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (stat.isFile()) {
      return { handle, size: stat.size, modifiedMs: stat.mtimeMs, inode: stat.ino };
    }
  } catch (error) {
    await handle?.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
    return undefined;
  }
  await handle.close();
  return undefined;
}

function asVodError(error: unknown): unknown {
  if (error instanceof ParseError || error instanceof UnsupportedError) {
    return new VodError('unreadable', `this file cannot be played: ${error.message}`);
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof VodError) return error;
  return new VodError('unreadable', `this file cannot be read (${code})`);
}
