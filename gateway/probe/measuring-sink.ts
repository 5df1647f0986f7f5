/** Takes a source's units for a while and remembers what `probe` wants to know of them. */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';

/** Servers send the current GOP in one burst at the start: arrival says nothing about the clock yet. */
const SETTLE_MS = 1_000;

export interface VideoMeasured {
  readonly units: number;
  readonly bytes: number;
  /** Pictures a second by the source's clock; undefined with fewer than two. */
  readonly fps: number | undefined;
  readonly keyframes: number;
  /** The longest distance seen from keyframe to keyframe; undefined with fewer than two. */
  readonly longestGopMs: number | undefined;
  /** Pictures that are shown before one that was sent before them. */
  readonly bFrames: number;
  /** The largest time between decoding and showing a picture. */
  readonly reorderMs: number;
  /** Times the parameter sets changed. */
  readonly trackChanges: number;
}

export interface AudioMeasured {
  readonly units: number;
  readonly bytes: number;
}

export interface Measured {
  readonly tracks: readonly Track[];
  /** From the start of the attempt to the first picture or sound; undefined when none came. */
  readonly firstUnitMs: number | undefined;
  /** How long units came, by our clock. */
  readonly mediaMs: number;
  readonly video: VideoMeasured | undefined;
  readonly audio: AudioMeasured | undefined;
  /** How much faster than ours the source's clock runs, in percent; undefined when too little was seen. */
  readonly clockPercent: number | undefined;
}

export class MeasuringSink implements StreamSink {
  readonly #now: () => number;
  readonly #onFirstUnit: () => void;
  readonly #beganMs: number;
  readonly #slope = new Slope();
  #tracks: readonly Track[] = [];
  #firstUnitAtMs: number | undefined;
  #lastUnitAtMs = 0;
  #video = { units: 0, bytes: 0, keyframes: 0, bFrames: 0, trackChanges: 0 };
  #audio = { units: 0, bytes: 0 };
  #videoTrack: Track | undefined;
  #firstDtsUs = 0;
  #lastDtsUs = 0;
  #lastKeyframeUs: number | undefined;
  #longestGopUs: number | undefined;
  #highestPtsUs = Number.NEGATIVE_INFINITY;
  #reorderUs = 0;

  /** `now`: milliseconds on a clock that never goes backwards. */
  constructor(now: () => number, onFirstUnit: () => void) {
    this.#now = now;
    this.#onFirstUnit = onFirstUnit;
    this.#beganMs = now();
  }

  start(tracks: readonly Track[]): void {
    this.#tracks = tracks;
  }

  write(unit: AccessUnit): void {
    const nowMs = this.#now();
    if (this.#firstUnitAtMs === undefined) {
      this.#firstUnitAtMs = nowMs;
      this.#onFirstUnit();
    }
    this.#lastUnitAtMs = nowMs;
    const isClock = unit.track.kind === 'video' || !this.#hasVideo;
    if (isClock && nowMs - this.#firstUnitAtMs >= SETTLE_MS) this.#slope.add(nowMs, unit.dtsUs);
    if (unit.track.kind === 'video') this.#writeVideo(unit);
    else {
      this.#audio.units += 1;
      this.#audio.bytes += unit.data.length;
    }
  }

  stop(): void {}

  get hasUnits(): boolean {
    return this.#firstUnitAtMs !== undefined;
  }

  read(): Measured {
    const first = this.#firstUnitAtMs;
    return {
      tracks: this.#tracks,
      firstUnitMs: first === undefined ? undefined : Math.round(first - this.#beganMs),
      mediaMs: first === undefined ? 0 : Math.round(this.#lastUnitAtMs - first),
      video: this.#video.units === 0 ? undefined : this.#readVideo(),
      audio: this.#audio.units === 0 ? undefined : { ...this.#audio },
      clockPercent: this.#slope.percent(),
    };
  }

  get #hasVideo(): boolean {
    return this.#tracks.some((track) => track.kind === 'video');
  }

  #writeVideo(unit: AccessUnit): void {
    const video = this.#video;
    if (video.units === 0) this.#firstDtsUs = unit.dtsUs;
    else if (unit.track !== this.#videoTrack) this.#changeTrack(unit.track);
    this.#videoTrack = unit.track;
    this.#lastDtsUs = unit.dtsUs;
    video.units += 1;
    video.bytes += unit.data.length;
    if (unit.randomAccess) this.#keyframe(unit.dtsUs);
    if (unit.ptsUs < this.#highestPtsUs) video.bFrames += 1;
    else this.#highestPtsUs = unit.ptsUs;
    this.#reorderUs = Math.max(this.#reorderUs, unit.ptsUs - unit.dtsUs);
  }

  #changeTrack(track: Track): void {
    this.#video.trackChanges += 1;
    this.#tracks = this.#tracks.map((other) => (other.kind === 'video' ? track : other));
  }

  #keyframe(dtsUs: number): void {
    this.#video.keyframes += 1;
    if (this.#lastKeyframeUs !== undefined) {
      this.#longestGopUs = Math.max(this.#longestGopUs ?? 0, dtsUs - this.#lastKeyframeUs);
    }
    this.#lastKeyframeUs = dtsUs;
  }

  #readVideo(): VideoMeasured {
    const { units } = this.#video;
    const spanUs = this.#lastDtsUs - this.#firstDtsUs;
    return {
      ...this.#video,
      fps: units < 2 || spanUs <= 0 ? undefined : round1(((units - 1) * 1_000_000) / spanUs),
      longestGopMs:
        this.#longestGopUs === undefined ? undefined : Math.round(this.#longestGopUs / 1000),
      reorderMs: Math.round(this.#reorderUs / 1000),
    };
  }
}

/** Least squares of the source's time over ours: a burst or a late packet tilts it little. */
class Slope {
  #count = 0;
  #firstMs = 0;
  #firstUs = 0;
  #lastMs = 0;
  #sumX = 0;
  #sumY = 0;
  #sumXX = 0;
  #sumXY = 0;

  add(nowMs: number, mediaUs: number): void {
    if (this.#count === 0) {
      this.#firstMs = nowMs;
      this.#firstUs = mediaUs;
    }
    const x = nowMs - this.#firstMs;
    const y = (mediaUs - this.#firstUs) / 1000;
    this.#count += 1;
    this.#lastMs = nowMs;
    this.#sumX += x;
    this.#sumY += y;
    this.#sumXX += x * x;
    this.#sumXY += x * y;
  }

  /** Undefined below MIN_SLOPE_MS: the jitter of a network would look like a clock. */
  percent(): number | undefined {
    if (this.#lastMs - this.#firstMs < MIN_SLOPE_MS) return undefined;
    const n = this.#count;
    const divisor = n * this.#sumXX - this.#sumX * this.#sumX;
    if (divisor <= 0) return undefined;
    return round1(((n * this.#sumXY - this.#sumX * this.#sumY) / divisor - 1) * 100);
  }
}

const MIN_SLOPE_MS = 4_000;

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
