/** Asking for so long and no longer: a network that swallows packets says nothing, and browsers wait for minutes. */

/** `work` ends when its signal aborts: after `ms`, or with `outer`. */
export async function within<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const ending = new AbortController();
  const end = () => ending.abort();
  const timer = setTimeout(end, ms);
  outer?.addEventListener('abort', end);
  if (outer?.aborted === true) end();
  try {
    return await work(ending.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', end);
  }
}
