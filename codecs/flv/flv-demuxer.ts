/**
 * The tags of one FLV stream → access units: what FLV over HTTP and the messages of RTMP have in common.
 *
 * Tracks are told by sequence headers and first frames, in any order and at any time. The sink is started when
 * picture and sound are both known, or one of them and the other is not announced or has not come for a while.
 * What came until then waits, from the first random access picture on. A track that comes later is told by its units. One that
 * onMetaData takes back is gone when it does not come for a while: the sink is started anew without it, so that nobody who
 * begins to play waits for it.
 *
 * Damage is counted; what is after a damaged picture is held back up to the next random access point.
 * FLV 10.1 §E.4; enhanced RTMP v2. Not handled: encryption, several tracks of a kind.
 */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../access-unit.ts';
import { equalBytes } from '../bytes.ts';
import { ParseError, UnsupportedError } from '../errors.ts';
import { RandomAccessGate } from '../random-access-gate.ts';
import { ClockGroup, clockNotes, SourceClock } from '../source-clock.ts';
import type { StreamSink } from '../stream-sink.ts';
import type { AudioTrack, PassedVideoTrack, Track, VideoTrack } from '../track.ts';
import { type AnnouncedMedia, announcedMedia } from './announced-media.ts';
import { parseAudioTagBody } from './audio-tag.ts';
import { FlvPictures } from './flv-pictures.ts';
import { FlvSound } from './flv-sound.ts';
import { FlvTagType } from './tag.ts';
import { parseVideoTagBody, type VideoTagBody } from './video-tag.ts';

/** How long the start waits for the other track, by arrival or by the stream's own clock. */
const MAX_WAIT_MS = 2_000;
/** What may wait: such a while of a 4K camera. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

export interface FlvCounters {
  /** Thrown away because they are damaged, or follow one that is. */
  damagedUnits: number;
  /** Why no picture is handed on although pictures come. */
  awaits: 'parameter-sets' | 'keyframe' | undefined;
  /** How much faster than ours the source's clock runs. */
  clockPercent: number | undefined;
}

/** A kind that onMetaData has announced before, and no longer does. */
interface Withdrawn {
  readonly kind: Track['kind'];
  readonly sinceMs: number;
  isTold: boolean;
}

interface WaitingState {
  readonly at: 'waiting';
  readonly units: AccessUnit[];
  byteLength: number;
  /** When the first of them came. */
  sinceMs: number;
}

export class FlvDemuxer {
  readonly #sink: StreamSink;
  readonly #now: () => number;
  /** Why there is no audio; the first reason stays. */
  #leftOut: string | undefined;
  readonly #gate = new RandomAccessGate();
  readonly #sound = new FlvSound();
  readonly #clocks: { readonly video: SourceClock; readonly audio: SourceClock };
  #pictures: FlvPictures | undefined;
  #passedTrack: PassedVideoTrack | undefined;
  #state: WaitingState | { readonly at: 'started' };
  #announced: AnnouncedMedia = { video: true, audio: true };
  #withdrawn: Withdrawn | undefined;
  #hasAudio = true;
  #lastTimestampMs: number | undefined;
  #timeMs = 0;
  #damaged = 0;
  #awaits: FlvCounters['awaits'];

  /** `now`: milliseconds on a clock that never goes back. */
  constructor(sink: StreamSink, now: () => number) {
    this.#sink = sink;
    this.#now = now;
    const group = new ClockGroup();
    // Decoding times: in order in both.
    this.#clocks = { video: new SourceClock(false, group), audio: new SourceClock(false, group) };
    this.#state = { at: 'waiting', units: [], byteLength: 0, sinceMs: 0 };
  }

  readCounters(into: FlvCounters): void {
    into.damagedUnits = this.#damaged + this.#gate.heldBack;
    into.awaits = this.#awaits;
    const { drift } = this.#videoTrack === undefined ? this.#clocks.audio : this.#clocks.video;
    into.clockPercent = drift === undefined ? undefined : Math.round(drift * 1000) / 10;
  }

