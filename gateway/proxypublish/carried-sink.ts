/**
 * Between a stream and its session: passes on the tracks that the master gets, leaves out the others,
 * and puts silence in the place of audio where that is wished.
 *
 * Masters fix the tracks of a session when it begins. New parameter sets of the same codec, and audio that
 * goes and returns, are no trouble for any. Another codec, or a track that was not there before, is for most:
 * the session is ended then, and begun anew.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { codecName } from '../../codecs/codec-name.ts';
import { ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import type { Carriage, SessionAge } from './carriage.ts';
import type { PublishSink } from './publish-sink.ts';
import { SilentAudio } from './silent-audio.ts';

export interface CarriedSinkContext {
  readonly plan: (tracks: readonly Track[]) => Carriage;
  /** Called once, when there is something to send. */
  readonly open: (carriage: Carriage) => PublishSink;
  /** What is left out may have changed. */
  readonly onPlanned: (carriage: Carriage) => void;
  /** The session cannot go on. */
  readonly onFailure: (error: unknown) => void;
}

export class CarriedSink implements StreamSink {
  readonly #context: CarriedSinkContext;
  #carriage: Carriage | undefined;
  #sink: PublishSink | undefined;
  #silence: SilentAudio | undefined;
  /** Of the camera, whether they are sent or not. */
  #videoTrack: Track | undefined;
  #audioTrack: Track | undefined;
  #carriesAudio = false;
  /** Those that the session began with. */
  #codecs: ReadonlySet<Track['codec']> = new Set();
  #isOver = false;

  constructor(context: CarriedSinkContext) {
    this.#context = context;
  }

  /** The last plan. */
  get carriage(): Carriage | undefined {
    return this.#carriage;
  }

  age(): SessionAge {
    return this.#sink?.age() ?? { videoMs: undefined, audioMs: undefined };
  }

  start(tracks: readonly Track[]): void {
    const carriage = this.#take(tracks);
    if (carriage === undefined) return;
    const silent = this.#silence === undefined ? [] : [this.#silence.track];
    this.#sink?.start([...carriage.tracks, ...silent]);
  }

  write(unit: AccessUnit): void {
    const { track } = unit;
    if (track !== this.#videoTrack && track !== this.#audioTrack) this.#changeTrack(track);
    if (this.#isOver) return;
    if (track.kind === 'video' || this.#carriesAudio) this.#sink?.write(unit);
    if (this.#silence === undefined) return;
    if (track.kind === 'video' || this.#videoTrack === undefined) {
      this.#silence.follow(unit.dtsUs, this.#writeSilence);
    }
  }

  stop(): void {
    this.#sink?.stop();
  }

  /** Nothing is written from now on. */
  close(): void {
    this.#isOver = true;
    this.#sink?.close();
  }

  readonly #writeSilence = (unit: AccessUnit): void => {
    this.#sink?.write(unit);
  };

  #changeTrack(track: Track): void {
    const other = track.kind === 'video' ? this.#audioTrack : this.#videoTrack;
    this.#take(other === undefined ? [track] : [track, other]);
  }

  /** undefined when the session ends over these tracks. */
  #take(tracks: readonly Track[]): Carriage | undefined {
    if (this.#isOver) return undefined;
    const carriage = this.#context.plan(tracks);
    if (carriage.refusal !== undefined) {
      this.#fail(new UnsupportedError(carriage.refusal));
      return undefined;
    }
    const stranger = carriage.tracks.find(({ codec }) => !this.#codecs.has(codec));
    if (this.#sink !== undefined && stranger !== undefined) {
      const words = `the camera now sends ${codecName(stranger)}`;
      this.#fail(new ProtocolError('RTMP_TRACKS_CHANGED', words));
      return undefined;
    }
    if (this.#sink === undefined) this.#begin(carriage);
    this.#carriage = carriage;
    this.#videoTrack = tracks.find((track) => track.kind === 'video');
    this.#audioTrack = tracks.find((track) => track.kind === 'audio');
    this.#carriesAudio = carriage.tracks.some((track) => track.kind === 'audio');
    this.#context.onPlanned(carriage);
    return carriage;
  }

  #begin(carriage: Carriage): void {
    this.#codecs = new Set(carriage.tracks.map(({ codec }) => codec));
    if (carriage.isSilent) this.#silence = new SilentAudio();
    this.#sink = this.#context.open(carriage);
  }

  #fail(error: unknown): void {
    this.close();
    this.#context.onFailure(error);
  }
}
