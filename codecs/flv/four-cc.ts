/**
 * The four-character codes that enhanced RTMP calls codecs by, in tags, in onMetaData and in `connect`.
 * Enhanced RTMP v2, "Enhanced Audio" and "Enhanced Video".
 */
import type { AudioTrack, VideoTrack } from '../track.ts';

export const VIDEO_FOUR_CCS = { h264: 'avc1', h265: 'hvc1', av1: 'av01', vp9: 'vp09' } as const;

/** G.711 has none: it is always in the form of FLV 10.1. */
export const AUDIO_FOUR_CCS = {
  aac: 'mp4a',
  mp3: '.mp3',
  opus: 'Opus',
  ac3: 'ac-3',
  eac3: 'ec-3',
} as const;

export type FourCc =
  | (typeof VIDEO_FOUR_CCS)[VideoTrack['codec']]
  | (typeof AUDIO_FOUR_CCS)[Exclude<AudioTrack['codec'], 'pcma' | 'pcmu'>];

/** Big-endian, as in tags and in onMetaData: `av01` is 0x61763031. */
export function fourCcNumber(fourCc: FourCc): number {
  let value = 0;
  for (let index = 0; index < 4; index += 1) value = value * 256 + fourCc.charCodeAt(index);
  return value;
}

/** For messages: `fLaC`; in hex where it is no text. */
export function fourCcWords(fourCc: number): string {
  const text = String.fromCharCode(...[24, 16, 8, 0].map((shift) => (fourCc >>> shift) & 0xff));
  return /^[\x20-\x7e]{4}$/.test(text) ? text : `0x${fourCc.toString(16)}`;
}

export function videoCodecOf(fourCc: number): VideoTrack['codec'] | undefined {
  return VIDEO_CODECS.get(fourCc);
}

export function audioCodecOf(fourCc: number): AudioTrack['codec'] | undefined {
  return AUDIO_CODECS.get(fourCc);
}

const VIDEO_CODECS: ReadonlyMap<number, VideoTrack['codec']> = new Map([
  [fourCcNumber('avc1'), 'h264'],
  [fourCcNumber('hvc1'), 'h265'],
  [fourCcNumber('av01'), 'av1'],
  [fourCcNumber('vp09'), 'vp9'],
]);

const AUDIO_CODECS: ReadonlyMap<number, AudioTrack['codec']> = new Map([
  [fourCcNumber('mp4a'), 'aac'],
  [fourCcNumber('.mp3'), 'mp3'],
  [fourCcNumber('Opus'), 'opus'],
  [fourCcNumber('ac-3'), 'ac3'],
  [fourCcNumber('ec-3'), 'eac3'],
]);