  /** In plain words, each once. */
  get notes(): readonly string[] {
    const { video, audio } = this.#clocks;
    const leftOut = this.#leftOut === undefined ? [] : [this.#leftOut];
    return [...leftOut, ...clockNotes('video', video), ...clockNotes('audio', audio)];
  }

  /**
   * One tag, or one message of RTMP. `body` is lent, with ACCESS_UNIT_HEADROOM bytes before it; true: it is kept,
   * leave the bytes as they are. Throws UnsupportedError when the picture cannot be taken.
   */
  push(type: number, timestampMs: number, body: Uint8Array): boolean {
    try {
      switch (type) {
        case FlvTagType.video:
          return this.#readVideo(timestampMs, body);
        case FlvTagType.audio:
          return this.#readAudio(timestampMs, body);
        case FlvTagType.scriptData:
          this.#readAnnouncement(announcedMedia(body));
          return false;
        default:
          return false;
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#damaged += 1;
      if (type === FlvTagType.video) this.#gate.close();
      return false;
    }
  }

  /** Nothing more comes: what waits for the other track goes on without it. */
  end(): void {
    if (this.#state.at === 'waiting' && this.#state.units.length > 0)
      this.#start(this.#state.units);
  }

  #readAnnouncement(announced: AnnouncedMedia | undefined): void {
    if (announced === undefined) return;
    this.#announced = announced;
    if (this.#state.at !== 'started') return;
    const lacking = announced.audio ? this.#videoTrack : this.#sound.track;
    if (lacking === undefined || announced[lacking.kind]) this.#withdrawn = undefined;
    else if (this.#withdrawn?.kind !== lacking.kind) {
      this.#withdrawn = { kind: lacking.kind, sinceMs: this.#now(), isTold: false };
    }
  }

  #readVideo(timestampMs: number, body: Uint8Array): boolean {
    const tag = parseVideoTagBody(body);
    if (tag === undefined || tag.content === 'end') return false;
    switch (tag.codec) {
      case 'h264':
      case 'h265':
        return this.#readPicture(tag.codec, tag, timestampMs);
      case 'av1':
      case 'vp9':
        return this.#passVideo(tag.codec, tag, timestampMs);
    }
  }

  #readPicture(codec: 'h264' | 'h265', tag: VideoTagBody, timestampMs: number): boolean {
    if (this.#pictures?.codec !== codec) this.#pictures = new FlvPictures(codec);
    const pictures = this.#pictures;
    this.#passedTrack = undefined;
    if (tag.content === 'config') {
      pictures.configure(tag.data);
      return false;
    }
    const picture = pictures.read(tag.data, tag.keyframe);
    if (picture === undefined) return this.#hold('parameter-sets');
    const { track, randomAccess, skippedLeading, data } = picture;
    if (!this.#gate.admits(randomAccess, skippedLeading)) {
      pictures.release(false);
      return this.#hold('keyframe');
    }
    this.#awaits = undefined;
    const { compositionTimeMs } = tag;
    return pictures.release(
      this.#deliver(track, timestampMs, compositionTimeMs, randomAccess, data),
    );
  }

  #passVideo(codec: 'av1' | 'vp9', tag: VideoTagBody, timestampMs: number): boolean {
    this.#pictures = undefined;
    const { content, keyframe, compositionTimeMs, data } = tag;
    const before = this.#passedTrack;
    if (content === 'config') {
      const isKnown = before?.codec === codec && equalBytes(before.config, data);
      if (!isKnown) this.#passedTrack = { kind: 'video', codec, config: data.slice() };
      return false;
    }
    if (data.length === 0) return false;
    if (before?.codec !== codec) return this.#hold('parameter-sets');
    if (!this.#gate.admits(keyframe, false)) return this.#hold('keyframe');
    this.#awaits = undefined;
    return this.#deliver(before, timestampMs, compositionTimeMs, keyframe, data);
  }

  /** Nothing is kept. */
  #hold(awaits: 'parameter-sets' | 'keyframe'): false {
    this.#awaits = awaits;
    return false;
  }

