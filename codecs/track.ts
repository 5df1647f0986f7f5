/**
 * Tracks: what a decoder must know before the first access unit. Immutable: new parameter sets
 * make a new Track, so a muxer notices a change by `unit.track !== lastTrack`.
 */
export interface H264Track {
  readonly kind: 'video';
  readonly codec: 'h264';
  /** One SPS NAL unit, without start code or length. */
  readonly sps: Uint8Array;
  /** One PPS NAL unit, without start code or length. */
  readonly pps: Uint8Array;
}

export interface AacTrack {
  readonly kind: 'audio';
  readonly codec: 'aac';
  /** AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1. */
  readonly config: Uint8Array;
  readonly sampleRate: number;
  readonly channels: number;
}

export type VideoTrack = H264Track;
export type AudioTrack = AacTrack;
export type Track = VideoTrack | AudioTrack;
