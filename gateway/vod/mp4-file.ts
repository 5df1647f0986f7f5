/**
 * A MP4 file: the samples of its moov, in the order of their decoding times, and behind them those of its fragments, one fragment in
 * memory at a time. Its sample tables stay packed; its media is read sample by sample.
 *
 * Times count from the first decoding time of the file, which an edit list may have put before 0.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { ParseError } from '../../codecs/errors.ts';
import { parseFragment } from '../../codecs/mp4/fragment-samples.ts';
import { type Movie, parseMovie } from '../../codecs/mp4/movie.ts';
import {
  MFRO_BYTES,
  parseRandomAccessIndex,
  randomAccessIndexSize,
} from '../../codecs/mp4/random-access-index.ts';
import { type Mp4Sample, SampleCursor } from '../../codecs/mp4/sample-table.ts';
import type { Track } from '../../codecs/track.ts';
import type { FileRanges } from './file-ranges.ts';
import { type BoxPlace, boxAt } from './mp4-boxes.ts';
import { Mp4Samples } from './mp4-samples.ts';
import { SeekIndex } from './seek-index.ts';
import { VodError, type VodFile } from './vod-file.ts';

/** A day and a half of pictures and sound. */
const MAX_MOOV_BYTES = 48 * 1024 * 1024;
/** 100 000 samples in their longest form. */
const MAX_MOOF_BYTES = 2 * 1024 * 1024;
const MAX_MFRA_BYTES = 1024 * 1024;
/** Boxes before the moov: of a file that begins with something else they are chance. */
const MAX_BOXES_BEFORE_MOOV = 4096;

interface TimedSample {
  readonly sample: Mp4Sample;
  readonly reader: Mp4Samples;
  readonly dtsUs: number;
}

interface FragmentPlace {
  /** Of its first picture that decoding may start at. */
  readonly timeMs: number;
  readonly at: number;
}

export class Mp4File implements VodFile {
  tracks: readonly Track[] = [];
  durationMs: number;
  /** What its tables hold. */
  readonly indexBytes: number;
  readonly #file: FileRanges;
  readonly #movie: Movie;
  readonly #readers: readonly Mp4Samples[];
  /** Of the samples in the moov, one for each reader. */
  readonly #cursors: readonly SampleCursor[];
  #originUs = 0;
  /** Where fragments may be. */
  readonly #moovEnd: number;
  readonly #index = new SeekIndex<FragmentPlace>();
  /** How far the index has come. */
  #indexedTo: number;
  #named: readonly FragmentPlace[] = [];
  /** Of the fragment at hand. */
  #samples: readonly TimedSample[] = [];
  #next = 0;
  #fragmentAt: number;
  /** Where each track goes on, for fragments that do not say. */
  readonly #endTicks = new Map<number, number>();
  #lent: { readonly reader: Mp4Samples; readonly unit: AccessUnit } | undefined;

  private constructor(file: FileRanges, movie: Movie, { at, end: moovEnd }: BoxPlace) {
    this.indexBytes = moovEnd - at;
    this.#file = file;
    this.#movie = movie;
    this.#moovEnd = moovEnd;
    this.#indexedTo = moovEnd;
    this.#fragmentAt = moovEnd;
    this.durationMs = movie.durationMs;
    const tracks = [movie.video, movie.audio].filter((track) => track !== undefined);
    this.#readers = tracks.map((track) => new Mp4Samples(track, file.another()));
    this.#cursors = tracks.map((track) => new SampleCursor(track.samples));
  }

