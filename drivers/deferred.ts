/** A promise that is settled from outside: where callbacks of a socket say that an attempt is over. */

export interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** May be rejected before anybody waits for it. */
export function deferred(): Deferred {
  const calls: { resolve?: () => void; reject?: (error: unknown) => void } = {};
  const promise = new Promise<void>((resolve, reject) => {
    calls.resolve = resolve;
    calls.reject = reject;
  });
  promise.catch(() => undefined);
  return {
    promise,
    resolve: () => calls.resolve?.(),
    reject: (error) => calls.reject?.(error),
  };
}
