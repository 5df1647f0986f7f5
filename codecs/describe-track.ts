/** What people want to know of a track. Damaged parameter sets give fewer facts, never an error. */
import { AudioObjectType, parseAudioSpecificConfig } from './aac/audio-specific-config.ts';
import { parseAv1CodecConfigurationRecord } from './av1/codec-configuration-record.ts';
import { ParseError } from './errors.ts';
import { parseSps, type SequenceParameterSet } from './h264/sps.ts';
import { profileName } from './h265/profile-name.ts';
import { parseSps as parseHevcSps } from './h265/sps.ts';
import type { AacTrack, H264Track, H265Track, PassedVideoTrack, Track } from './track.ts';
import { parseVp9CodecConfigurationRecord } from './vp9/codec-configuration-record.ts';

export interface TrackDescription {
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  /** @asType integer */
  readonly width?: number;
  /** @asType integer */
  readonly height?: number;
  readonly fps?: number;
  readonly profile?: string;
  /** @asType integer */
  readonly sampleRate?: number;
  /** @asType integer */
  readonly channels?: number;
}

/** What the VUI may state and still be believed; cameras exist that state 90 000. */
const MAX_FPS = 480;

const H264_PROFILES: ReadonlyMap<number, string> = new Map([
  [66, 'Baseline'],
  [77, 'Main'],
  [88, 'Extended'],
  [100, 'High'],
  [110, 'High 10'],
  [122, 'High 4:2:2'],
  [244, 'High 4:4:4 Predictive'],
  [44, 'CAVLC 4:4:4 Intra'],
]);
const CONSTRAINT_SET1 = 0x40;
const CONSTRAINT_SET3 = 0x10;
/** In Baseline, Main and Extended level 11 with constraint_set3_flag is level 1b, H.264 §A.3.1. */
const LEVEL_1B_IDC = 11;

/** seq_profile, AV1 §A.2. */
const AV1_PROFILES: ReadonlyMap<number, string> = new Map([
  [0, 'Main'],
  [1, 'High'],
  [2, 'Professional'],
]);
/** seq_level_idx, AV1 §A.3: the last one with a number; 31 is without limits. */
const LAST_AV1_LEVEL_IDX = 23;

const AAC_PROFILES: ReadonlyMap<number, string> = new Map([
  [AudioObjectType.main, 'Main'],
  [AudioObjectType.lc, 'LC'],
  [AudioObjectType.ssr, 'SSR'],
  [AudioObjectType.ltp, 'LTP'],
]);

export function describeTrack(track: Track): TrackDescription {
  switch (track.codec) {
    case 'h264':
      return describeH264(track);
    case 'aac':
      return describeAac(track);
    case 'h265':
      return describeH265(track);
    case 'av1':
      return describeAv1(track);
    case 'vp9':
      return describeVp9(track);
    case 'pcma':
    case 'pcmu':
    case 'mp3':
    case 'opus':
    case 'ac3':
    case 'eac3': {
      const { kind, codec, sampleRate, channels } = track;
      return { kind, codec, sampleRate, channels };
    }
  }
}

function describeH264(track: H264Track): TrackDescription {
  const { kind, codec } = track;
  const sps = parsedOrUndefined(parseSps, track.sps);
  if (sps === undefined) return { kind, codec };
  const { width, height } = sps;
  return { kind, codec, width, height, ...statedFps(sps), profile: h264Profile(sps) };
}

function statedFps({ fps }: { readonly fps: number | undefined }): { fps?: number } {
  return fps !== undefined && fps <= MAX_FPS ? { fps: round3(fps) } : {};
}

function describeH265(track: H265Track): TrackDescription {
  const { kind, codec } = track;
  const sps = parsedOrUndefined(parseHevcSps, track.sps);
  if (sps === undefined) return { kind, codec };
  // Two fields are one picture to people.
  const fields = sps.fieldSequence ? 2 : 1;
  const height = sps.height * fields;
  const fps = sps.fps === undefined ? undefined : sps.fps / fields;
  return {
    kind,
    codec,
    width: sps.width,
    height,
    ...statedFps({ fps }),
    profile: profileName(sps),
  };
}

function describeAv1({ kind, codec, config }: PassedVideoTrack): TrackDescription {
  const record = parsedOrUndefined(parseAv1CodecConfigurationRecord, config);
  if (record === undefined) return { kind, codec };
  const { profile, levelIdx, highTier, size } = record;
  const name = AV1_PROFILES.get(profile) ?? `profile ${profile}`;
  const level = levelIdx <= LAST_AV1_LEVEL_IDX ? ` ${2 + (levelIdx >> 2)}.${levelIdx & 3}` : '';
  return { kind, codec, ...size, profile: `${name}${level}${highTier ? ' High tier' : ''}` };
}

function describeVp9({ kind, codec, config }: PassedVideoTrack): TrackDescription {
  const record = parsedOrUndefined(parseVp9CodecConfigurationRecord, config);
  if (record === undefined) return { kind, codec };
  const level = record.level > 0 ? ` ${(record.level / 10).toFixed(1)}` : '';
  return { kind, codec, profile: `Profile ${record.profile}${level}` };
}

/** "High 4.1", as encoders' settings pages write it. */
function h264Profile(sps: SequenceParameterSet): string {
  const { profileIdc, constraintFlags, levelIdc } = sps;
  const name = H264_PROFILES.get(profileIdc) ?? `profile ${profileIdc}`;
  const isConstrained = profileIdc === 66 && (constraintFlags & CONSTRAINT_SET1) !== 0;
  const is1b = levelIdc === LEVEL_1B_IDC && (constraintFlags & CONSTRAINT_SET3) !== 0;
  const level = is1b && profileIdc < 100 ? '1b' : (levelIdc / 10).toFixed(1);
  return `${isConstrained ? 'Constrained ' : ''}${name} ${level}`;
}

function describeAac(track: AacTrack): TrackDescription {
  const { kind, codec, sampleRate, channels } = track;
  const config = parsedOrUndefined(parseAudioSpecificConfig, track.config);
  const profile = config === undefined ? {} : { profile: aacProfile(config) };
  return { kind, codec, sampleRate, channels, ...profile };
}

function aacProfile(config: ReturnType<typeof parseAudioSpecificConfig>): string {
  if (config.parametricStereo) return 'HE-AAC v2';
  if (config.sbrSampleRate !== undefined) return 'HE-AAC';
  return AAC_PROFILES.get(config.objectType) ?? `object type ${config.objectType}`;
}

function parsedOrUndefined<T>(parse: (bytes: Uint8Array) => T, bytes: Uint8Array): T | undefined {
  try {
    return parse(bytes);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
