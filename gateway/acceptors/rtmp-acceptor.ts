/** The RTMP server: `rtmp` and `rtmps`. A client's bytes are read here and handed to its RtmpConnection. */
import type { Socket } from 'node:net';
import type { AcceptorConfig } from '../config/schema.ts';
import type { Acceptor, AcceptorContext } from './acceptor.ts';
import { RtmpConnection, type RtmpService, type RtmpTransport } from './rtmp-connection.ts';
import { RtmpLogin } from './rtmp-login.ts';
import { TcpListener } from './tcp-listener.ts';

/** For the last words to go out to a client that is sent away; a stop of the whole service may take 2 s. */
const LAST_WORDS_MS = 500;

export class RtmpAcceptor implements Acceptor {
  readonly #service: RtmpService;
  readonly #listener: TcpListener;
  readonly #connections = new Set<RtmpConnection>();

  constructor(config: AcceptorConfig, context: AcceptorContext) {
    const { publications, rtmpFanOuts, log, now } = context;
    this.#service = {
      protocol: config.protocol.toUpperCase(),
      config,
      login: new RtmpLogin(config.publish, config.play, now),
      publications,
      fanOuts: rtmpFanOuts,
      log,
      now,
    };
    this.#listener = new TcpListener(
      {
        listen: config.listen,
        maxConnections: config.limits.connections,
        maxConnectionsPerAddress: config.limits.connectionsPerAddress,
        log,
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
    for (const connection of this.#connections) connection.end('this gateway is stopping');
    await this.#listener.stop();
  }

  #accept(socket: Socket, address: string): void {
    const connection = new RtmpConnection(new SocketTransport(socket), address, this.#service);
    this.#connections.add(connection);
    socket.on('data', (chunk: Uint8Array) => connection.push(chunk));
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => {
      this.#connections.delete(connection);
      connection.closed();
    });
  }
}

class SocketTransport implements RtmpTransport {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS).unref();
  }
}
