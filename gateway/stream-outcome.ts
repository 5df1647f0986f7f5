/** How a stream does that somebody has just asked for. */
import { once } from 'node:events';
import type { Board } from './report/board.ts';
import type { StreamStatus } from './report/status.ts';

/** A camera that is well has sent a picture by then. */
const OUTCOME_MS = 15_000;

/** Its status once its first attempt has succeeded or failed, or as it is after a while. */
export async function streamOutcome(
  board: Board,
  name: string,
  signal: AbortSignal,
): Promise<StreamStatus | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(OUTCOME_MS)]);
  const status = () => board.streams.get(name)?.status;
  try {
    while (status()?.state === 'connecting') await once(board, 'stream', { signal: limit });
  } catch {
    // Not yet: the reply says so.
  }
  return status();
}
