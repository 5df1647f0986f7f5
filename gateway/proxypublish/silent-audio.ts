/**
 * A silent AAC track for masters that demand sound. Its frames follow the time line of the video, their
 * times counted from one point, so that nothing adds up however long the session is.
 */

import { SILENT_AAC_SAMPLES, silentAac } from '../../codecs/aac/silence.ts';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import type { AacTrack } from '../../codecs/track.ts';

/** What FLV says of every AAC track, and what every master that demands sound takes. */
const SAMPLE_RATE = 44_100;
const CHANNELS = 2;
/** The video has jumped, not jittered: no need to make up for what lies between. */
const MAX_STEP_US = 1_000_000;

export class SilentAudio {
  readonly track: AacTrack;
  readonly #frame: Uint8Array;
  #baseUs: number | undefined;
  #frames = 0;

  constructor() {
    const { track, frame } = silentAac(SAMPLE_RATE, CHANNELS);
    this.track = track;
    this.#frame = frame;
  }

  /** Hands out the frames up to this time. */
  follow(dtsUs: number, write: (unit: AccessUnit) => void): void {
    if (this.#baseUs === undefined || Math.abs(dtsUs - this.#nextUs(this.#baseUs)) > MAX_STEP_US) {
      this.#baseUs = dtsUs;
      this.#frames = 0;
    }
    let nextUs = this.#nextUs(this.#baseUs);
    while (nextUs <= dtsUs) {
      const { track } = this;
      const data = this.#frame;
      write({ track, ptsUs: nextUs, dtsUs: nextUs, randomAccess: true, data, kept: false });
      this.#frames += 1;
      nextUs = this.#nextUs(this.#baseUs);
    }
  }

  #nextUs(baseUs: number): number {
    return baseUs + Math.round((this.#frames * SILENT_AAC_SAMPLES * 1_000_000) / SAMPLE_RATE);
  }
}
