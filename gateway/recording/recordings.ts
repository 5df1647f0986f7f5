/**
 * Streams that their publishers want recorded (publish type `record` and `append`), as files below one folder. `record` replaces
 * the file of that name at the moment its first picture is written, `append` goes on behind what is there.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { UnsupportedError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { toName } from '../names.ts';
import type { Board } from '../report/board.ts';
import type { RecordingStatus } from '../report/status.ts';
import { VERSION } from '../version.ts';
import { QuotaError } from './disk-trouble.ts';
import { FlvRecording } from './flv-recording.ts';
import { Fmp4Recording } from './fmp4-recording.ts';
import { CannotContinueError, type RecordingFile } from './recording-file.ts';
import { RecordingQuota } from './recording-quota.ts';
import {
  type FileBeginning,
  type OpenedFile,
  type OpeningMode,
  RecordingSession,
  type RecordingType,
} from './recording-session.ts';

const ENCODER = `Sluice/${VERSION}`;
/** What a crash loses at most. */
const FLUSH_MS = 1_000;
/** The whole service stops in 2 s. */
const MAX_CLOSING_MS = 1_000;
const QUOTA_CHECK_MS = 60_000;
/** While recordings grow by so much of the quota, it is looked at again. */
const QUOTA_STEPS = 50;
/** Files of one name, told apart by a number. */
const MAX_SUFFIX = 999;
const ANOTHER_FILE = 'cannot append to this file; recording into another one beside it';
const NEW_FILE = /^\.[a-z0-9-]+\.(flv|mp4)\.new$/;

export interface RecordingsContext {
  /** Absolute. */
  readonly dir: string;
  readonly format: 'flv' | 'fmp4';
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly board: Board;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Of a stream: its name, and that it takes sinks. */
export interface RecordedStream {
  readonly name: string;
  subscribe(sink: StreamSink): Disposable;
}

export class Recordings {
  readonly #context: RecordingsContext;
  readonly #quota: RecordingQuota;
  readonly #sessions = new Set<RecordingSession>();
  /** Being written, or to be gone on with. */
  readonly #inUse = new Map<string, RecordingSession>();
  /** Who comes next waits. */
  readonly #closing = new Set<Promise<void>>();
  /** The last trouble of each stream that is recorded, as it was logged. */
  readonly #told = new Map<string, RecordingStatus['code']>();
  #timer: NodeJS.Timeout | undefined;
  #quotaTimer: NodeJS.Timeout | undefined;
  #enforcing: Promise<void> | undefined;
  /** As the quota has seen them, and what was written then. */
  #seenBytes = 0;
  #seenLiveBytes = 0;

