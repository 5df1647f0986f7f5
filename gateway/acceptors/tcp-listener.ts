/**
 * A TCP or TLS port for an acceptor. It bounds connections, in all and of one address; goes on trying when the port
 * is in use; and takes a new certificate when its files change, without ending a session.
 */
import { createServer, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { Certificate, type CertificateFiles } from '../certificate.ts';
import { peerOf, plainAddress } from '../peer.ts';
import { type Opened, RetriedListening } from '../retried-listening.ts';
import { TlsEntrance } from './tls-entrance.ts';

/** A viewer that waits for a stream says nothing, and is told nothing: its network may have gone long ago. */
const KEEP_ALIVE_MS = 60_000;
/** A crowd is told of once in a while, not once per head. */
const TELL_REFUSED_MS = 60_000;

export interface TcpListenerOptions {
  /** `host:port`. */
  readonly listen: string;
  /** Given: TLS. Asked whenever it tries to listen. */
  readonly tls?: (() => Promise<CertificateFiles>) | undefined;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly log: Logger;
}

export class TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #onConnection: (socket: Socket, address: string) => void;
  readonly #listening: RetriedListening;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  #toldRefusedAtMs = Number.NEGATIVE_INFINITY;

  /** `onConnection` gets a socket whose errors it must listen to, and the peer's address. */
  constructor(
    options: TcpListenerOptions,
    onConnection: (socket: Socket, address: string) => void,
  ) {
    this.#options = options;
    this.#onConnection = onConnection;
    const { listen, log } = options;
    this.#listening = new RetriedListening({
      listen,
      open: () => this.#open(),
      success: 'listening',
      tellProblem: (words, err) =>
        log.error({ err, listen }, `cannot listen on ${listen}: ${words}; trying again every 5 s`),
      log,
    });
  }

  get port(): number | undefined {
    return this.#listening.port;
  }

  /** Resolves when it listens, or has failed for the first time. */
  start(): Promise<void> {
    return this.#listening.start();
  }

  /** Cuts every connection. */
  stop(): Promise<void> {
    const stopped = this.#listening.stop();
    for (const socket of this.#sockets) socket.destroy();
    return stopped;
  }

  async #open(): Promise<Opened> {
    const files = await this.#options.tls?.();
    const server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    if (files === undefined) {
      server.on('connection', (socket) => {
        this.#count(socket);
        this.#connected(socket);
      });
      return { server };
    }
    const { entrance, renewing } = await this.#openEntrance(files);
    server.on('connection', (socket) => {
      this.#count(socket);
      if (!socket.destroyed) entrance.accept(socket);
    });
    return { server, extra: renewing };
  }

  #connected(socket: Socket): void {
    if (!socket.destroyed) this.#onConnection(socket, plainAddress(socket.remoteAddress));
  }

  async #openEntrance(
    files: CertificateFiles,
  ): Promise<{ readonly entrance: TlsEntrance; readonly renewing: Disposable }> {
    const { log } = this.#options;
    const certificate = new Certificate(files, log);
    const entrance = new TlsEntrance(
      await certificate.read(),
      (socket) => this.#connected(socket),
      // A peer that speaks no TLS, or not ours.
      (err) => log.debug({ err }, 'TLS handshake failed'),
    );
    const renewing = certificate.watch((renewed) => {
      entrance.certificate = renewed;
    });
    return { entrance, renewing };
  }

  /** Counted from TCP's accept on, so that handshakes are bounded, too. */
  #count(socket: Socket): void {
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    const address = peerOf(socket.remoteAddress);
    const ofAddress = this.#perAddress.get(address) ?? 0;
    socket.on('error', () => undefined); // whoever has the socket listens, too
    if (this.#sockets.size >= maxConnections || ofAddress >= maxConnectionsPerAddress) {
      socket.destroy();
      this.#tellRefused(address, ofAddress);
      return;
    }
    this.#sockets.add(socket);
    this.#perAddress.set(address, ofAddress + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
  }

  #tellRefused(address: string, ofAddress: number): void {
    const nowMs = Date.now();
    if (nowMs - this.#toldRefusedAtMs < TELL_REFUSED_MS) return;
    this.#toldRefusedAtMs = nowMs;
    const { size } = this.#sockets;
    this.#options.log.warn(
      { address, ofAddress, connections: size },
      'too many connections: new ones are refused (limits.connections, limits.connectionsPerAddress)',
    );
  }
}
