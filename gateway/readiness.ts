/**
 * What systemd is told (sd_notify(3), Type=notify): that we run, how it goes, that we stop, and that the event loop turns
 * (WatchdogSec): a timer of a loop that hangs does not fire.
 */
import type { Logger } from 'pino';
import { NATIVE_ADDON } from '../drivers/native-addon.ts';

/** For `systemctl status`, when it has changed. */
const STATUS_PERIOD_MS = 10_000;
/** unix(7): `sun_path`, with the zero at its end. */
const MAX_PATH_BYTES = 107;
const READY = 'READY=1\n';

interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ReadinessContext {
  readonly log: Logger;
  /** A line for people. */
  readonly status: () => string;
  readonly env?: NodeJS.ProcessEnv;
  /** One datagram to a Unix socket; undefined: not to be had. */
  readonly notify?: ((path: string, bytes: Uint8Array) => void) | undefined;
}

/** The same service, which tells systemd; just the service where no systemd listens. */
export function withReadiness(service: Service, context: ReadinessContext): Service {
  const { env = process.env, log } = context;
  const path = env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return service;
  const notify = 'notify' in context ? context.notify : NATIVE_ADDON?.notify;
  const trouble = whyNot(path, notify);
  if (notify === undefined || trouble !== undefined) {
    log.warn({ socket: path }, `systemd is told nothing: ${trouble}`);
    return service;
  }
  const send = (text: string) => notify(path, Buffer.from(text));
  const readiness = new Readiness(send, watchdogMs(env), context);
  return {
    start: async () => {
      await service.start();
      readiness.running();
    },
    stop: async () => {
      readiness.stopping();
      await service.stop();
    },
  };
}

function whyNot(path: string, notify: unknown): string | undefined {
  if (notify === undefined) {
    return 'that needs the native addon, which was not built. Install gcc, make and python3, or set Type=exec and no WatchdogSec in the unit; all else works without';
  }
  if (!/^[/@]/.test(path)) return 'its socket is neither a path nor an abstract name';
  return Buffer.byteLength(path) > MAX_PATH_BYTES
    ? 'the path of its socket is too long'
    : undefined;
}

/** Half of what systemd allows (sd_watchdog_enabled(3)); undefined when it does not watch us. */
function watchdogMs(env: NodeJS.ProcessEnv): number | undefined {
  const allowedUs = Number(env['WATCHDOG_USEC'] ?? 0);
  const pid = env['WATCHDOG_PID'];
  if (!(allowedUs > 0) || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  return Math.max(1, Math.floor(allowedUs / 2000));
}

class Readiness {
  readonly #send: (text: string) => void;
  readonly #watchdogMs: number | undefined;
  readonly #context: ReadinessContext;
  #watchdog: NodeJS.Timeout | undefined;
  #period: NodeJS.Timeout | undefined;
  #status = '';
  /** What must be said, and did not get through. */
  #unsaid = '';
  #hasFailed = false;

  constructor(
    send: (text: string) => void,
    watchdogMs: number | undefined,
    context: ReadinessContext,
  ) {
    this.#send = send;
    this.#watchdogMs = watchdogMs;
    this.#context = context;
  }

  running(): void {
    this.#unsaid = READY;
    this.#tellStatus();
    this.#period = setInterval(() => this.#tellStatus(), STATUS_PERIOD_MS);
    this.#period.unref();
    if (this.#watchdogMs === undefined) return;
    this.#watchdog = setInterval(() => this.#say('WATCHDOG=1\n'), this.#watchdogMs);
    this.#watchdog.unref();
  }

  stopping(): void {
    clearInterval(this.#period);
    clearInterval(this.#watchdog);
    this.#unsaid = '';
    this.#say('STOPPING=1\nSTATUS=stopping\n');
  }

  #tellStatus(): void {
    const status = this.#context.status();
    if (status === this.#status && this.#unsaid === '') return;
    this.#status = status;
    this.#say(`STATUS=${status}\n`);
  }

  #say(text: string): void {
    try {
      this.#send(this.#unsaid + text);
      this.#unsaid = '';
    } catch (err) {
      if (!this.#hasFailed) this.#context.log.warn({ err }, 'systemd does not listen');
      this.#hasFailed = true;
    }
  }
}
