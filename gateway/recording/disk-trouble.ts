/** Why a file cannot be written, in plain words with what to do. */
import type { RecordingStatus } from '../report/status.ts';

export interface DiskTrouble {
  readonly code: Extract<RecordingStatus['code'], 'disk-full' | 'disk' | 'codec'>;
  readonly reason: string;
}

/** Recordings have come to `recording.maxBytes`, and there is nothing older to delete. */
export class QuotaError extends Error {
  override readonly name = 'QuotaError';
}

export function diskTrouble(error: unknown): DiskTrouble {
  if (error instanceof QuotaError) {
    return {
      code: 'disk-full',
      reason:
        'The recordings have come to recording.maxBytes, and no older one is left to delete. Move some away, or set recording.maxBytes higher.',
    };
  }
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOSPC':
      return {
        code: 'disk-full',
        reason: 'The disk is full. Free some space on it, or set recording.maxBytes lower.',
      };
    case 'EDQUOT':
      return {
        code: 'disk-full',
        reason: "The disk quota of the service's user is used up. Free some space, or raise it.",
      };
    case 'EROFS':
      return {
        code: 'disk',
        reason:
          'The disk is read-only. Mount it writable; flash cards turn read-only at their end.',
      };
    case 'EACCES':
    case 'EPERM':
      return {
        code: 'disk',
        reason: `The folder of the recordings may not be written (${code}). Give it to the service's user.`,
      };
    case 'EIO':
      return { code: 'disk', reason: 'The disk reports an error (EIO). It may be at its end.' };
    default:
      return { code: 'disk', reason: `The recording cannot be written (${code}).` };
  }
}
