/**
 * Access units → fragmented MP4 for Media Source Extensions, a picture at a time: a fragment is closed when the next picture comes,
 * because only then it is known how long the one before is shown (MSE §Coded Frame Processing drops what follows a hole that
 * is longer than two pictures). What the browser has no decoder for is left out and named.
 */
import type { AccessUnit } from '../../../../codecs/access-unit.ts';
import { equalBytes } from '../../../../codecs/bytes.ts';
import { ParseError } from '../../../../codecs/errors.ts';
import { FragmentWriter } from '../../../../codecs/mp4/fragment-writer.ts';
import { serializeInitSegment } from '../../../../codecs/mp4/init-segment.ts';
import { type TrackForm, trackForm } from '../../../../codecs/mp4/track-form.ts';
import type { StreamSink } from '../../../../codecs/stream-sink.ts';
import type { AudioTrack, Track, VideoTrack } from '../../../../codecs/track.ts';

/** Sound comes in frames of 20 to 60 ms; alone it need not be handed over one by one. */
const MIN_FRAGMENT_US = 30_000;
/** Sound may come a little before the first picture; nothing may be before 0. */
const LEAD_US = 1_000_000;
/** A picture waits for its sound in the browser: sound that stays away is given up. */
const SILENT_US = 3_000_000;

export interface Initialization {
  /** As Media Source Extensions ask for it: `video/mp4; codecs="…"`. */
  readonly type: string;
  readonly kinds: 'video' | 'audio' | 'video+audio';
  readonly bytes: Uint8Array;
  /** Codecs that there is no form or no decoder for. */
  readonly leftOut: readonly Track['codec'][];
}

export interface RemuxerEvents {
  /** Before the first fragment, and whenever parameter sets or tracks are others. */
  initialized(initialization: Initialization): void;
  fragment(pieces: readonly Uint8Array[]): void;
  /** The picture cannot be decoded here, or there is nothing that can. */
  refused(codec: Track['codec']): void;
}

interface Writing {
  readonly video: VideoTrack | undefined;
  readonly audio: AudioTrack | undefined;
  readonly initialization: Initialization;
  readonly hasAudio: boolean;
  readonly writer: FragmentWriter;
}

export class LiveRemuxer implements StreamSink {
  readonly #canPlay: (type: string) => boolean;
  readonly #events: RemuxerEvents;
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #writing: Writing | undefined;
  #refused: Track | undefined;
  #originUs: number | undefined;
  #fragmentFromUs = 0;
  #lastAudioUs: number | undefined;
  #isSilent = false;

  /** `canPlay`: whether the browser has decoders for such a type. */
  constructor(canPlay: (type: string) => boolean, events: RemuxerEvents) {
    this.#canPlay = canPlay;
    this.#events = events;
  }

  start(tracks: readonly Track[]): void {
    this.#video = tracks.find((track) => track.kind === 'video');
    this.#audio = tracks.find((track) => track.kind === 'audio');
    this.#lastAudioUs = undefined;
    this.#isSilent = false;
  }

  write(unit: AccessUnit): void {
    const { track, dtsUs } = unit;
    this.#originUs ??= dtsUs - LEAD_US;
    if (track.kind === 'video') this.#video = track;
    else {
      this.#audio = track;
      this.#lastAudioUs = dtsUs;
      this.#isSilent = false;
    }
    const leads = track.kind === 'video' || this.#video === undefined;
    if (leads) this.#lead(unit);
    const writing = this.#writing;
    if (writing === undefined || track !== writing[track.kind]) return;
    if (track.kind === 'audio' && !writing.hasAudio) return;
    writing.writer.push(unit);
  }

  stop(): void {
    this.#flush(undefined);
  }

  #lead(unit: AccessUnit): void {
    const { dtsUs, randomAccess, track } = unit;
    this.#lastAudioUs ??= dtsUs;
    if (track.kind === 'video' && dtsUs - this.#lastAudioUs > SILENT_US) this.#isSilent = true;
    const isKey = randomAccess && track.kind === 'video';
    if (isKey || dtsUs - this.#fragmentFromUs >= MIN_FRAGMENT_US) this.#flush(dtsUs);
    if (randomAccess && this.#hasChanged()) this.#begin(unit);
  }

  #hasChanged(): boolean {
    const { video, audio } = this.#writing ?? {};
    return this.#writing === undefined || video !== this.#video || audio !== this.#audibleTrack;
  }

  get #audibleTrack(): AudioTrack | undefined {
    return this.#isSilent ? undefined : this.#audio;
  }

  #begin({ data, track, dtsUs }: AccessUnit): void {
    const video = this.#video;
    const audio = this.#audibleTrack;
    const leftOut: Track['codec'][] = [];
    const formOf = (wanted: Track) => {
      const form = this.#playableForm(wanted, wanted === track ? data : undefined);
      if (form === undefined) leftOut.push(wanted.codec);
      return form;
    };
    const videoForm = video && formOf(video);
    const audioForm = audio && formOf(audio);
    const forms = [videoForm, audioForm].filter((form) => form !== undefined);
    const leading = video ?? audio;
    if (leading !== undefined && (video === undefined ? audioForm : videoForm) === undefined) {
      this.#refuse(leading);
      return;
    }
    this.#refused = undefined;
    const initialization: Initialization = {
      type: typeOf(forms),
      kinds: kindsOf(forms),
      bytes: serializeInitSegment(forms),
      leftOut,
    };
    const before = this.#writing;
    const isSame =
      before !== undefined && equalBytes(before.initialization.bytes, initialization.bytes);
    const writer = isSame ? before.writer : new FragmentWriter(forms, this.#originUs ?? dtsUs);
    this.#writing = { video, audio, initialization, hasAudio: audioForm !== undefined, writer };
    this.#fragmentFromUs = dtsUs;
    if (!isSame) this.#events.initialized(initialization);
  }

  #refuse(track: Track): void {
    this.#writing = undefined;
    if (this.#refused === track) return;
    this.#refused = track;
    this.#events.refused(track.codec);
  }

  #playableForm(track: Track, unit: Uint8Array | undefined): TrackForm | undefined {
    try {
      const form = trackForm(track, unit);
      return form !== undefined && this.#canPlay(typeOf([form])) ? form : undefined;
    } catch (error) {
      // Parameter sets that cannot be read are a track that cannot be played.
      if (error instanceof ParseError) return undefined;
      throw error;
    }
  }

  #flush(nextDtsUs: number | undefined): void {
    const fragment = this.#writing?.writer.finish(nextDtsUs);
    if (nextDtsUs !== undefined) this.#fragmentFromUs = nextDtsUs;
    if (fragment !== undefined) this.#events.fragment(fragment.pieces);
  }
}

function typeOf(forms: readonly TrackForm[]): string {
  const kind = forms.some((form) => form.kind === 'video') ? 'video' : 'audio';
  return `${kind}/mp4; codecs="${forms.map(({ codec }) => codec).join(', ')}"`;
}

function kindsOf(forms: readonly TrackForm[]): Initialization['kinds'] {
  if (forms.length > 1) return 'video+audio';
  return forms[0]?.kind ?? 'video';
}
