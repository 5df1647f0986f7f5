/** A recorded file as a player reads it, whatever its format. */
import type { AccessUnit } from '../../codecs/access-unit.ts';
import type { Track } from '../../codecs/track.ts';

export interface VodFile {
  /** Those of its beginning; one that changes comes with its first unit. */
  readonly tracks: readonly Track[];
  /** 0: not known. */
  readonly durationMs: number;
  /** `read()` goes on at the last random access point that is not after `ms`; returns its time. */
  seek(ms: number): Promise<number>;
  /**
   * The next unit in decoding order; undefined: the file is over. Its times count from the beginning of the file. Lent until
   * the next call, as any access unit is: who needs the bytes longer sets `kept`.
   */
  read(): Promise<AccessUnit | undefined>;
  close(): Promise<void>;
}

/** Why a file cannot be played, in words for the player. */
export class VodError extends Error {
  override readonly name = 'VodError';
  readonly code: 'not-found' | 'bad-name' | 'unreadable' | 'busy';

  constructor(code: VodError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
