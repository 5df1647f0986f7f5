/** One thing that is asked of a device, which ends with the gateway, or after a time. */
import { linkAbort } from '../linked-abort.ts';

export async function bounded<T>(
  stopping: AbortSignal,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using life = linkAbort(stopping);
  const timer = setTimeout(
    () => life.controller.abort(new DOMException('no answer in time', 'TimeoutError')),
    timeoutMs,
  );
  try {
    return await work(life.controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
