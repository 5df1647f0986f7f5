/**
 * One stream → segments and parts of fragmented MP4, framed once for all viewers. Picture and sound lie in the same
 * segments; cuts follow the picture, or the sound where there is none.
 */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { equalBytes } from '../../../codecs/bytes.ts';
import { codecName } from '../../../codecs/codec-name.ts';
import { ParseError } from '../../../codecs/errors.ts';
import { FragmentWriter } from '../../../codecs/mp4/fragment-writer.ts';
import { serializeInitSegment } from '../../../codecs/mp4/init-segment.ts';
import { type TrackForm, trackForm } from '../../../codecs/mp4/track-form.ts';
import type { StreamSink } from '../../../codecs/stream-sink.ts';
import type { AudioTrack, Track, VideoTrack } from '../../../codecs/track.ts';
import { AwaitedPicture } from '../awaited-picture.ts';
import { Cutter, MAX_SEGMENT_BYTES } from './cutter.ts';
import { type Initialization, Segment } from './segment.ts';

/** Nothing for so long is a hole: what comes after it begins anew. Slower cameras exist, at a picture a second. */
const HOLE_US = 2_500_000;
const MAX_CLOCK_ERROR_MS = 60_000;
/** In a segment of two seconds: 1 %, more than any clock is wrong that still works. */
const CLOCK_STEP_MS = 20;
/** Of the first frame, which tells what AC-3 is. */
const AUDIO_HEADER_BYTES = 16;
/** A stream begins with 0, its sound perhaps a little before. */
const ORIGIN_US = -10_000_000;
const NOTHING = new Uint8Array(0);

export interface SegmenterEvents {
  /** A part, a segment, or the end of what was hoped for: whoever waits looks again. */
  readonly changed: () => void;
}

export class Segmenter implements StreamSink {
  /** Whole ones and, at the end, the one that is being made. */
  readonly segments: Segment[] = [];
  /** Among those taken away. */
  discontinuitiesGone = 0;
  /** Codecs that MP4 has no form for, as people call them. */
  leftOut: readonly string[] = [];
  readonly #cutter = new Cutter();
  readonly #awaitedPicture = new AwaitedPicture();
  readonly #changed: () => void;
  readonly #wallClock: () => number;
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #isOnline = false;
  #isFlowing = false;
  /** For the first frame of AC-3, since the source is there. */
  #hasWaited = false;
  #firstAudio: Uint8Array | undefined;
  /** What the open segment, or the last one, is made of. */
  #writing: Writing | undefined;
  #open: Segment | undefined;
  /** Tracks of which nothing can be carried. */
  #refused: Pick<Writing, 'video' | 'audio'> | undefined;
  #nextNumber: number;
  #nextInitialization = 0;
  #hasBegun = false;
  #isDiscontinuity = false;
  #lastUs: number | undefined;
  /** Wall clock where the stream's time is 0. */
  #clockAtZeroMs: number | undefined;

