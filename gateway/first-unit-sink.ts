/** When a source has really begun: with its first picture, or its first sound where there is no picture. */
import type { AccessUnit } from '../codecs/access-unit.ts';
import type { StreamSink } from '../codecs/stream-sink.ts';
import type { Track } from '../codecs/track.ts';
import type { Stream } from './hub/stream.ts';

export function hasVideo(tracks: readonly Track[]): boolean {
  return tracks.some((track) => track.kind === 'video');
}

/** Passes everything on and tells when the first picture of an attempt has come; without video the first sound. */
export class FirstUnitSink implements StreamSink {
  readonly #stream: Stream;
  readonly #onFirst: () => void;
  #isFirst = true;
  #hasVideo = false;

  constructor(stream: Stream, onFirst: () => void) {
    this.#stream = stream;
    this.#onFirst = onFirst;
  }

  start(tracks: readonly Track[]): void {
    this.#hasVideo = hasVideo(tracks);
    this.#stream.start(tracks);
  }

  write(unit: AccessUnit): void {
    if (this.#isFirst && (unit.track.kind === 'video' || !this.#hasVideo)) {
      this.#isFirst = false;
      this.#onFirst();
    }
    this.#stream.write(unit);
  }

  stop(): void {
    this.#stream.stop();
  }
}
