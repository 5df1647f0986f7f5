/** What a GNSS receiver says now. */
import type { SerialLineCode } from '../serial/line-state.ts';
import type { Fix } from './position-memory.ts';

export interface GnssReading {
  /** `waiting`: the line is not open. `silent`: nothing of use comes. `searching`: it does not know where it is. */
  readonly state: 'waiting' | 'silent' | 'searching' | 'fix';
  readonly code: SerialLineCode | 'no-data' | 'not-nmea' | 'no-fix';
  /** Plain words, with what to do; empty with a fix. */
  readonly reason: string;
  readonly fix: Fix | undefined;
  /** How far our clock is ahead of the receiver's. */
  readonly clockOffsetMs: number | undefined;
}
