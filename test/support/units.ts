/** Tracks and access units for tests. The bytes of a unit tell which one it is. */
import { ACCESS_UNIT_HEADROOM, type AccessUnit } from '../../codecs/access-unit.ts';
import type {
  AacTrack,
  AudioTrack,
  G711Track,
  H264Track,
  H265Track,
  VideoTrack,
} from '../../codecs/track.ts';
import { hex } from './hex.ts';

/** Baseline, 640x480, as x264 writes it. */
export const VIDEO_TRACK: H264Track = {
  kind: 'video',
  codec: 'h264',
  sps: hex`67 42c01e d9 00a0 3d a1 0000 03 0001 0000 03 0032 0f 162e48`,
  pps: hex`68 cb83cb20`,
};

/** Another camera's, or the same after its resolution was changed. */
export const OTHER_VIDEO_TRACK: H264Track = { ...VIDEO_TRACK, pps: hex`68 cb83cb40` };

/** 320x180, 25 pictures a second, as x265 3.5 writes it. */
export const HEVC_TRACK: H265Track = {
  kind: 'video',
  codec: 'h265',
  vps: hex`40010c01ffff01600000030090000003000003003c959809`,
  sps: hex`42010101600000030090000003000003003ca00a080b9f796566924caf016808000003000800000300c840`,
  pps: hex`4401c172b46240`,
};

/** AAC-LC, 48 kHz, stereo. */
export const AUDIO_TRACK: AacTrack = {
  kind: 'audio',
  codec: 'aac',
  config: hex`1190`,
  sampleRate: 48_000,
  channels: 2,
};

export const G711_TRACK: G711Track = {
  kind: 'audio',
  codec: 'pcma',
  sampleRate: 8_000,
  channels: 1,
};

interface Wanted {
  dtsUs?: number;
  ptsUs?: number;
  randomAccess?: boolean;
  byteLength?: number;
  fill?: number;
  kept?: boolean;
  headroom?: number;
}

export function videoUnit(wanted: Wanted & { track?: VideoTrack } = {}): AccessUnit {
  return { ...unit(wanted, 40), track: wanted.track ?? VIDEO_TRACK };
}

export function audioUnit(wanted: Wanted & { track?: AudioTrack } = {}): AccessUnit {
  return { ...unit(wanted, 10), track: wanted.track ?? AUDIO_TRACK };
}

function unit(wanted: Wanted, usualByteLength: number): Omit<AccessUnit, 'track'> {
  const { dtsUs = 0, randomAccess = true, kept = false, headroom = ACCESS_UNIT_HEADROOM } = wanted;
  const { byteLength = usualByteLength, fill = 0xaa } = wanted;
  const buffer = new Uint8Array(headroom + byteLength).fill(fill, headroom);
  const data = buffer.subarray(headroom);
  return { ptsUs: wanted.ptsUs ?? dtsUs, dtsUs, randomAccess, data, kept };
}
