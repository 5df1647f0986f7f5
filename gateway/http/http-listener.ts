/**
 * The port for HTTP or HTTPS: takes connections, and bounds what a client can hold before it asks: header bytes, time,
 * connections. It goes on trying when the port is in use.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { Certificate, type CertificateFiles } from '../certificate.ts';
import { type Opened, RetriedListening } from '../retried-listening.ts';
import { problem, sendAnswerRaw } from './answer.ts';
import { WaitingRoom } from './waiting-room.ts';

const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  /** How often Node looks for requests past their time. */
  connectionsCheckingInterval: 1_000,
};
const TLS_HANDSHAKE_MS = 5_000;
/** A client that takes nothing of its answer for so long is gone. */
const IDLE_TIMEOUT_MS = 60_000;

export interface HttpListenerOptions {
  readonly listen: string;
  /** Given: HTTPS. */
  readonly tls?: CertificateFiles | undefined;
  readonly log: Logger;
}

export interface HttpListenerEvents {
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** Node has taken its listeners off. */
  readonly onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
}

export class HttpListener {
  /** Connections enter when they come; whoever answers takes them out and puts them back. */
  readonly waiting = new WaitingRoom();
  readonly #options: HttpListenerOptions;
  readonly #events: HttpListenerEvents;
  readonly #listening: RetriedListening;
  /** Node forgets about those that were upgraded, and about those in a TLS handshake. */
  readonly #sockets = new Set<Socket>();
  /** By the peer's address and port: what a connection was before its handshake is not told afterwards. */
  readonly #handshaking = new Map<string, Socket>();

  constructor(options: HttpListenerOptions, events: HttpListenerEvents) {
    this.#options = options;
    this.#events = events;
    const { listen, log } = options;
    this.#listening = new RetriedListening({
      listen,
      open: () => this.#open(),
      success: 'HTTP listens',
      tellProblem: (words, err) =>
        log.warn(
          { err, listen },
          `cannot listen for HTTP on ${listen}: ${words}. Until it can (http.listen may name another port) there is no /healthz and no API; it is tried again every 5 s`,
        ),
      log,
    });
  }

  /** undefined while it does not listen. */
  get port(): number | undefined {
    return this.#listening.port;
  }

  /** Resolves when it listens, or has failed for the first time: the service goes on without. */
  start(): Promise<void> {
    return this.#listening.start();
  }

  /** Cuts open connections: nobody waits for a keep-alive to end. */
  stop(): Promise<void> {
    const stopped = this.#listening.stop();
    for (const socket of this.#sockets) socket.destroy();
    return stopped;
  }

  async #open(): Promise<Opened> {
    const { tls, log } = this.#options;
    if (tls === undefined) {
      const server = createServer(LIMITS);
      this.#follow(server, false);
      return { server };
    }
    const certificate = new Certificate(tls, log);
    const pem = await certificate.read();
    const server = createTlsServer({ ...LIMITS, ...pem, handshakeTimeout: TLS_HANDSHAKE_MS });
    this.#follow(server, true);
    return { server, extra: certificate.watch((renewed) => server.setSecureContext(renewed)) };
  }

  #follow(server: Server, isTls: boolean): void {
    server.timeout = IDLE_TIMEOUT_MS;
    server.on('clientError', refuseMalformed);
    server.on('connection', (socket) => {
      this.#admit(socket);
      if (isTls) this.#rememberHandshake(socket);
    });
    server.on('secureConnection', (socket: Socket) => {
      const before = this.#handshaking.get(keyOf(socket));
      if (before !== undefined) this.waiting.leave(before);
      this.#admit(socket);
    });
    server.on('request', this.#events.onRequest);
    server.on('upgrade', (request, socket: Socket, head) =>
      this.#events.onUpgrade(request, socket, head),
    );
  }

  #admit(socket: Socket): void {
    this.waiting.enter(socket);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.waiting.leave(socket);
      this.#sockets.delete(socket);
    });
  }

  #rememberHandshake(socket: Socket): void {
    const key = keyOf(socket);
    this.#handshaking.set(key, socket);
    socket.once('close', () => {
      if (this.#handshaking.get(key) === socket) this.#handshaking.delete(key);
    });
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [statusLine, code] = malformedKind(error.code);
  const status = Number.parseInt(statusLine, 10);
  sendAnswerRaw(socket, statusLine, problem(status, code, 'not an HTTP request we can read'));
}

function malformedKind(code: string | undefined): readonly [statusLine: string, code: string] {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return ['431 Request Header Fields Too Large', 'header-too-large'];
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return ['408 Request Timeout', 'timeout'];
  return ['400 Bad Request', 'bad-request'];
}
