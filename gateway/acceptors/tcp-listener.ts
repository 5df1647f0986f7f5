/**
 * A TCP or TLS port for an acceptor. It bounds connections, in all and of one address; goes on trying when the port
 * is in use; and takes a new certificate when its files change, without ending a session.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { Certificate, type CertificateFiles } from '../certificate.ts';
import { parseHostPort } from '../config/fields.ts';
import { peerOf, plainAddress } from '../peer.ts';
import { TlsEntrance } from './tls-entrance.ts';

const RETRY_LISTEN_MS = 5_000;
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
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  #server: Server | undefined;
  #retry: NodeJS.Timeout | undefined;
  #certificateWatch: Disposable | undefined;
  #isStopped = false;
  #toldProblem = '';
  #toldRefusedAtMs = Number.NEGATIVE_INFINITY;

  /** `onConnection` gets a socket whose errors it must listen to, and the peer's address. */
  constructor(
    options: TcpListenerOptions,
    onConnection: (socket: Socket, address: string) => void,
  ) {
    this.#options = options;
    this.#onConnection = onConnection;
  }

  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  /** Resolves when it listens, or has failed for the first time. */
  async start(): Promise<void> {
    if (this.#isStopped) return;
    const { listen, log } = this.#options;
    try {
      const tls = await this.#options.tls?.();
      const server = await this.#listen(tls);
      if (this.#isStopped) {
        this.#certificateWatch?.[Symbol.dispose]();
        server.close();
        return;
      }
      this.#server = server;
      log.info({ listen, port: this.port }, 'listening');
    } catch (err) {
      this.#tellProblem(err);
      this.#retry = setTimeout(() => void this.start(), RETRY_LISTEN_MS);
    }
  }

  /** Cuts every connection. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    this.#certificateWatch?.[Symbol.dispose]();
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    if (server === undefined || !server.listening) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  async #listen(tls: CertificateFiles | undefined): Promise<Server> {
    const { listen, log } = this.#options;
    const address = parseHostPort(listen);
    if (address === undefined) throw new RangeError(`not a listen address: ${listen}`);
    const entrance = tls === undefined ? undefined : await this.#openEntrance(tls);
    const server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    server.on('connection', (socket) => {
      this.#count(socket);
      if (entrance === undefined) this.#connected(socket);
      else if (!socket.destroyed) entrance.accept(socket);
    });
    server.listen(address);
    await once(server, 'listening');
    server.on('error', (err) => log.warn({ err }, 'the listening socket had an error'));
    return server;
  }

  #connected(socket: Socket): void {
    if (!socket.destroyed) this.#onConnection(socket, plainAddress(socket.remoteAddress));
  }

  async #openEntrance(files: CertificateFiles): Promise<TlsEntrance> {
    const { log } = this.#options;
    const certificate = new Certificate(files, log);
    const entrance = new TlsEntrance(
      await certificate.read(),
      (socket) => this.#connected(socket),
      // A peer that speaks no TLS, or not ours.
      (err) => log.debug({ err }, 'TLS handshake failed'),
    );
    this.#certificateWatch?.[Symbol.dispose]();
    this.#certificateWatch = certificate.watch((renewed) => {
      entrance.certificate = renewed;
    });
    return entrance;
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

  #tellProblem(err: unknown): void {
    const words = problemWords(err);
    const { log, listen } = this.#options;
    if (words === this.#toldProblem) return;
    this.#toldProblem = words;
    log.error({ err, listen }, `cannot listen on ${listen}: ${words}; trying again every 5 s`);
  }
}

function problemWords(err: unknown): string {
  const code = err instanceof Error && 'code' in err ? String(err.code) : '';
  switch (code) {
    case 'EADDRINUSE':
      return 'another program listens there';
    case 'EACCES':
      return 'no permission; ports below 1024 need the capability CAP_NET_BIND_SERVICE';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'ENOENT':
      return 'the certificate or key file is not there';
    default:
      return err instanceof Error ? err.message : String(err);
  }
}
