/**
 * A server's port that cannot always be had at once: another program has it, its address is not there yet, its certificate
 * is missing. It is tried again until it listens, and each trouble is told of once.
 */
import { once } from 'node:events';
import type { Server } from 'node:net';
import type { Logger } from 'pino';
import { parseHostPort } from './config/fields.ts';

const RETRY_LISTEN_MS = 5_000;

/** What is to listen; `extra` goes with it. */
export interface Opened {
  readonly server: Server;
  readonly extra?: Disposable | undefined;
}

export interface RetriedListeningOptions {
  /** `host:port`. */
  readonly listen: string;
  /** Makes a server that does not listen yet, anew for each attempt. */
  readonly open: () => Opened | Promise<Opened>;
  /** It listens: the words for the log. */
  readonly success: string;
  /** It does not: `words` say why, for people. It is tried again. */
  readonly tellProblem: (words: string, err: unknown) => void;
  readonly log: Logger;
}

export class RetriedListening {
  readonly #options: RetriedListeningOptions;
  #opened: Opened | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isStopped = false;
  #toldWords = '';

  constructor(options: RetriedListeningOptions) {
    this.#options = options;
  }

  /** What it really listens on: the configured port may be 0. undefined while it does not. */
  get port(): number | undefined {
    const address = this.#opened?.server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  /** Resolves when it listens, or has failed for the first time: the service goes on without. */
  async start(): Promise<void> {
    const { listen, success, log } = this.#options;
    const address = parseHostPort(listen);
    if (address === undefined) throw new RangeError(`not a listen address: ${listen}`);
    if (this.#isStopped) return;
    let opened: Opened | undefined;
    try {
      opened = await this.#options.open();
      // A stop does not wait for an attempt.
      if (!this.#isStopped) {
        opened.server.listen(address);
        await once(opened.server, 'listening');
      }
    } catch (err) {
      opened?.extra?.[Symbol.dispose]();
      if (this.#isStopped) return;
      this.#tellProblem(err);
      this.#retry = setTimeout(() => void this.start(), RETRY_LISTEN_MS);
      return;
    }
    if (this.#isStopped) {
      opened.extra?.[Symbol.dispose]();
      opened.server.close();
      return;
    }
    this.#opened = opened;
    opened.server.on('error', (err) =>
      log.warn({ err, listen }, 'the listening socket had an error'),
    );
    log.info({ listen, port: this.port }, success);
  }

  /** When the last connection is closed, too: whoever has them cuts them before. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    const { server, extra } = this.#opened ?? {};
    extra?.[Symbol.dispose]();
    if (server === undefined || !server.listening) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  #tellProblem(err: unknown): void {
    const words = problemWords(err);
    if (words === this.#toldWords) return;
    this.#toldWords = words;
    this.#options.tellProblem(words, err);
  }
}

function problemWords(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  const { code, path }: NodeJS.ErrnoException = err;
  switch (code) {
    case 'EADDRINUSE':
      return 'this port is in use by another program';
    case 'EACCES':
      return path === undefined
        ? 'no permission; ports below 1024 need the capability CAP_NET_BIND_SERVICE'
        : `no permission to read ${path}`;
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'ENOENT':
      return `the certificate or key file ${path ?? ''} is not there`;
    default:
      return err.message;
  }
}
