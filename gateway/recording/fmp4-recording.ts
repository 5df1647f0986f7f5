/**
 * A fragmented MP4 file that is being recorded. It can be read at any moment: fragments are only ever added, one for each GOP. Its duration is
 * patched, and an index of its fragments (mfra) added, when the file is closed; who appends cuts the index off.
 */
import type { FileHandle } from 'node:fs/promises';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { ByteWriter } from '../../codecs/byte-writer.ts';
import { concat, equalBytes } from '../../codecs/bytes.ts';
import { codecName } from '../../codecs/codec-name.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import { box, fullBox } from '../../codecs/mp4/boxes.ts';
import { FragmentWriter } from '../../codecs/mp4/fragment-writer.ts';
import { serializeInitSegment } from '../../codecs/mp4/init-segment.ts';
import { serializeRandomAccessIndex } from '../../codecs/mp4/random-access-index.ts';
import { type TrackForm, trackForm } from '../../codecs/mp4/track-form.ts';
import type { Track } from '../../codecs/track.ts';
import { FileRanges } from '../vod/file-ranges.ts';
import { SeekIndex } from '../vod/seek-index.ts';
import { FileAppender } from './file-appender.ts';
import { type FragmentsTail, findFragmentsTail } from './fmp4-tail.ts';
import { CannotContinueError, RECORDER_MARK, type RecordingFile } from './recording-file.ts';
import type { FileBeginning } from './recording-session.ts';

/** A fragment begins with a keyframe where one comes; a crash loses no more than this. */
const MIN_FRAGMENT_US = 500_000;
const MAX_FRAGMENT_US = 2_000_000;
const MAX_FRAGMENT_BYTES = 4 * 1024 * 1024;
const MEHD_HEADER_BYTES = 12;

