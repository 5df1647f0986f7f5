/**
 * A TCP or TLS port for an acceptor. It bounds connections, in all and of one address; goes on trying when the port
 * is in use; and takes a new certificate when its files change, without ending a session.
 */
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import { parseHostPort } from '../config/fields.ts';

const RETRY_LISTEN_MS = 5_000;
/** Certificates are renewed weeks before they end. */
const CERTIFICATE_CHECK_MS = 10_000;
const TLS_HANDSHAKE_MS = 10_000;
/** A crowd is told of once in a while, not once per head. */
const TELL_REFUSED_MS = 60_000;

export interface CertificateFiles {
  /** PEM. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TcpListenerOptions {
  /** `host:port`. */
  readonly listen: string;
  /** Given: TLS. */
  readonly tls?: CertificateFiles | undefined;
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
  #certificateCheck: NodeJS.Timeout | undefined;
  #certificateVersion = '';
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
    const { listen, log, tls } = this.#options;
    try {
      const server = await this.#listen();
      if (this.#isStopped) {
        server.close();
        return;
      }
      this.#server = server;
      if (tls !== undefined) {
        this.#certificateCheck = setInterval(() => {
          void this.#reloadCertificate(server as TlsServer, tls);
        }, CERTIFICATE_CHECK_MS);
      }
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
    clearInterval(this.#certificateCheck);
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    if (server === undefined || !server.listening) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  async #listen(): Promise<Server> {
    const { listen, tls, log } = this.#options;
    const address = parseHostPort(listen);
    if (address === undefined) throw new RangeError(`not a listen address: ${listen}`);
    const server =
      tls === undefined ? createTcpServer({ noDelay: true }) : await this.#makeTls(tls);
    server.on('connection', (socket) => this.#count(socket));
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      if (!socket.destroyed) this.#onConnection(socket, plainAddress(socket.remoteAddress));
    });
    server.listen(address);
    await once(server, 'listening');
    server.on('error', (err) => log.warn({ err }, 'the listening socket had an error'));
    return server;
  }

  async #makeTls(files: CertificateFiles): Promise<TlsServer> {
    const { cert, key, version } = await readCertificate(files);
    this.#certificateVersion = version;
    const server = createTlsServer({ cert, key, handshakeTimeout: TLS_HANDSHAKE_MS });
    server.on('secureConnection', (socket) => socket.setNoDelay(true));
    // A peer that speaks no TLS, or not ours; its socket is closed already.
    server.on('tlsClientError', (err) => this.#options.log.debug({ err }, 'TLS handshake failed'));
    return server;
  }

  /** Counted from TCP's accept on, so that handshakes are bounded, too. */
  #count(socket: Socket): void {
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    const address = plainAddress(socket.remoteAddress);
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

  async #reloadCertificate(server: TlsServer, files: CertificateFiles): Promise<void> {
    const { log } = this.#options;
    try {
      if ((await versionOf(files)) === this.#certificateVersion) return;
      const { cert, key, version } = await readCertificate(files);
      server.setSecureContext({ cert, key });
      this.#certificateVersion = version;
      log.info({ certFile: files.certFile }, 'took the new certificate');
    } catch (err) {
      // Half of a pair may be there while it is being replaced; the old one stays in use.
      log.warn({ err, certFile: files.certFile }, 'cannot take the new certificate yet');
    }
  }
}

async function readCertificate(files: CertificateFiles) {
  const version = await versionOf(files);
  const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)]);
  return { cert, key, version };
}

async function versionOf({ certFile, keyFile }: CertificateFiles): Promise<string> {
  const [cert, key] = await Promise.all([stat(certFile), stat(keyFile)]);
  return `${cert.mtimeMs} ${cert.size} ${cert.ino} ${key.mtimeMs} ${key.size} ${key.ino}`;
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

/** IPv4 seen through an IPv6 socket is IPv4. */
function plainAddress(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
}
