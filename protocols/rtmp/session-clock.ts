/**
 * Access unit times → RTMP timestamps: milliseconds since the first unit of the session, rounded
 * from absolute microseconds, so that nothing adds up.
 *
 * A bad time never ends a session. A unit older than the one before it gets that one's timestamp;
 * when the source's clock has stepped back, the session's clock follows at the next picture
 * where decoding may start.
 */
import type { AccessUnit } from '../../codecs/access-unit.ts';

/** Further back than this is a stepped clock, not jitter. */
const STEP_BACK_MS = 1_000;
const UNKNOWN = -1;

export class SessionClock {
  /** Units whose time went backwards. */
  clampedUnits = 0;
  #baseUs: number | undefined;
  #lastVideoMs = UNKNOWN;
  #lastAudioMs = UNKNOWN;

  /** `baseUs`: what is 0; left out: the first unit. */
  constructor(baseUs?: number) {
    this.#baseUs = baseUs;
  }

  /** Milliseconds, not wrapped to 32 bits; undefined for a unit from before the session. */
  timestampMs(unit: AccessUnit, hasVideo: boolean): number | undefined {
    const isVideo = unit.track.kind === 'video';
    this.#baseUs ??= unit.dtsUs;
    const last = isVideo ? this.#lastVideoMs : this.#lastAudioMs;
    let timestampMs = Math.round((unit.dtsUs - this.#baseUs) / 1000);
    if (timestampMs < last) {
      this.clampedUnits += 1;
      if (timestampMs < last - STEP_BACK_MS && unit.randomAccess && (isVideo || !hasVideo)) {
        this.#baseUs = unit.dtsUs - last * 1000;
      }
      timestampMs = last;
    }
    if (timestampMs < 0) return undefined;
    if (isVideo) this.#lastVideoMs = timestampMs;
    else this.#lastAudioMs = timestampMs;
    return timestampMs;
  }

  /** PTS − DTS such that the far end's PTS is exact to a millisecond. */
  compositionTimeMs(unit: AccessUnit): number {
    const baseUs = this.#baseUs ?? 0;
    return Math.round((unit.ptsUs - baseUs) / 1000) - Math.round((unit.dtsUs - baseUs) / 1000);
  }
}
