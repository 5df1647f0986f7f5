/** What people want to know of a track. Damaged parameter sets give fewer facts, never an error. */
import { AudioObjectType, parseAudioSpecificConfig } from './aac/audio-specific-config.ts';
import { ParseError } from './errors.ts';
import { parseSps, type SequenceParameterSet } from './h264/sps.ts';
import { parseSps as parseHevcSps } from './h265/sps.ts';
import type { AacTrack, H264Track, H265Track, Track } from './track.ts';

export interface TrackDescription {
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly profile?: string;
  readonly sampleRate?: number;
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

/** general_profile_idc, H.265 §A.3. */
const H265_PROFILES: ReadonlyMap<number, string> = new Map([
  [1, 'Main'],
  [2, 'Main 10'],
  [3, 'Main Still Picture'],
  [4, 'Range Extensions'],
]);
/** general_level_idc is 30 times the level, H.265 §A.4.1. */
const H265_LEVEL_UNIT = 30;

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
    case 'vp9':
      return { kind: track.kind, codec: track.codec };
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
  const { width, profileIdc, levelIdc, highTier } = sps;
  // Two fields are one picture to people.
  const fields = sps.fieldSequence ? 2 : 1;
  const height = sps.height * fields;
  const fps = sps.fps === undefined ? undefined : sps.fps / fields;
  const name = H265_PROFILES.get(profileIdc) ?? `profile ${profileIdc}`;
  const level = (levelIdc / H265_LEVEL_UNIT).toFixed(1);
  const profile = `${name} ${level}${highTier ? ' High tier' : ''}`;
  return { kind, codec, width, height, ...statedFps({ fps }), profile };
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
