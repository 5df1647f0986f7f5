/** A sink that keeps what it is given, and tells when there is enough of it. */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';

export interface RecordedUnit {
  readonly kind: 'video' | 'audio';
  readonly track: Track;
  readonly ptsUs: number;
  readonly dtsUs: number;
  readonly randomAccess: boolean;
  readonly data: Uint8Array;
}

export class RecordingSink implements StreamSink {
  readonly units: RecordedUnit[] = [];
  tracks: readonly Track[] | undefined;
  starts = 0;
  stops = 0;
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  start(tracks: readonly Track[]): void {
    this.tracks = tracks;
    this.starts += 1;
    this.#settle();
  }

  write({ track, ptsUs, dtsUs, randomAccess, data }: AccessUnit): void {
    const { kind } = track;
    this.units.push({ kind, track, ptsUs, dtsUs, randomAccess, data: data.slice() });
    this.#settle();
  }

  stop(): void {
    this.stops += 1;
    this.#settle();
  }

  get video(): RecordedUnit[] {
    return this.units.filter((unit) => unit.kind === 'video');
  }

  get audio(): RecordedUnit[] {
    return this.units.filter((unit) => unit.kind === 'audio');
  }

  /** Settles as soon as so many units of each kind have come. */
  has(video: number, audio: number): Promise<void> {
    return new Promise((resolve) => {
      const condition = () => this.video.length >= video && this.audio.length >= audio;
      this.#waiting.push({ condition, resolve });
      this.#settle();
    });
  }

  #settle(): void {
    const ready = this.#waiting.filter(({ condition }) => condition());
    this.#waiting = this.#waiting.filter((each) => !ready.includes(each));
    for (const { resolve } of ready) resolve();
  }
}
