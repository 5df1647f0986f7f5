/** Lets programs of this box in, at a port of its own. There is no login and so it listens on loopback only. */
import { createServer } from 'node:net';
import type { Logger } from 'pino';
import { type Opened, RetriedListening } from '../retried-listening.ts';
import type { LocalBroker } from './local-broker.ts';

/** A dashboard or two, a home automation, a command line. */
const MAX_CONNECTIONS = 64;

export class EmbeddedBroker {
  readonly #listening: RetriedListening;
  readonly #openBroker: () => Promise<LocalBroker>;

  constructor(listen: string, log: Logger, openBroker: () => Promise<LocalBroker>) {
    this.#openBroker = openBroker;
    this.#listening = new RetriedListening({
      listen,
      open: () => this.#open(),
      success: 'embedded MQTT broker listens',
      tellProblem: (words, err) =>
        log.warn(
          { err, listen },
          `cannot listen for MQTT on ${listen}: ${words}. Is it another broker? Set mqtt.url to use that one, or mqtt.embedded.listen to another port. Until then MQTT is off; it is tried again every 5 s`,
        ),
      log,
    });
  }

  /** What it really listens on: the configured port may be 0. undefined while it does not. */
  get port(): number | undefined {
    return this.#listening.port;
  }

  /** Resolves when it listens, or has failed for the first time: the service goes on without. */
  start(): Promise<void> {
    return this.#listening.start();
  }

  /** No new ones; those there are end with the broker. */
  close(): Promise<void> {
    return this.#listening.stop();
  }

  async #open(): Promise<Opened> {
    const broker = await this.#openBroker();
    const server = createServer((socket) => broker.take(socket, publishProblem));
    server.maxConnections = MAX_CONNECTIONS;
    return { server };
  }
}

function publishProblem({ topic }: { readonly topic: string }): string | undefined {
  return topic.startsWith('$SYS/') ? '$SYS/ is the broker’s own' : undefined;
}
