/**
 * Access units → movie fragments. A unit's bytes are copied once, to their final place in the mdat; a fragment is
 * a few pieces of memory that are never written again, so that any number of players and files may refer to them.
 * How long a fragment gets, in time and in bytes, is its owner's decision.
 */
import type { AccessUnit } from '../access-unit.ts';
import { serializeFragmentHeader, type TrackRun } from './movie-fragment.ts';
import type { TrackForm } from './track-form.ts';

/**
 * Sources with times in milliseconds (RTMP) are off by up to one; sound that is no more out of place goes on
 * without a gap, because decoders make a click of each gap.
 */
const AUDIO_SLACK_US = 1_500;
/** Of a picture whose successor is not known, when none came before it: 25 a second. */
const USUAL_PICTURE_US = 40_000;
const INITIAL_BYTES = 8 * 1024;
/** The next fragment is about as large as the last: with a little more, the usual unit is copied once. */
const SPARE = 1.25;

export interface Fragment {
  /** moof and mdat, to be sent one piece after the other. */
  readonly pieces: readonly Uint8Array[];
  readonly byteLength: number;
  /** Of the picture, else of the sound: what it adds to the time line. */
  readonly durationUs: number;
  /** Decoding may begin with one of its pictures, not always the first. */
  readonly isIndependent: boolean;
}

export class FragmentWriter {
  readonly #tracks: readonly TrackWriter[];
  readonly #video: TrackWriter | undefined;
  readonly #audio: TrackWriter | undefined;
  #sequenceNumber = 0;

  /** `forms`: as in the init segment, one of a kind at most. `originUs`: what is 0 in the file; earlier is 0, too. */
  constructor(forms: readonly TrackForm[], originUs: number) {
    this.#tracks = forms.map((form, index) => new TrackWriter(form, index + 1, originUs));
    this.#video = this.#tracks.find(({ form }) => form.kind === 'video');
    this.#audio = this.#tracks.find(({ form }) => form.kind === 'audio');
  }

  /** Of the fragment that is being written. */
  get byteLength(): number {
    return (this.#video?.byteLength ?? 0) + (this.#audio?.byteLength ?? 0);
  }

  /** Copies the unit; one of a kind that there is no track for is left out. */
  push(unit: AccessUnit): void {
    (unit.track.kind === 'video' ? this.#video : this.#audio)?.push(unit);
  }

  /** `nextDtsUs`: of the picture that comes next, where it is known. undefined: nothing was written. */
  finish(nextDtsUs?: number): Fragment | undefined {
    const written = this.#tracks.filter((track) => !track.isEmpty);
    const [first] = written;
    if (first === undefined) return undefined;
    const isIndependent = first.hasSync;
    const runs = written.map((track) =>
      track.finish(track === this.#video ? nextDtsUs : undefined),
    );
    this.#sequenceNumber += 1;
    const header = serializeFragmentHeader(
      this.#sequenceNumber,
      runs.map(({ run }) => run),
    );
    const pieces = [header, ...runs.map(({ data }) => data)];
    return {
      pieces,
      byteLength: pieces.reduce((sum, piece) => sum + piece.length, 0),
      durationUs: runs[0]?.durationUs ?? 0,
      isIndependent,
    };
  }
}

interface OpenSample {
  readonly decodeTicks: number;
  readonly ownTicks: number | undefined;
  readonly byteLength: number;
  readonly compositionOffsetTicks: number;
  readonly isSync: boolean;
}

class TrackWriter {
  readonly form: TrackForm;
  byteLength = 0;
  readonly #id: number;
  readonly #originUs: number;
  #samples: OpenSample[] = [];
  #data = new Uint8Array(INITIAL_BYTES);
  /** Of the last sample of all, and where it ends. */
  #lastTicks = -1;
  #endTicks: number | undefined;
  #usualTicks: number;

  constructor(form: TrackForm, id: number, originUs: number) {
    this.form = form;
    this.#id = id;
    this.#originUs = originUs;
    this.#usualTicks = this.#toTicks(originUs + USUAL_PICTURE_US);
  }

  get isEmpty(): boolean {
    return this.#samples.length === 0;
  }

  get hasSync(): boolean {
    return this.#samples.some(({ isSync }) => isSync);
  }

  push({ data, dtsUs, ptsUs, randomAccess }: AccessUnit): void {
    const decodeTicks = this.#placed(this.#toTicks(dtsUs));
    const isPicture = this.form.kind === 'video';
    const ownTicks = this.form.ticksOf(data);
    this.#append(data);
    this.#samples.push({
      decodeTicks,
      ownTicks,
      byteLength: data.length,
      compositionOffsetTicks: isPicture ? this.#toTicks(ptsUs) - decodeTicks : 0,
      isSync: randomAccess,
    });
    this.#lastTicks = decodeTicks;
    this.#endTicks = ownTicks === undefined ? undefined : decodeTicks + ownTicks;
  }

  finish(nextDtsUs: number | undefined): { run: TrackRun; data: Uint8Array; durationUs: number } {
    const samples = this.#samples;
    const decodeTimeTicks = samples[0]?.decodeTicks ?? 0;
    const nextTicks = nextDtsUs === undefined ? undefined : this.#placed(this.#toTicks(nextDtsUs));
    let endTicks = decodeTimeTicks;
    const run = {
      trackId: this.#id,
      decodeTimeTicks,
      samples: samples.map((sample, index) => {
        const next = samples[index + 1]?.decodeTicks ?? nextTicks;
        const durationTicks = this.#durationOf(sample, next);
        endTicks += durationTicks;
        return { ...sample, durationTicks };
      }),
    };
    const data = this.#data.subarray(0, this.byteLength);
    this.#data = new Uint8Array(Math.max(INITIAL_BYTES, Math.ceil(this.byteLength * SPARE)));
    this.#samples = [];
    this.byteLength = 0;
    return { run, data, durationUs: this.#toUs(endTicks - decodeTimeTicks) };
  }

  /** After all that came before; sound that is nearly in place is in place. */
  #placed(ticks: number): number {
    const endTicks = this.#endTicks;
    const isNear =
      endTicks !== undefined && Math.abs(this.#toUs(ticks - endTicks)) <= AUDIO_SLACK_US;
    return isNear ? endTicks : Math.max(ticks, this.#lastTicks + 1);
  }

  /** To the next one; the last one as long as it says, else as the one before it. */
  #durationOf({ decodeTicks, ownTicks }: OpenSample, nextTicks: number | undefined): number {
    if (nextTicks === undefined) return ownTicks ?? this.#usualTicks;
    this.#usualTicks = nextTicks - decodeTicks;
    return this.#usualTicks;
  }

  #append(data: Uint8Array): void {
    const end = this.byteLength + data.length;
    if (end > this.#data.length) {
      const larger = new Uint8Array(Math.max(end, this.#data.length * 2));
      larger.set(this.#data.subarray(0, this.byteLength));
      this.#data = larger;
    }
    this.#data.set(data, this.byteLength);
    this.byteLength = end;
  }

  /** A year of microseconds times the clock is past 2^53, and off by a thousandth of a tick. */
  #toTicks(timeUs: number): number {
    return Math.max(0, Math.round(((timeUs - this.#originUs) * this.form.timescale) / 1_000_000));
  }

  #toUs(ticks: number): number {
    return (ticks * 1_000_000) / this.form.timescale;
  }
}