  constructor(context: RecordingsContext) {
    this.#context = context;
    this.#quota = new RecordingQuota({
      ...context,
      isInUse: (name) => this.#inUse.has(name),
    });
  }

  /** Before the first recording: what it has not named yet would be taken for what a crash has left. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#tick(), FLUSH_MS);
    this.#quotaTimer = setInterval(() => this.#enforce(), QUOTA_CHECK_MS);
    await this.#removeUnfinished();
    this.#enforce();
  }

  /** Records what the stream brings until the result is disposed of; the file is closed in its own time then. */
  record(stream: RecordedStream, type: RecordingType): Disposable {
    const name = toName(stream.name, 'recording');
    let current: string | undefined;
    const session: RecordingSession = new RecordingSession({
      stream: stream.name,
      type,
      now: this.#context.now,
      onStatus: (status) => this.#tell(status),
      open: async (mode, beginning, onFailure) => {
        const names = mode === 'append' && current !== undefined ? [current] : [];
        names.push(...fileNames(name, this.#context.format, mode));
        const opened = await this.#open(names, mode, beginning, onFailure, session);
        current = opened.name;
        return opened;
      },
    });
    this.#sessions.add(session);
    const subscription = stream.subscribe(session);
    session.tell();
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        subscription[Symbol.dispose]();
        this.#end(stream.name, session);
      },
    };
  }

  /** When every file is closed; a disk that takes too long finds them as a crash would leave them. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#quotaTimer);
    for (const session of this.#sessions) this.#end(undefined, session);
    const timer = new AbortController();
    const tooLong = sleep(MAX_CLOSING_MS, undefined, { signal: timer.signal });
    await Promise.race([this.#closed(), tooLong.catch(() => undefined)]);
    timer.abort();
  }

  async #closed(): Promise<void> {
    await Promise.all(this.#closing);
    await this.#enforcing;
  }

  #end(stream: string | undefined, session: RecordingSession): void {
    this.#sessions.delete(session);
    const closed = session.close().finally(() => {
      this.#closing.delete(closed);
      for (const [name, user] of this.#inUse) if (user === session) this.#inUse.delete(name);
    });
    this.#closing.add(closed);
    if (stream === undefined) return;
    this.#context.board.removeRecording(stream);
    this.#told.delete(stream);
  }

  /** The first of the files that can be. */
  async #open(
    files: readonly string[],
    mode: OpeningMode,
    beginning: FileBeginning,
    onFailure: (error: unknown) => void,
    session: RecordingSession,
  ): Promise<OpenedFile> {
    await this.#othersClosed(session);
    await mkdir(this.#context.dir, { recursive: true });
    this.#checkQuota();
    for (const name of files) {
      const user = this.#inUse.get(name);
      if (user !== undefined && user !== session) continue;
      this.#inUse.set(name, session);
      try {
        const file =
          mode === 'record'
            ? await this.#create(name, beginning, onFailure)
            : await this.#continueOrCreate(name, mode === 'another', beginning, onFailure);
        return { file, name };
      } catch (error) {
        if (user === undefined) this.#inUse.delete(name);
        if (!(error instanceof CannotContinueError)) throw error;
        const reason = error.message;
        if (mode !== 'another') this.#context.log.warn({ file: name, reason }, ANOTHER_FILE);
      }
    }
    throw new UnsupportedError(`There are ${MAX_SUFFIX} recordings of this name`);
  }

  /** A session of the same stream may still be closing its file. */
  async #othersClosed(session: RecordingSession): Promise<void> {
    const others = [...this.#closing];
    // Not for itself: it closes when this is done.
    if (this.#sessions.has(session)) await Promise.all(others);
  }

  /** The older file of that name is there until this one has something in it. */
  async #create(
    file: string,
    beginning: FileBeginning,
    onFailure: (error: unknown) => void,
  ): Promise<RecordingFile> {
    const { dir } = this.#context;
    const path = join(dir, `.${file}.new`);
    const handle = await open(path, 'w+');
    try {
      const recording = await this.#begin(handle, beginning, onFailure);
      await rename(path, join(dir, file));
      return recording;
    } catch (error) {
      await handle.close();
      await unlink(path).catch(() => undefined);
      throw error;
    }
  }

  async #continueOrCreate(
    file: string,
    mustBeNew: boolean,
    beginning: FileBeginning,
    onFailure: (error: unknown) => void,
  ): Promise<RecordingFile> {
    const handle = await openToAppend(join(this.#context.dir, file), mustBeNew);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw new CannotContinueError('it is no plain file');
      if (stat.size === 0) return await this.#begin(handle, beginning, onFailure);
      return this.#context.format === 'flv'
        ? await FlvRecording.continue(handle, beginning.tracks, ENCODER, onFailure)
        : await Fmp4Recording.continue(handle, beginning, onFailure);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #begin(
    handle: FileHandle,
    beginning: FileBeginning,
    onFailure: (error: unknown) => void,
  ): Promise<RecordingFile> {
    return this.#context.format === 'flv'
      ? await FlvRecording.create(handle, beginning.tracks, ENCODER, onFailure)
      : await Fmp4Recording.create(handle, beginning, onFailure);
  }

  #tick(): void {
    for (const session of this.#sessions) {
      session.flush();
      session.tell();
    }
    const { maxBytes } = this.#context;
    const grownBytes = this.#liveBytes() - this.#seenLiveBytes;
    if (maxBytes > 0 && grownBytes > maxBytes / QUOTA_STEPS) this.#enforce();
  }

  #liveBytes(): number {
    let bytes = 0;
    for (const session of this.#sessions) bytes += session.byteLength;
    return bytes;
  }

  #enforce(): void {
    this.#enforcing ??= this.#enforceNow().finally(() => {
      this.#enforcing = undefined;
    });
  }

  async #enforceNow(): Promise<void> {
    const { log, maxBytes } = this.#context;
    try {
      this.#seenLiveBytes = this.#liveBytes();
      this.#seenBytes = await this.#quota.enforce();
    } catch (err) {
      log.warn({ err }, 'cannot look at the recordings');
      return;
    }
    if (maxBytes === 0 || this.#seenBytes <= maxBytes) return;
    for (const session of this.#sessions) session.fail(new QuotaError());
  }

  /** Nothing is deleted to make room for what would be deleted next. */
  #checkQuota(): void {
    const { maxBytes } = this.#context;
    if (maxBytes > 0 && this.#seenBytes > maxBytes) throw new QuotaError();
  }

  #tell(status: RecordingStatus): void {
    const { board, log, now } = this.#context;
    const before = board.recordings.get(status.stream);
    board.setRecording(status);
    if (before?.state === status.state && before.code === status.code) return;
    const { stream, state, reason, file } = status;
    if (state === 'stopped') {
      // Each attempt passes through `waiting`: the same trouble again is not news.
      if (this.#told.get(stream) === status.code) return;
      this.#told.set(stream, status.code);
      log.warn({ stream, code: status.code }, `recording has stopped: ${reason}`);
      const at = new Date(now()).toISOString();
      board.emit('event', { at, type: 'recording-stopped', stream, message: reason });
    } else if (state === 'recording') {
      this.#told.delete(stream);
      log.info({ stream, file }, reason);
    }
  }

  /** What a crash has left between making a file and giving it its name. */
  async #removeUnfinished(): Promise<void> {
    const { dir } = this.#context;
    const names = await readdir(dir).catch(() => []);
    for (const name of names) {
      if (NEW_FILE.test(name)) await unlink(join(dir, name)).catch(() => undefined);
    }
  }
}

/** NAME.flv, NAME-2.flv …; beside the file that was written so far, only those with a number. */
function* fileNames(
  name: string,
  format: RecordingsContext['format'],
  mode: OpeningMode,
): Generator<string> {
  const extension = format === 'flv' ? 'flv' : 'mp4';
  if (mode !== 'another') yield `${name}.${extension}`;
  for (let suffix = 2; suffix <= MAX_SUFFIX; suffix += 1) yield `${name}-${suffix}.${extension}`;
}

/** One that is there is opened, not truncated; a symbolic link is not followed, a pipe not waited for. */
async function openToAppend(path: string, mustBeNew: boolean): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    const flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | (mustBeNew ? O_EXCL : 0);
    return await open(path, flags, 0o644);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new CannotContinueError('it is there already');
    if (code === 'ELOOP') throw new CannotContinueError('it is a symbolic link');
    if (code === 'EISDIR' || code === 'ENXIO') throw new CannotContinueError('it is no file');
    throw error;
  }
}