  /**
   * `firstNumber`: of the first segment; those of a segmenter that begins later must be higher. `wallClock`: ms
   * since 1970.
   */
  constructor(firstNumber: number, wallClock: () => number, { changed }: SegmenterEvents) {
    this.#nextNumber = firstNumber;
    this.#wallClock = wallClock;
    this.#changed = changed;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Online, and something of it is there already. */
  get isFlowing(): boolean {
    return this.#isOnline && this.#isFlowing;
  }

  /** MP4 has no form for any of its tracks, or none for its picture. */
  get isRefused(): boolean {
    return this.#refused !== undefined;
  }

  get targetDurationS(): number | undefined {
    return this.#cutter.targetDurationS;
  }

  get partTargetUs(): number | undefined {
    return this.#cutter.partTargetUs;
  }

  /** Where the next part will be; it is written, or awaited. */
  get nextPart(): { readonly segment: number; readonly part: number } {
    const { number = this.#nextNumber, parts = [] } = this.#open ?? {};
    return { segment: number, part: parts.length };
  }

  /** The oldest whole segment goes. Those who still send it hold its bytes. */
  dropOldest(): void {
    const [oldest] = this.segments;
    if (oldest?.isComplete !== true) return;
    this.segments.shift();
    if (oldest.isDiscontinuity) this.discontinuitiesGone += 1;
  }

  /** Players do not get from sound alone to pictures, or back: who begins now must not begin with the other kind. */
  #dropAll(): void {
    for (let left = this.segments.length; left > 0; left -= 1) this.dropOldest();
  }

  start(tracks: readonly Track[]): void {
    this.#endSegment();
    this.#isOnline = true;
    this.#isFlowing = false;
    this.#isDiscontinuity = this.#hasBegun;
    this.#lastUs = undefined;
    this.#video = tracks.find((track) => track.kind === 'video');
    const audio = tracks.find((track) => track.kind === 'audio');
    // The same camera, most likely: what its frames are is known.
    if (audio?.codec !== this.#audio?.codec) this.#firstAudio = undefined;
    this.#audio = audio;
    this.#hasWaited = false;
    this.#awaitedPicture.restart();
  }

  write(unit: AccessUnit): void {
    const { track } = unit;
    if (track.kind === 'audio') this.#noteAudio(track, unit);
    else this.#noteVideo(track);
    const leads = track.kind === 'video' || this.#video === undefined;
    if (leads) this.#cutBefore(unit);
    const writing = this.#writing;
    // A new track begins with the next segment.
    if (this.#open === undefined || writing === undefined || !writing.has(track)) return;
    writing.writer.push(unit);
    // The picture has stopped, and only sound comes.
    if (!leads && writing.writer.byteLength > MAX_SEGMENT_BYTES) this.#endSegment();
  }

  stop(): void {
    this.#endSegment();
    this.#isOnline = false;
    this.#changed();
  }

  #noteAudio(track: AudioTrack, { data, dtsUs }: AccessUnit): void {
    if (this.#video !== undefined && this.#awaitedPicture.isGivenUp(dtsUs)) this.#video = undefined;
    if (this.#firstAudio !== undefined && track === this.#audio) return;
    this.#audio = track;
    this.#firstAudio = data.slice(0, AUDIO_HEADER_BYTES);
  }

  /** Pictures that were not there before, or changed, cannot go on in the same segment. */
  #noteVideo(track: VideoTrack): void {
    this.#awaitedPicture.came();
    if (track === this.#video) return;
    this.#video = track;
    this.#endSegment();
  }

  #cutBefore(unit: AccessUnit): void {
    const { dtsUs, randomAccess } = unit;
    if (this.#isHole(dtsUs)) {
      this.#endSegment();
      this.#isDiscontinuity = this.#hasBegun;
    }
    this.#lastUs = dtsUs;
    this.#correctClock(dtsUs);
    const open = this.#open;
    if (open === undefined) {
      if (randomAccess && !this.#waitsForAudio()) this.#beginSegment(unit);
      // What is lost here is a hole in the times of what comes.
      else this.#isDiscontinuity = this.#hasBegun;
      return;
    }
    const byteLength = open.byteLength + (this.#writing?.writer.byteLength ?? 0);
    const cut = this.#cutter.decide(dtsUs, randomAccess, byteLength);
    if (cut === 'part') {
      this.#endPart(dtsUs);
      this.#changed();
    }
    if (cut !== 'segment') return;
    this.#endSegment(dtsUs);
    this.#beginSegment(unit);
  }

  #isHole(dtsUs: number): boolean {
    if (this.#lastUs === undefined) return false;
    return dtsUs < this.#lastUs || dtsUs - this.#lastUs > HOLE_US;
  }

  /** For a GOP: what would begin without sound would begin anew with it, which many players do not survive. */
  #waitsForAudio(): boolean {
    const codec = this.#firstAudio === undefined ? this.#audio?.codec : undefined;
    const waits = !this.#hasWaited && (codec === 'ac3' || codec === 'eac3');
    this.#hasWaited = true;
    return waits;
  }

  #beginSegment(unit: AccessUnit): void {
    const { dtsUs, randomAccess } = unit;
    const writing = this.#writingFor(unit);
    if (writing === undefined) return;
    this.#writing = writing;
    this.#open = new Segment({
      number: this.#nextNumber,
      initialization: writing.initialization,
      isDiscontinuity: this.#isDiscontinuity,
      isIndependent: randomAccess,
      startedAtMs: this.#wallTimeOf(dtsUs),
    });
    this.#nextNumber += 1;
    this.#hasBegun = true;
    this.#isDiscontinuity = false;
    this.#cutter.beginSegment(dtsUs);
    this.segments.push(this.#open);
  }

  /** The same as for the segment before, as long as tracks and times go on. undefined: nothing can be carried. */
  #writingFor({ data, randomAccess }: AccessUnit): Writing | undefined {
    const before = this.#writing;
    const isSame = before?.video === this.#video && before?.audio === this.#audio;
    const goesOn = !this.#isDiscontinuity && ((isSame && before?.isWhole) || !randomAccess);
    if (before !== undefined && goesOn) return before;
    const writing = this.#makeWriting(data);
    if (writing === undefined) return undefined;
    const { initialization } = writing;
    if (!equalBytes(initialization.bytes, before?.initialization.bytes ?? NOTHING)) {
      this.#isDiscontinuity = this.#hasBegun;
      if (before !== undefined && hasPicture(before) !== hasPicture(writing)) this.#dropAll();
      return writing;
    }
    if (before === undefined) return writing;
    // Times that have nothing to do with those before need a writer that does not know those.
    const { writer } = this.#isDiscontinuity ? writing : before;
    return { ...writing, initialization: before.initialization, writer };
  }

  #makeWriting(firstUnit: Uint8Array): Writing | undefined {
    const video = this.#video;
    const audio = this.#audio;
    if (this.#refused?.video === video && this.#refused?.audio === audio) return undefined;
    const leftOut: string[] = [];
    const videoForm = video && formOf(video, firstUnit, leftOut);
    const audioForm = audio && formOf(audio, this.#firstAudio, leftOut);
    this.leftOut = leftOut;
    const forms = [videoForm, audioForm].filter((form) => form !== undefined);
    const first = forms[0];
    // Cuts follow the picture: where it cannot be carried nothing can.
    if (first === undefined || (video !== undefined && videoForm === undefined)) {
      this.#refused = { video, audio };
      this.#changed();
      return undefined;
    }
    this.#refused = undefined;
    const initialization = {
      number: this.#nextInitialization,
      bytes: serializeInitSegment(forms),
      codecs: forms.map(({ codec }) => codec),
    };
    this.#nextInitialization += 1;
    return {
      video,
      audio,
      has: (track) =>
        track === (track.kind === 'video' ? video : audioForm === undefined ? undefined : audio),
      // AC-3 has not come yet: with the next segment it may be there.
      isWhole: audio === undefined || audioForm !== undefined || this.#firstAudio !== undefined,
      initialization,
      writer: new FragmentWriter(forms, ORIGIN_US),
    };
  }

  /** Clocks of camera and gateway drift apart: a little is made up for with each segment, so that no time steps. */
  #wallTimeOf(dtsUs: number): number {
    const wallMs = this.#wallClock();
    const atZeroMs = wallMs - dtsUs / 1000;
    const knownMs = this.#isDiscontinuity ? undefined : this.#clockAtZeroMs;
    const errorMs = knownMs === undefined ? Number.POSITIVE_INFINITY : atZeroMs - knownMs;
    // A clock that was set, or never was.
    if (knownMs === undefined || Math.abs(errorMs) > MAX_CLOCK_ERROR_MS) {
      this.#clockAtZeroMs = atZeroMs;
      return Math.round(wallMs);
    }
    this.#clockAtZeroMs = knownMs + Math.max(-CLOCK_STEP_MS, Math.min(CLOCK_STEP_MS, errorMs));
    return Math.round(this.#clockAtZeroMs + dtsUs / 1000);
  }

  /** What a GOP cache gives comes at once, and late: the latest unit tells the time of the first segment. */
  #correctClock(dtsUs: number): void {
    if (this.targetDurationS !== undefined || this.#clockAtZeroMs === undefined) return;
    const earlierMs = Math.min(0, this.#wallClock() - dtsUs / 1000 - this.#clockAtZeroMs);
    this.#clockAtZeroMs += earlierMs;
    if (this.#open !== undefined) this.#open.startedAtMs += Math.round(earlierMs);
  }

  #endPart(nextDtsUs: number | undefined): void {
    const part = this.#writing?.writer.finish(nextDtsUs);
    if (part === undefined) return;
    this.#open?.add(part);
    this.#isFlowing = true;
    if (nextDtsUs !== undefined) this.#cutter.partEnded(part.durationUs);
  }

  /** `nextDtsUs`: of the unit that comes next, where one goes on. */
  #endSegment(nextDtsUs?: number): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#endPart(nextDtsUs);
    this.#open = undefined;
    if (open.parts.length === 0) {
      this.segments.pop();
      this.#nextNumber -= 1;
      return;
    }
    open.isComplete = true;
    // One that was broken off tells nothing of the others.
    if (nextDtsUs !== undefined) this.#cutter.segmentEnded(open.durationUs);
    this.#changed();
  }
}

interface Writing {
  readonly video: VideoTrack | undefined;
  readonly audio: AudioTrack | undefined;
  /** Whether it carries this track. */
  readonly has: (track: Track) => boolean;
  readonly isWhole: boolean;
  readonly initialization: Initialization;
  readonly writer: FragmentWriter;
}

function hasPicture({ video }: Writing): boolean {
  return video !== undefined;
}

function formOf(
  track: Track,
  firstUnit: Uint8Array | undefined,
  leftOut: string[],
): TrackForm | undefined {
  const form = readableForm(track, firstUnit);
  if (form === undefined) leftOut.push(codecName(track));
  return form;
}

/** Parameter sets that cannot be read are a track that cannot be carried. */
function readableForm(track: Track, firstUnit: Uint8Array | undefined): TrackForm | undefined {
  try {
    return trackForm(track, firstUnit);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
