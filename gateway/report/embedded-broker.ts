/** Lets programs of this box in, at a port of its own. There is no login and so it listens on loopback only. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Logger } from 'pino';
import { parseHostPort } from '../config/fields.ts';
import type { LocalBroker } from './local-broker.ts';

/** A dashboard or two, a home automation, a command line. */
const MAX_CONNECTIONS = 64;

export class EmbeddedBroker {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** undefined, with one warning, when the port is taken: the service goes on without. */
  static async start(
    listen: string,
    log: Logger,
    openBroker: () => Promise<LocalBroker>,
  ): Promise<EmbeddedBroker | undefined> {
    const address = parseHostPort(listen);
    if (address === undefined) throw new RangeError(`not a listen address: ${listen}`);
    const server = createServer();
    server.maxConnections = MAX_CONNECTIONS;
    try {
      server.listen(address);
      await once(server, 'listening');
    } catch (err) {
      log.warn(
        { err, listen },
        'cannot listen for MQTT: this port is in use, perhaps by another broker. MQTT is off. Set mqtt.url to use that broker, or mqtt.embedded.listen to another port',
      );
      return undefined;
    }
    const broker = await openBroker();
    server.on('connection', (socket) => broker.take(socket, publishProblem));
    server.on('error', (err) => log.debug({ err }, 'the embedded broker missed a client'));
    return new EmbeddedBroker(server);
  }

  /** What it really listens on: the configured port may be 0. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** No new ones; those there are end with the broker. */
  close(): Promise<void> {
    return new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function publishProblem({ topic }: { readonly topic: string }): string | undefined {
  return topic.startsWith('$SYS/') ? '$SYS/ is the broker’s own' : undefined;
}
