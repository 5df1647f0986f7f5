/** Starts something, waits for a signal to stop, stops it within a bounded time. */
import type { Logger } from 'pino';
import { RESTART_EXIT_CODE } from './started-again.ts';

/** A clean end takes less; whoever hangs then is left behind. What is left of the 2 s is for a busy machine. */
const STOP_TIMEOUT_MS = 1_700;

export interface Startable {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Ways to end the service from within. */
export interface Ending {
  /** With an error. */
  fail(reason: string): void;
  /** To be started again. */
  restart(): void;
}

/** Returns the exit code. */
export async function untilStopped(
  log: Logger,
  make: (ending: Ending) => Startable,
): Promise<number> {
  const { promise, resolve } = withResolver<number>();
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    // npm passes on the signal that the terminal has sent already.
    if (!isStopping) log.info({ signal }, 'stopping');
    isStopping = true;
    resolve(0);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  const service = make({
    fail: (reason) => {
      log.fatal({ reason }, 'giving up');
      resolve(1);
    },
    restart: () => resolve(RESTART_EXIT_CODE),
  });
  await service.start();
  const exitCode = await promise;
  // Ends the process even when something does not let go; unref: it must not keep it alive itself.
  setTimeout(() => {
    log.warn('stopping took too long; leaving');
    process.exit(exitCode);
  }, STOP_TIMEOUT_MS).unref();
  await service.stop();
  process.off('SIGTERM', onSignal);
  process.off('SIGINT', onSignal);
  return exitCode;
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
