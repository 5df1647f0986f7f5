/** What a source writes to and a publisher is. */
import type { AccessUnit } from './access-unit.ts';
import type { Track } from './track.ts';

export interface StreamSink {
  /**
   * The tracks that will come, as far as they are known before the first unit: one that becomes known later
   * comes with its first unit, as a changed one does. Called again after `stop()` when a source returns.
   */
  start(tracks: readonly Track[]): void;
  /** Never blocks, never throws. `unit.data` is lent: see access-unit.ts. */
  write(unit: AccessUnit): void;
  /** The source is gone; it may come back with another `start()`. */
  stop(): void;
}
