/** One file that is being recorded, whatever its format. */
import type { AccessUnit } from '../../codecs/access-unit.ts';

export interface RecordingFile {
  /** Of the file, with what is not written yet. */
  readonly byteLength: number;
  /** What the disk has not taken yet. */
  readonly backlogBytes: number;
  /** Of the stream's tracks: those that the format has no form for, and why, in plain words. */
  readonly leftOut: readonly string[];
  /** False: with a unit of such a track this file cannot go on, and another must be begun. */
  takes(unit: AccessUnit): boolean;
  /** Copies the unit. */
  write(unit: AccessUnit): void;
  /** What has come so far is written now. */
  flush(): void;
  /** Writes what is left, and what only a whole file knows. Never throws: what is on the disk is readable as it is. */
  close(): Promise<void>;
}

/** In every file of ours, near its beginning: what is not ours is never deleted. */
export const RECORDER_MARK = 'Recorded by Sluice';

/** An existing file cannot be gone on with, in words for the log: another is begun. */
export class CannotContinueError extends Error {
  override readonly name = 'CannotContinueError';
}
