/**
 * The log: pino, one JSON line per event on stdout, pretty on a terminal. Every line passes the
 * scrubber as text, the last thing before it leaves, so that no field or stack can carry a secret.
 */
import { createRequire } from 'node:module';
import { type Logger, pino, stdSerializers } from 'pino';
import type { LogLevel } from './config/schema.ts';
import { scrub, scrubbedJson } from './secrets.ts';

/** Where finished lines go. */
export interface LogSink {
  write(line: string): unknown;
}

/** Lines waiting for a reader of stdout that has stopped reading; further ones are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

const REDACTED_FIELDS = ['password', 'authorization', 'Authorization', 'token', 'secret'];

export class GatewayLog {
  readonly log: Logger;
  /** Children keep a level of their own: a change of level must reach each that is still in use. */
  readonly #children = new Set<WeakRef<Logger>>();
  readonly #collected = new FinalizationRegistry<WeakRef<Logger>>((reference) => {
    this.#children.delete(reference);
  });

  constructor(level: LogLevel, sink: LogSink = stdoutSink()) {
    this.log = pino(
      {
        level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { err: withoutUselessStack },
        redact: {
          paths: REDACTED_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
          censor: '***',
        },
        onChild: (child) => this.#remember(child),
      },
      { write: (line: string) => sink.write(withoutSecrets(line)) },
    );
  }

  get level(): string {
    return this.log.level;
  }

  setLevel(level: LogLevel): void {
    this.log.level = level;
    for (const reference of this.#children) {
      const child = reference.deref();
      if (child !== undefined) child.level = level;
    }
  }

  #remember(child: Logger): void {
    const reference = new WeakRef(child);
    this.#children.add(reference);
    this.#collected.register(child, reference);
  }
}

/** What the system refused, such as a port in use: its stack is all of Node's inside. */
function withoutUselessStack(err: unknown): unknown {
  if (!(err instanceof Error) || !('syscall' in err)) return stdSerializers.err(err as Error);
  const { stack: _, ...told } = stdSerializers.err(err);
  return told;
}

/** Most lines hold none and pass as they are; the others are taken apart, to stay valid JSON. */
function withoutSecrets(line: string): string {
  return scrub(line) === line ? line : `${scrubbedJson(JSON.parse(line))}\n`;
}

function stdoutSink(): LogSink {
  const stdout = pino.destination({ fd: 1, sync: true, maxLength: MAX_WAITING_BYTES });
  // A reader that went away or a full disk under a redirected log must not end the service.
  stdout.on('error', () => {});
  return (process.stdout.isTTY ? prettySink(stdout) : undefined) ?? stdout;
}

/** undefined where pino-pretty is not installed. Synchronous: no worker thread (8 MB) for colours. */
function prettySink(stdout: LogSink): LogSink | undefined {
  const require = createRequire(import.meta.url);
  try {
    // The package's own type of its only export, narrowed to what is used here.
    const pretty = require('pino-pretty') as (options: object) => LogSink;
    return pretty({
      sync: true,
      colorize: true,
      translateTime: 'SYS:HH:MM:ss.l',
      destination: stdout,
    });
  } catch {
    return undefined;
  }
}
