/** A TCP port for a protocol that does nothing but push. */
import type { Socket } from 'node:net';
import { LogRepeats } from '../log-repeats.ts';
import type { Acceptor, AcceptorContext } from './acceptor.ts';
import { Access } from './access.ts';
import {
  isOfClient,
  type PushClient,
  type PushConfig,
  PushConnection,
  type PushFeed,
} from './push-connection.ts';
import { TcpListener } from './tcp-listener.ts';

/** What they need of an acceptor's surroundings. */
export type PushContext = Pick<AcceptorContext, 'publications' | 'log' | 'now'>;

export interface PushProtocol {
  /** For people: "LiveFLV". */
  readonly name: string;
  /** The parser for a new client. */
  readonly makeFeed: (client: PushClient, access: Access) => PushFeed;
}

export class PushAcceptor implements Acceptor {
  readonly #config: PushConfig;
  readonly #context: PushContext;
  readonly #protocol: PushProtocol;
  readonly #access: Access;
  readonly #listener: TcpListener;
  readonly #repeats: LogRepeats;
  readonly #connections = new Set<PushConnection>();

  constructor(config: PushConfig, context: PushContext, protocol: PushProtocol) {
    const { limits, listen } = config;
    this.#config = config;
    this.#context = context;
    this.#protocol = protocol;
    this.#access = new Access(config.publish, context.now);
    this.#repeats = new LogRepeats(context.log);
    this.#listener = new TcpListener(
      {
        listen,
        maxConnections: limits.connections,
        maxConnectionsPerAddress: limits.connectionsPerAddress,
        log: context.log,
      },
      (socket, address) => this.#accept(socket, address),
    );
  }

  get port(): number | undefined {
    return this.#listener.port;
  }

  async start(): Promise<void> {
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.close('this gateway is stopping');
    await this.#listener.stop();
  }

  #accept(socket: Socket, address: string): void {
    if (!this.#access.allowsAddress(address)) {
      socket.destroy();
      this.#refused(address, 'address', 'publish.addresses does not list it');
      return;
    }
    const connection = new PushConnection(socket, address, {
      protocol: this.#protocol.name,
      config: this.#config,
      publications: this.#context.publications,
      makeFeed: (client) => this.#protocol.makeFeed(client, this.#access),
      onClose: (words, error) => {
        this.#connections.delete(connection);
        if (error === undefined) this.#context.log.debug({ peer: address, words }, 'client gone');
        else if (isOfClient(error)) this.#refused(address, kindOf(error), words);
        else
          this.#context.log.error(
            { peer: address, err: error },
            'a client’s bytes cost its session',
          );
      },
    });
    this.#connections.add(connection);
    connection.start();
  }

  /** `kind`: of one kind an address is told of once in a while. */
  #refused(address: string, kind: string, words: string): void {
    const { name } = this.#protocol;
    this.#repeats.report(
      `${address} ${kind}`,
      'warn',
      { peer: address },
      `The ${name} client at ${address} was sent away: ${words}`,
    );
  }
}

function kindOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
