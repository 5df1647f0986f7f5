/** Where the elementary streams of a programme put their access units. */
import type { Track } from '../../codecs/track.ts';

/** A whole access unit, lent. Returns true when somebody still reads the bytes after the call. */
export type UnitOutlet = (
  track: Track,
  ptsUs: number,
  dtsUs: number,
  randomAccess: boolean,
  data: Uint8Array,
) => boolean;