  /** Throws ParseError or UnsupportedError. */
  static async open(file: FileRanges, maxMoovBytes: number): Promise<Mp4File> {
    const moov = await findMoov(file);
    if (moov.end - moov.at > maxMoovBytes) throw new VodError('busy', 'too much is being played');
    const bytes = new Uint8Array(moov.end - moov.at - moov.headerBytes);
    if (!(await file.read(moov.at + moov.headerBytes, bytes))) throw new ParseError('half a moov');
    const mp4 = new Mp4File(file, parseMovie(bytes), moov);
    await mp4.#readBeginning();
    if (mp4.#movie.fragmentDefaults !== undefined) await mp4.#readEnd();
    await mp4.#readTracks();
    return mp4;
  }

  async seek(ms: number): Promise<number> {
    this.#takeBack();
    for (const reader of this.#readers) reader.restart();
    const targetUs = ms * 1000 + this.#originUs;
    const inFragments = await this.#seekFragments(ms);
    if (inFragments !== undefined) return inFragments;
    this.#leaveFragment(this.#moovEnd);
    const [first] = this.#readers;
    if (first === undefined) return 0;
    const lead = first.track.samples;
    const sample = lead.syncBefore(lead.sampleAt(first.ticks(targetUs)));
    this.#cursors[0]?.moveTo(sample);
    const fromUs = first.timeUs(this.#cursors[0]?.decodeTicks ?? 0);
    for (const [index, reader] of this.#readers.entries()) {
      const cursor = this.#cursors[index];
      if (index === 0 || cursor === undefined) continue;
      const ticks = reader.ticks(fromUs);
      cursor.moveTo(reader.track.samples.sampleAt(ticks));
      while (cursor.decodeTicks !== undefined && cursor.decodeTicks < ticks) cursor.next();
    }
    return this.#toMs(fromUs);
  }

  async read(): Promise<AccessUnit | undefined> {
    this.#takeBack();
    for (;;) {
      const timed = this.#nextOfMovie() ?? (await this.#nextOfFragments());
      if (timed === undefined) return undefined;
      const { reader, sample } = timed;
      const unit = await reader.read(sample, this.#originUs);
      if (unit === undefined) continue;
      this.#lent = { reader, unit };
      return unit;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #takeBack(): void {
    this.#lent?.reader.release(this.#lent.unit.kept);
    this.#lent = undefined;
  }

  /** The one of all tracks that is decoded first. */
  #nextOfMovie(): { sample: Mp4Sample; reader: Mp4Samples } | undefined {
    let best: { cursor: SampleCursor; reader: Mp4Samples; dtsUs: number } | undefined;
    for (const [index, reader] of this.#readers.entries()) {
      const cursor = this.#cursors[index];
      const ticks = cursor?.decodeTicks;
      if (cursor === undefined || ticks === undefined) continue;
      const dtsUs = reader.timeUs(ticks);
      if (best === undefined || dtsUs < best.dtsUs) best = { cursor, reader, dtsUs };
    }
    const sample = best?.cursor.next();
    if (best === undefined || sample === undefined) return undefined;
    const { reader } = best;
    this.#endTicks.set(reader.track.id, best.cursor.decodeTicks ?? reader.track.samples.endTicks);
    return { sample, reader };
  }

  async #nextOfFragments(): Promise<TimedSample | undefined> {
    while (this.#next >= this.#samples.length) {
      if (this.#movie.fragmentDefaults === undefined) return undefined;
      const moof = await this.#moofFrom(this.#fragmentAt);
      if (moof === undefined) return undefined;
      this.#fragmentAt = moof.end;
      this.#samples = await this.#samplesOf(moof);
      this.#next = 0;
    }
    this.#next += 1;
    return this.#samples[this.#next - 1];
  }

  #leaveFragment(at: number): void {
    this.#samples = [];
    this.#next = 0;
    this.#fragmentAt = at;
  }

  /** In the order of their decoding times. A fragment that is damaged or torn has none. */
  async #samplesOf({ at, headerBytes, end }: BoxPlace): Promise<TimedSample[]> {
    const defaults = this.#movie.fragmentDefaults;
    const length = end - at - headerBytes;
    if (defaults === undefined || length > MAX_MOOF_BYTES) return [];
    const bytes = new Uint8Array(length);
    if (!(await this.#file.read(at + headerBytes, bytes))) return [];
    const timed: TimedSample[] = [];
    try {
      for (const { trackId, samples, endTicks } of parseFragment(
        bytes,
        at,
        defaults,
        this.#endTicks,
      )) {
        const reader = this.#readers.find(({ track }) => track.id === trackId);
        if (reader === undefined) continue;
        this.#endTicks.set(trackId, endTicks);
        for (const sample of samples) {
          timed.push({ sample, reader, dtsUs: reader.timeUs(sample.decodeTicks) });
        }
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      return [];
    }
    return timed.sort((a, b) => a.dtsUs - b.dtsUs);
  }

  /** undefined: it lies before the fragments, or there are none. */
  async #seekFragments(ms: number): Promise<number | undefined> {
    if (this.#movie.fragmentDefaults === undefined) return undefined;
    const place = await this.#fragmentBefore(ms);
    if (place === undefined || (place.timeMs > ms && this.#hasMovieSamples)) return undefined;
    const moof = await this.#moofFrom(place.at);
    if (moof === undefined) return undefined;
    for (const [index, reader] of this.#readers.entries()) {
      this.#cursors[index]?.moveTo(reader.track.samples.sampleCount);
    }
    const samples = await this.#samplesOf(moof);
    const start = samples.findLast(
      (timed) => this.#isStart(timed) && this.#toMs(timed.dtsUs) <= Math.max(ms, place.timeMs),
    );
    if (start === undefined) return undefined;
    this.#fragmentAt = moof.end;
    this.#samples = samples.filter(({ dtsUs }) => dtsUs >= start.dtsUs);
    this.#next = 0;
    return this.#toMs(start.dtsUs);
  }

  get #hasMovieSamples(): boolean {
    return this.#readers.some(({ track }) => track.samples.sampleCount > 0);
  }

  #isStart({ reader, sample }: TimedSample): boolean {
    return reader === this.#readers[0] && sample.isSync;
  }

  /** By what the file says of itself where it does, else by walking on from where the index has come to. */
  async #fragmentBefore(ms: number): Promise<FragmentPlace | undefined> {
    const named = await this.#believed(this.#named.findLast(({ timeMs }) => timeMs <= ms));
    const known = this.#index.at(ms);
    const best = named !== undefined && named.timeMs > (known?.timeMs ?? 0) ? named : known;
    const isKept = best === undefined || best.at < this.#indexedTo;
    let from = best?.at ?? this.#moovEnd;
    let found = best;
    for (;;) {
      const moof = await this.#moofFrom(from);
      if (moof === undefined) return found;
      const first = (await this.#samplesOf(moof)).find((timed) => this.#isStart(timed));
      from = moof.end;
      if (first === undefined) continue;
      const place = { timeMs: this.#toMs(first.dtsUs), at: moof.at };
      if (isKept && moof.at >= this.#indexedTo) {
        this.#index.add(place);
        this.#indexedTo = moof.end;
      }
      if (place.timeMs > ms) return found ?? place;
      found = place;
    }
  }

  /** If a moof begins there. */
  async #believed(place: FragmentPlace | undefined): Promise<FragmentPlace | undefined> {
    if (place === undefined || place.at < this.#moovEnd) return undefined;
    return (await boxAt(this.#file, place.at))?.type === 'moof' ? place : undefined;
  }

  async #moofFrom(from: number): Promise<BoxPlace | undefined> {
    for (let at = from; ; ) {
      const found = await boxAt(this.#file, at);
      if (found === undefined) return undefined;
      if (found.type === 'moof') return found.end <= this.#file.size ? found : undefined;
      at = found.end;
    }
  }

  /** Where its times begin, and how its fragments count them. */
  async #readBeginning(): Promise<void> {
    const moof = await this.#moofFrom(this.#moovEnd);
    const first = moof === undefined ? [] : await this.#samplesOf(moof);
    for (const { reader, sample } of first) reader.expect([sample]);
    const firstUs = this.#readers.map((reader, index) => {
      const ticks = this.#cursors[index]?.decodeTicks;
      const inFragment = first.find((timed) => timed.reader === reader)?.sample.decodeTicks;
      return reader.timeUs(ticks ?? inFragment ?? 0);
    });
    this.#endTicks.clear();
    this.#originUs = Math.min(0, ...firstUs);
  }

  /** What only the end of a fragmented file tells: the places of its fragments, and how long it is. */
  async #readEnd(): Promise<void> {
    await this.#readNamed();
    if (this.durationMs > 0) return;
    let last: BoxPlace | undefined;
    let from = (await this.#believed(this.#named.at(-1)))?.at ?? this.#moovEnd;
    for (;;) {
      const moof = await this.#moofFrom(from);
      if (moof === undefined) break;
      last = moof;
      from = moof.end;
    }
    if (last !== undefined) await this.#samplesOf(last);
    const endsUs = this.#readers.map((reader) =>
      reader.timeUs(this.#endTicks.get(reader.track.id) ?? reader.track.samples.endTicks),
    );
    this.durationMs = this.#toMs(Math.max(0, ...endsUs));
  }

  async #readNamed(): Promise<void> {
    const [lead] = this.#readers;
    const { size } = this.#file;
    const length = randomAccessIndexSize(await this.#file.view(size - MFRO_BYTES, MFRO_BYTES));
    if (lead === undefined || length === undefined || length > MAX_MFRA_BYTES) return;
    const mfra = await boxAt(this.#file, size - length);
    if (mfra?.type !== 'mfra' || mfra.end !== size) return;
    const bytes = new Uint8Array(size - mfra.at - mfra.headerBytes);
    if (!(await this.#file.read(mfra.at + mfra.headerBytes, bytes))) return;
    try {
      const points = parseRandomAccessIndex(bytes, lead.track.id);
      const named: FragmentPlace[] = [];
      for (const { ticks, position } of points) {
        // Presentation times: a picture is never decoded later.
        named.push({ timeMs: this.#toMs(lead.timeUs(ticks)), at: position });
      }
      this.#named = named;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  }

  /** Some tracks are told by their first unit. */
  async #readTracks(): Promise<void> {
    const tracks = new Map<Mp4Samples, Track>();
    for (let units = 0; units < MAX_FIRST_UNITS && tracks.size < this.#readers.length; units += 1) {
      const unit = await this.read();
      if (unit === undefined || this.#lent === undefined) break;
      tracks.set(this.#lent.reader, unit.track);
    }
    this.tracks = this.#readers.flatMap((reader) => tracks.get(reader) ?? []);
    if (this.tracks.length === 0) throw new ParseError('nothing in it can be played');
    this.#takeBack();
    await this.seek(0);
  }

  #toMs(us: number): number {
    return Math.round((us - this.#originUs) / 1000);
  }
}

/** Of both tracks, before one of them is given up: some seconds. */
const MAX_FIRST_UNITS = 500;

async function findMoov(file: FileRanges): Promise<BoxPlace> {
  let at = 0;
  for (let count = 0; count < MAX_BOXES_BEFORE_MOOV; count += 1) {
    const found = await boxAt(file, at);
    if (found === undefined) break;
    if (found.type === 'moov') {
      if (found.end - found.at > MAX_MOOV_BYTES) throw new ParseError('its moov is too large');
      if (found.end > file.size) break;
      return found;
    }
    at = found.end;
  }
  throw new ParseError('no moov is in it: it is no MP4 file, or was never finished');
}