export class Fmp4Recording implements RecordingFile {
  readonly leftOut: readonly string[];
  readonly #handle: FileHandle;
  readonly #appender: FileAppender;
  readonly #beginning: Init;
  readonly #originUs: number;
  readonly #writer: FragmentWriter;
  readonly #index = new SeekIndex<FragmentsTail['points'][number]>();
  /** Where each fragment ends that may not be on the disk yet. */
  #fragmentEnds: number[] = [];
  /** Those that go into this file as it is, and those that cannot be in any. */
  readonly #known: WeakMap<Track, 'taken' | 'left out'>;
  #fragmentFromUs: number | undefined;
  #endUs: number;
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    handle: FileHandle,
    beginning: Init,
    tail: FragmentsTail,
    firstUs: number,
    onFailure: (error: unknown) => void,
  ) {
    this.#handle = handle;
    this.#beginning = beginning;
    this.#known = beginning.known;
    this.leftOut = beginning.leftOut;
    this.#originUs = firstUs - tail.endUs;
    this.#endUs = tail.endUs;
    this.#writer = new FragmentWriter(beginning.forms, this.#originUs);
    for (const point of tail.points) this.#index.add(point);
    this.#appender = new FileAppender(handle, tail.end, (error) => {
      this.#failure = { error };
      onFailure(error);
    });
  }

  /** `handle`: of an empty file. Throws when the disk does not take its beginning. */
  static async create(
    handle: FileHandle,
    beginning: FileBeginning,
    onFailure: (error: unknown) => void,
  ): Promise<Fmp4Recording> {
    const init = initOf(beginning);
    const tail = { end: 0, endUs: 0, points: [] };
    const mp4 = new Fmp4Recording(handle, init, tail, beginning.first.dtsUs, onFailure);
    mp4.#appender.append(init.bytes);
    await mp4.#appender.drained();
    if (mp4.#failure !== undefined) throw mp4.#failure.error;
    return mp4;
  }

  /** Goes on behind the last whole fragment. Throws CannotContinueError, for other tracks as well. */
  static async continue(
    handle: FileHandle,
    beginning: FileBeginning,
    onFailure: (error: unknown) => void,
  ): Promise<Fmp4Recording> {
    const { size } = await handle.stat();
    const file = new FileRanges(handle, size);
    const init = initOf(beginning);
    const found = new Uint8Array(init.bytes.length);
    if (!(await file.read(0, found))) throw new CannotContinueError('it is no recording of ours');
    found.fill(0, init.durationAt, init.durationAt + 4);
    if (!equalBytes(found, init.bytes)) {
      throw new CannotContinueError('it is no recording of ours, or has other tracks');
    }
    const tail = await findFragmentsTail(file, init.bytes);
    if (tail.end < size) await handle.truncate(tail.end);
    // As of a new file: a crash leaves nothing that is no longer so.
    await handle.write(new Uint8Array(4), 0, 4, init.durationAt);
    return new Fmp4Recording(handle, init, tail, beginning.first.dtsUs, onFailure);
  }

  get byteLength(): number {
    return this.#appender.position + this.#writer.byteLength;
  }

  get backlogBytes(): number {
    return this.#appender.backlogBytes + this.#writer.byteLength;
  }

  takes({ track, data }: AccessUnit): boolean {
    if (this.#known.has(track)) return true;
    const form = formOf(track, data);
    const own = this.#beginning.forms.find(({ kind }) => kind === track.kind);
    if (form === undefined) {
      this.#known.set(track, 'left out');
      return true;
    }
    const isSame = own !== undefined && equalBytes(own.sampleEntry, form.sampleEntry);
    if (isSame) this.#known.set(track, 'taken');
    return isSame;
  }

  write(unit: AccessUnit): void {
    if (this.#known.get(unit.track) !== 'taken') return;
    if (this.#endsFragment(unit)) this.#finishFragment(unit);
    if (this.#fragmentFromUs === undefined) this.#beginFragment(unit);
    this.#writer.push(unit);
    this.#endUs = Math.max(this.#endUs, unit.dtsUs - this.#originUs);
  }

  flush(): void {
    this.#appender.flush();
  }

  async close(): Promise<void> {
    try {
      this.#finishFragment(undefined);
      await this.#appender.drained();
      const { writtenBytes } = this.#appender;
      const end = this.#fragmentEnds.findLast((each) => each <= writtenBytes);
      if (this.#failure !== undefined && end !== undefined) await this.#handle.truncate(end);
      await this.#patchEnd(this.#failure === undefined ? writtenBytes : end);
      await this.#handle.datasync();
    } catch {
      // The disk has failed, and that was told when it did. All that is in the file can be read without an index.
    } finally {
      await this.#handle.close().catch(() => undefined);
    }
  }

  #endsFragment(unit: AccessUnit): boolean {
    if (this.#fragmentFromUs === undefined) return false;
    const sinceUs = unit.dtsUs - this.#fragmentFromUs;
    const isLead = unit.track.kind === this.#beginning.forms[0]?.kind;
    if (isLead && unit.randomAccess && sinceUs >= MIN_FRAGMENT_US) return true;
    return sinceUs >= MAX_FRAGMENT_US || this.#writer.byteLength >= MAX_FRAGMENT_BYTES;
  }

  #beginFragment({ track, dtsUs, ptsUs, randomAccess }: AccessUnit): void {
    const [lead] = this.#beginning.forms;
    this.#fragmentFromUs = dtsUs;
    if (lead === undefined || track.kind !== lead.kind || !randomAccess) return;
    const us = ptsUs - this.#originUs;
    this.#index.add({
      timeMs: us / 1000,
      ticks: Math.round((us * lead.timescale) / 1_000_000),
      position: this.#appender.position,
    });
  }

  /** `next`: what comes behind it. */
  #finishFragment(next: AccessUnit | undefined): void {
    const isPicture = next?.track.kind === 'video';
    const fragment = this.#writer.finish(isPicture ? next.dtsUs : undefined);
    this.#fragmentFromUs = undefined;
    if (fragment === undefined) return;
    for (const piece of fragment.pieces) this.#appender.append(piece);
    this.#appender.flush();
    const { writtenBytes, position } = this.#appender;
    const lastWritten = this.#fragmentEnds.findLast((end) => end <= writtenBytes);
    this.#fragmentEnds = this.#fragmentEnds.filter((end) => end >= (lastWritten ?? 0));
    this.#fragmentEnds.push(position);
  }

  async #patchEnd(end: number | undefined): Promise<void> {
    if (end === undefined) return;
    const points = this.#index.points.filter(({ position }) => position < end);
    const mfra = serializeRandomAccessIndex(1, points);
    await this.#handle.write(mfra, 0, mfra.length, end);
    const durationMs = new ByteWriter().u32(Math.round(this.#endUs / 1000)).toBytes();
    await this.#handle.write(durationMs, 0, 4, this.#beginning.durationAt);
  }
}

/** undefined as well for parameter sets that cannot be read. */
function formOf(track: Track, unit: Uint8Array | undefined): TrackForm | undefined {
  try {
    return trackForm(track, unit);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

interface Init {
  readonly bytes: Uint8Array;
  readonly forms: readonly TrackForm[];
  readonly known: WeakMap<Track, 'taken' | 'left out'>;
  readonly leftOut: readonly string[];
  /** Of the four bytes of `mehd` that are patched. */
  readonly durationAt: number;
}

function initOf({ tracks, samples }: FileBeginning): Init {
  const forms: TrackForm[] = [];
  const known: Init['known'] = new WeakMap();
  const leftOut: string[] = [];
  for (const track of tracks) {
    const form = formOf(track, samples.get(track));
    known.set(track, form === undefined ? 'left out' : 'taken');
    if (form === undefined)
      leftOut.push(`${track.kind} ${codecName(track)} (MP4 has no form for it)`);
    else forms.push(form);
  }
  if (forms.length === 0)
    throw new UnsupportedError(`Nothing can be recorded: ${leftOut.join(', ')}`);
  const mehd = fullBox('mehd', 0, 0, new Uint8Array(4));
  const init = serializeInitSegment(forms, mehd);
  const mark = box(
    'free',
    Uint8Array.from(RECORDER_MARK, (letter) => letter.charCodeAt(0)),
  );
  const mehdAt = Buffer.from(init.buffer, init.byteOffset, init.length).lastIndexOf(mehd);
  return {
    bytes: concat(init, mark),
    forms,
    known,
    leftOut,
    durationAt: mehdAt + MEHD_HEADER_BYTES,
  };
}