  #readAudio(timestampMs: number, body: Uint8Array): boolean {
    try {
      const tag = parseAudioTagBody(body);
      if (tag === undefined || !this.#sound.read(tag)) return false;
      const { track } = this.#sound;
      return track !== undefined && this.#deliver(track, timestampMs, 0, true, tag.data);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      this.#hasAudio = false;
      this.#leftOut ??= `Left out: audio, because ${error.message}.`;
      return false;
    }
  }

  /** Returns whether the bytes are kept. */
  #deliver(
    track: VideoTrack | AudioTrack,
    timestampMs: number,
    compositionTimeMs: number,
    randomAccess: boolean,
    data: Uint8Array,
  ): boolean {
    const arrivalMs = this.#now();
    const dtsUs = this.#clocks[track.kind].place(this.#unwrap(timestampMs) * 1000, arrivalMs);
    const ptsUs = dtsUs + compositionTimeMs * 1000;
    const unit: AccessUnit = { track, ptsUs, dtsUs, randomAccess, data, kept: false };
    if (this.#state.at === 'waiting') {
      this.#wait(this.#state, unit, arrivalMs);
      return false;
    }
    if (this.#withdrawn !== undefined) this.#heed(this.#withdrawn, unit, arrivalMs);
    this.#sink.write(unit);
    return unit.kept;
  }

  /** Metadata is a hint: what comes all the same is there. */
  #heed(withdrawn: Withdrawn, { track, randomAccess }: AccessUnit, arrivalMs: number): void {
    if (track.kind === withdrawn.kind) {
      this.#withdrawn = undefined;
      return;
    }
    const isGone = arrivalMs - withdrawn.sinceMs >= MAX_WAIT_MS;
    if (withdrawn.isTold || !randomAccess || !isGone) return;
    withdrawn.isTold = true;
    this.#sink.stop();
    this.#sink.start([track]);
  }

  /** 32 bits of milliseconds wrap after 49.7 days (frigate#1467); a camera that steps back is no wrap. */
  #unwrap(timestampMs: number): number {
    this.#timeMs += (timestampMs - (this.#lastTimestampMs ?? 0)) | 0;
    this.#lastTimestampMs = timestampMs;
    return this.#timeMs;
  }

  #wait(state: WaitingState, unit: AccessUnit, arrivalMs: number): void {
    const isVideo = unit.track.kind === 'video';
    const hasPicture = isVideo || state.units.some(({ track }) => track.kind === 'video');
    // Sound from before the first picture that can be shown has nothing to go with.
    if (!hasPicture && this.#awaits !== undefined) return;
    if (state.units.length === 0) state.sinceMs = arrivalMs;
    state.units.push(ownCopy(unit));
    state.byteLength += ACCESS_UNIT_HEADROOM + unit.data.length;
    if (this.#isReady(state, hasPicture, arrivalMs)) this.#start(state.units);
  }

  #isReady(state: WaitingState, hasPicture: boolean, arrivalMs: number): boolean {
    const hasSound = this.#sound.track !== undefined;
    const expectsSound = this.#announced.audio && this.#hasAudio;
    if ((hasPicture || !this.#announced.video) && (hasSound || !expectsSound)) return true;
    const [first] = state.units;
    const last = state.units.at(-1);
    const mediaMs = first && last ? (last.dtsUs - first.dtsUs) / 1000 : 0;
    const waitedMs = Math.max(arrivalMs - state.sinceMs, mediaMs);
    return waitedMs >= MAX_WAIT_MS || state.byteLength >= MAX_WAITING_BYTES;
  }

  #start(units: readonly AccessUnit[]): void {
    this.#state = { at: 'started' };
    const tracks = [this.#videoTrack, this.#sound.track].filter((track) => track !== undefined);
    this.#sink.start(tracks);
    for (const unit of units) this.#sink.write(unit);
  }

  get #videoTrack(): VideoTrack | undefined {
    return this.#passedTrack ?? this.#pictures?.track;
  }
}

/** Waits in a buffer of its own, with headroom. */
function ownCopy(unit: AccessUnit): AccessUnit {
  const buffer = new Uint8Array(ACCESS_UNIT_HEADROOM + unit.data.length);
  const data = buffer.subarray(ACCESS_UNIT_HEADROOM);
  data.set(unit.data);
  return { ...unit, data };
}
