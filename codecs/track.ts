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

export interface H265Track {
  readonly kind: 'video';
  readonly codec: 'h265';
  /** One NAL unit each, without start code or length. */
  readonly vps: Uint8Array;
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
}

/** Passed through: the record and the units are as the source sent them. */
export interface PassedVideoTrack {
  readonly kind: 'video';
  readonly codec: 'av1' | 'vp9';
  /** AV1CodecConfigurationRecord or VPCodecConfigurationRecord. */
  readonly config: Uint8Array;
}

export interface AacTrack {
  readonly kind: 'audio';
  readonly codec: 'aac';
  /** AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1. */
  readonly config: Uint8Array;
  readonly sampleRate: number;
  readonly channels: number;
}

/** G.711 A-law and µ-law: a unit is one byte per sample and channel, of any length. */
export interface G711Track {
  readonly kind: 'audio';
  readonly codec: 'pcma' | 'pcmu';
  readonly sampleRate: number;
  readonly channels: number;
}

/** MPEG-1 and MPEG-2 audio, layer III: a unit is one frame with its header. */
export interface Mp3Track {
  readonly kind: 'audio';
  readonly codec: 'mp3';
  readonly sampleRate: number;
  readonly channels: number;
}

/** A unit is one Opus packet (RFC 6716 §3). */
export interface OpusTrack {
  readonly kind: 'audio';
  readonly codec: 'opus';
  /** The identification header, RFC 7845 §5.1. */
  readonly config: Uint8Array;
  readonly sampleRate: 48_000;
  readonly channels: number;
}

/** AC-3 and E-AC-3: a unit is one syncframe, ETSI TS 102 366. */
export interface Ac3Track {
  readonly kind: 'audio';
  readonly codec: 'ac3' | 'eac3';
  readonly sampleRate: number;
  readonly channels: number;
}

export type VideoTrack = H264Track | H265Track | PassedVideoTrack;
export type AudioTrack = AacTrack | G711Track | Mp3Track | OpusTrack | Ac3Track;
export type Track = VideoTrack | AudioTrack;
