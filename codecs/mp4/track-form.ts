/**
 * How one track looks in MP4: its sample entry (ISO/IEC 14496-12 §8.5.2), its name in a CODECS attribute
 * (RFC 6381), its clock.
 */
import type { Track } from '../track.ts';
import { audioForm } from './audio-form.ts';
import { videoForm } from './video-form.ts';

export interface TrackForm {
  readonly kind: 'video' | 'audio';
  /** The box that stands in `stsd`. */
  readonly sampleEntry: Uint8Array;
  /** avc1.42c01e */
  readonly codec: string;
  /** Ticks in a second. */
  readonly timescale: number;
  /** 0 of audio. */
  readonly width: number;
  readonly height: number;
  /** How long a unit plays, in ticks; undefined where it does not say: video. */
  readonly ticksOf: (data: Uint8Array) => number | undefined;
}

/**
 * `firstUnit`: a random access unit of the track; without one AC-3, E-AC-3 and VP9 have no form. undefined: MP4
 * has none that players know: G.711. Throws ParseError on parameter sets that cannot be read.
 */
export function trackForm(track: Track, firstUnit?: Uint8Array): TrackForm | undefined {
  return track.kind === 'video' ? videoForm(track, firstUnit) : audioForm(track, firstUnit);
}
