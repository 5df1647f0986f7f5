/**
 * An abort controller that follows a signal that lives longer. `AbortSignal.any` would leave a little
 * behind at that signal each time, which over months of retries is a leak.
 */
export interface LinkedAbort extends Disposable {
  readonly controller: AbortController;
}

/** Lets go of `signal` when disposed. */
export function linkAbort(signal: AbortSignal): LinkedAbort {
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal.reason);
  if (signal.aborted) follow();
  signal.addEventListener('abort', follow, { once: true });
  return {
    controller,
    [Symbol.dispose]: () => signal.removeEventListener('abort', follow),
  };
}
