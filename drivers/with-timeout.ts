/** A wait with an end, where what is waited for has none of its own. */

export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** Rejects with a TimeoutError after `timeoutMs`; what was waited for goes on, and its outcome is nobody's. */
export function withTimeout<T>(work: Promise<T> | T, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new TimeoutError(`no end after ${timeoutMs} ms`)),
      timeoutMs,
    );
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
