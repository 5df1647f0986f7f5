/** Codecs as people call them. */
import type { Track } from './track.ts';

const NAMES: Record<Track['codec'], string> = {
  h264: 'H.264',
  h265: 'H.265',
  av1: 'AV1',
  vp9: 'VP9',
  aac: 'AAC',
  pcma: 'G.711 A-law',
  pcmu: 'G.711 µ-law',
  mp3: 'MP3',
  opus: 'Opus',
  ac3: 'AC-3',
  eac3: 'E-AC-3',
};

export function codecName({ codec }: Pick<Track, 'codec'>): string {
  return NAMES[codec];
}
