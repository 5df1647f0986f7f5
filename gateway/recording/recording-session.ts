/**
 * One stream on its way to a file, for as long as its publisher is there. It begins with a picture that decoding may start at. While
 * the file is opened, units wait in memory; while the disk is slow, too, up to a budget, and then whole GOPs are lost. A
 * disk that fails stops the recording and nothing else: it is tried again later, and goes on in the same file.
 */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import type { RecordingStatus } from '../report/status.ts';
import { type DiskTrouble, diskTrouble } from './disk-trouble.ts';
import type { RecordingFile } from './recording-file.ts';

/** 16 s of a 4 Mbit/s camera: flash cards that tidy up take seconds. */
const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;
/** Somebody has to make room first. */
const RETRY_MS = 30_000;

export type RecordingType = 'record' | 'append';

/** `first`: the unit that the file begins with; `others`: the last one of each other track, where there was one. */
export interface FileBeginning {
  readonly tracks: readonly Track[];
  readonly first: AccessUnit;
  readonly samples: ReadonlyMap<Track, Uint8Array>;
}

/** How a session is told to open a file. */
export type OpeningMode =
  | RecordingType
  /** Beside the one that was written so far. */
  | 'another';

export interface OpenedFile {
  readonly file: RecordingFile;
  /** For people. */
  readonly name: string;
}

export interface RecordingSessionContext {
  readonly stream: string;
  readonly type: RecordingType;
  readonly open: (
    mode: OpeningMode,
    beginning: FileBeginning,
    onFailure: (error: unknown) => void,
  ) => Promise<OpenedFile>;
  readonly onStatus: (status: RecordingStatus) => void;
  /** For times that people read, and for the wait. */
  readonly now: () => number;
}

type State =
  | { readonly at: 'waiting' }
  | { readonly at: 'opening'; readonly units: AccessUnit[]; byteLength: number }
  | { readonly at: 'writing'; readonly opened: OpenedFile }
  | { readonly at: 'stopped'; readonly trouble: DiskTrouble; readonly untilMs: number }
  | { readonly at: 'closed' };

export class RecordingSession implements StreamSink {
  droppedGops = 0;
  readonly #context: RecordingSessionContext;
  #state: State = { at: 'waiting' };
  #sinceMs: number;
  /** From the first file on, it is only ever added to. */
  #mode: OpeningMode;
  #tracks: readonly Track[] = [];
  #samples = new Map<Track, Uint8Array>();
  #isClosing = false;
  /** The file cannot take what has come, and another is begun with the next GOP. */
  #needsAnother = false;
  /** The GOP that is coming is lost. */
  #isDropping = false;
  #work: Promise<void> = Promise.resolve();

  constructor(context: RecordingSessionContext) {
    this.#context = context;
    this.#mode = context.type;
    this.#sinceMs = context.now();
  }

  /** On the disk and on the way to it. */
  get byteLength(): number {
    return this.#state.at === 'writing' ? this.#state.opened.file.byteLength : 0;
  }

  start(tracks: readonly Track[]): void {
    this.#tracks = tracks;
    this.#samples = new Map();
    this.#isDropping = false;
    this.tell();
  }

  write(unit: AccessUnit): void {
    this.#noteTrack(unit);
    const state = this.#state;
    switch (state.at) {
      case 'waiting':
        if (this.#beginsGop(unit)) this.#open(unit);
        return;
      case 'stopped':
        if (this.#context.now() >= state.untilMs && this.#beginsGop(unit)) this.#open(unit);
        return;
      case 'opening':
        this.#hold(state, unit);
        return;
      case 'writing':
        try {
          this.#writeTo(state.opened, unit);
        } catch (error) {
          // Parameter sets that cannot be read: the stream must not notice.
          this.fail(error);
        }
        return;
      case 'closed':
        return;
    }
  }

  stop(): void {
    this.flush();
  }

  flush(): void {
    if (this.#state.at === 'writing') this.#state.opened.file.flush();
  }

  /** The recording cannot go on for now. */
  fail(error: unknown): void {
    const { at } = this.#state;
    if (at === 'closed' || at === 'stopped') return;
    const isOfStream = error instanceof UnsupportedError || error instanceof ParseError;
    const trouble = isOfStream
      ? { code: 'codec' as const, reason: `${error.message}.` }
      : diskTrouble(error);
    this.#release();
    if (this.#isClosing) this.#state = { at: 'closed' };
    else this.#enter({ at: 'stopped', trouble, untilMs: this.#context.now() + RETRY_MS });
  }

  /** When the file is closed. What waits for a file that is being opened is written first. */
  async close(): Promise<void> {
    if (this.#state.at === 'opening') this.#isClosing = true;
    else this.#end();
    for (let work: Promise<void> | undefined; work !== this.#work; ) {
      work = this.#work;
      await work;
    }
  }

  #end(): void {
    this.#release();
    this.#state = { at: 'closed' };
  }

  /** For people. */
  tell(): void {
    const { stream, onStatus } = this.#context;
    const state = this.#state;
    // Whoever asked for it has gone: nobody would take back what is told now.
    if (state.at === 'closed' || this.#isClosing) return;
    onStatus({
      stream,
      ...wordsOf(state),
      bytes: this.byteLength,
      droppedGops: this.droppedGops,
      since: new Date(this.#sinceMs).toISOString(),
      nextRetryAt: state.at === 'stopped' ? new Date(state.untilMs).toISOString() : null,
    });
  }

  #open(first: AccessUnit): void {
    const state: State = { at: 'opening', units: [], byteLength: 0 };
    const samples = new Map(this.#samples).set(first.track, first.data.slice());
    const beginning = { tracks: this.#tracks, first: ownCopy(first), samples };
    this.#isDropping = false;
    this.#state = state;
    this.#hold(state, first);
    // One after another: the file before is closed first.
    this.#work = this.#work.then(() => this.#openFile(state, beginning));
  }

  async #openFile(state: State & { at: 'opening' }, beginning: FileBeginning): Promise<void> {
    const { open } = this.#context;
    let opened: OpenedFile | undefined;
    let failure: { readonly error: unknown } | undefined;
    try {
      opened = await open(this.#mode, beginning, (error) => {
        failure ??= { error };
        if (this.#state.at === 'writing' && this.#state.opened === opened) this.fail(error);
      });
    } catch (error) {
      if (this.#state === state) this.fail(error);
      return;
    }
    this.#mode = 'append';
    if (this.#state !== state) {
      // It has failed meanwhile: nobody would close the file.
      await opened.file.close();
      return;
    }
    this.#enter({ at: 'writing', opened });
    if (failure !== undefined) this.fail(failure.error);
    // The GOP that is coming may have lost something while the file was opened; those that wait are whole.
    const wasDropping = this.#isDropping;
    this.#isDropping = false;
    for (const unit of state.units) this.write(unit);
    if (wasDropping) this.#isDropping = true;
    opened.file.flush();
    // Unless another file is being opened for what waited.
    if (this.#isClosing && this.#state.at !== 'opening') this.#end();
  }

  #writeTo({ file }: OpenedFile, unit: AccessUnit): void {
    if (!this.#admits(unit, file.backlogBytes)) return;
    const isTaken = file.takes(unit);
    if (!isTaken) this.#needsAnother = true;
    if (this.#needsAnother && this.#beginsGop(unit)) {
      this.#needsAnother = false;
      this.#release();
      this.#mode = 'another';
      this.#open(unit);
    } else if (isTaken) {
      file.write(unit);
    }
  }

  #hold(state: State & { at: 'opening' }, unit: AccessUnit): void {
    if (!this.#admits(unit, state.byteLength)) return;
    state.units.push(ownCopy(unit));
    state.byteLength += ACCESS_UNIT_HEADROOM + unit.data.length;
  }

  #admits(unit: AccessUnit, backlogBytes: number): boolean {
    const hasRoom = backlogBytes + unit.data.length <= MAX_BACKLOG_BYTES;
    if (this.#isDropping && hasRoom && this.#beginsGop(unit)) this.#isDropping = false;
    if (this.#isDropping) {
      if (this.#beginsGop(unit)) this.droppedGops += 1;
      return false;
    }
    if (hasRoom) return true;
    this.#isDropping = true;
    this.droppedGops += 1;
    return false;
  }

  /** The file is closed in its own time. */
  #release(): void {
    if (this.#state.at !== 'writing') return;
    const { file } = this.#state.opened;
    this.#work = this.#work.then(() => file.close());
  }

  #enter(state: State): void {
    this.#state = state;
    this.#sinceMs = this.#context.now();
    this.tell();
  }

  #beginsGop({ track, randomAccess }: AccessUnit): boolean {
    const hasVideo = this.#tracks.some(({ kind }) => kind === 'video');
    return track.kind === 'video' ? randomAccess : !hasVideo;
  }

  /** A unit of each track is kept where a file begins with the next GOP: some formats must have seen one. */
  #noteTrack({ track, data }: AccessUnit): void {
    if (!this.#tracks.includes(track)) {
      const others = this.#tracks.filter(({ kind }) => kind !== track.kind);
      for (const each of this.#samples.keys())
        if (!others.includes(each)) this.#samples.delete(each);
      this.#tracks = track.kind === 'video' ? [track, ...others] : [...others, track];
    }
    if (track.kind === 'audio' && !this.#samples.has(track)) this.#samples.set(track, data.slice());
  }
}

function wordsOf(
  state: Exclude<State, { at: 'closed' }>,
): Pick<RecordingStatus, 'state' | 'code' | 'reason' | 'file'> {
  switch (state.at) {
    case 'waiting':
    case 'opening':
      return { state: 'waiting', code: 'starting', reason: 'Waiting for a keyframe.', file: null };
    case 'writing': {
      const { name, file } = state.opened;
      const leftOut = file.leftOut.length === 0 ? '' : ` Left out: ${file.leftOut.join(', ')}.`;
      return { state: 'recording', code: 'ok', reason: `Recording.${leftOut}`, file: name };
    }
    case 'stopped': {
      const { code, reason } = state.trouble;
      return { state: 'stopped', code, reason: `${reason} Trying again.`, file: null };
    }
  }
}

function ownCopy(unit: AccessUnit): AccessUnit {
  const data = new Uint8Array(ACCESS_UNIT_HEADROOM + unit.data.length).subarray(
    ACCESS_UNIT_HEADROOM,
  );
  data.set(unit.data);
  return { ...unit, data, kept: false };
}
