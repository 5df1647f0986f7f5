/**
 * The HTTP server: takes connections, bounds everything a client can hold (header bytes, time, connections,
 * answers under way), and hands each request to the route that its path belongs to. It answers GET and HEAD.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { isLoopback, parseHostPort } from '../config/fields.ts';
import { type Answer, problem, sendAnswer, sendAnswerRaw } from './answer.ts';
import { matchRoute, type Route, type RouteMatch } from './route.ts';
import { ServingBudget, type ViewerLimits } from './serving-budget.ts';
import { WaitingRoom } from './waiting-room.ts';

const MAX_HEADER_BYTES = 8 * 1024;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
/** A client that takes nothing of its answer for so long is gone. */
const IDLE_TIMEOUT_MS = 60_000;
/** How often Node looks for requests past their time. */
const TIMEOUT_CHECK_MS = 1_000;

export interface HttpServerContext {
  readonly listen: string;
  readonly limits: ViewerLimits;
  readonly routes: readonly Route[];
  readonly log: Logger;
}

export class HttpServer {
  readonly #context: HttpServerContext;
  readonly #server: Server;
  readonly #budget: ServingBudget;
  readonly #waiting = new WaitingRoom();
  /** The last answer begun on each connection. */
  readonly #answering = new WeakMap<Socket, ServerResponse>();
  /** Node forgets about those that were upgraded. */
  readonly #upgraded = new Set<Socket>();

  constructor(context: HttpServerContext) {
    this.#context = context;
    this.#budget = new ServingBudget(context.limits);
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      },
      (request, response) => this.#serve(request, response),
    );
    this.#server.timeout = IDLE_TIMEOUT_MS;
    this.#server.on('clientError', refuseMalformed);
    this.#server.on('connection', (socket: Socket) => {
      this.#waiting.enter(socket);
      socket.once('close', () => this.#waiting.leave(socket));
    });
    this.#server.on('upgrade', (request, socket: Socket, head) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** Never fails: when the port is taken there is one warning, and the service goes on without. */
  async start(): Promise<void> {
    const { listen, log } = this.#context;
    const address = parseHostPort(listen);
    if (address === undefined) throw new RangeError(`not a listen address: ${listen}`);
    try {
      this.#server.listen(address);
      await once(this.#server, 'listening');
    } catch (err) {
      log.warn(
        { err, listen },
        'cannot listen for HTTP: this port is in use. /healthz and the API are off. Set http.listen to another port',
      );
      return;
    }
    this.#server.on('error', (err) => log.warn({ err }, 'HTTP server'));
    log.info({ listen, port: this.port }, 'HTTP listens');
  }

  /** What it really listens on: the configured port may be 0. undefined when it does not. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  /** Cuts open connections: nobody waits for a keep-alive to end. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const { socket } = request;
    // A request behind one whose answer goes on would wait in memory; no client of ours does that.
    if (this.#answering.get(socket)?.writableEnded === false) {
      socket.destroy();
      return;
    }
    this.#answering.set(socket, response);
    const place = this.#admit(request);
    if (!('route' in place)) {
      sendAnswer(response, place);
      return;
    }
    this.#waiting.leave(socket);
    response.once('close', () => {
      place.held[Symbol.dispose]();
      const isLast = this.#answering.get(socket) === response;
      if (isLast && !socket.destroyed) this.#waiting.enter(socket);
    });
    this.#handle(request, response, place).catch((err: unknown) => {
      this.#context.log.error({ err, url: request.url }, 'HTTP request failed');
      if (response.headersSent) socket.destroy();
      else sendAnswer(response, INTERNAL);
    });
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    { route, captured, query }: RouteMatch,
  ): Promise<void> {
    await route.handle({ request, response, captured, query });
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Node has taken its own listeners off; a reset must not end the process.
    socket.on('error', () => socket.destroy());
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    const match = this.#match(request.url ?? '/');
    const upgrade = match?.route.upgrade;
    if (upgrade === undefined || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      // "Upgrade: h2c" is an offer that a server need not take (RFC 9110 §7.8).
      this.#serve(request, responseOn(socket, request));
      return;
    }
    const refuse = (answer: Answer) => sendAnswer(responseOn(socket, request), answer);
    const place = this.#admit(request);
    if (!('route' in place)) {
      refuse(place);
      return;
    }
    this.#waiting.leave(socket);
    socket.once('close', () => place.held[Symbol.dispose]());
    try {
      upgrade({ request, socket, head, captured: place.captured, refuse });
    } catch (err) {
      this.#context.log.error({ err, url: request.url }, 'WebSocket request failed');
      socket.destroy();
    }
  }

  /** The route with its place in the budget, or why it is not served. */
  #admit(request: IncomingMessage): Answer | (RouteMatch & { readonly held: Disposable }) {
    const { headers, method, socket, url = '/' } = request;
    // A web page could have its own name point here (DNS rebinding) and read this API.
    if (!isLocalHost(headers.host)) {
      return problem(403, 'forbidden-host', 'expected localhost, 127.0.0.1 or [::1] as Host');
    }
    if (method !== 'GET' && method !== 'HEAD') {
      const words = 'only GET and HEAD are answered';
      return problem(405, 'method-not-allowed', words, { allow: 'GET, HEAD' });
    }
    if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0') {
      return problem(413, 'body-not-allowed', 'a GET request has no body here');
    }
    const match = this.#match(url);
    if (match === undefined) return problem(404, 'not-found', 'no such path');
    const held = this.#budget.enter(match.route.access, addressToCount(socket.remoteAddress));
    if (held === undefined) {
      const words = 'as many are served as may be at once; try again later';
      return problem(503, 'busy', words, { 'retry-after': '5' });
    }
    return { ...match, held };
  }

  #match(url: string): RouteMatch | undefined {
    try {
      return matchRoute(this.#context.routes, url);
    } catch (error) {
      if (error instanceof URIError) return undefined;
      throw error;
    }
  }
}

/** For a request that Node has handed over for an upgrade; the connection ends with the answer. */
function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.end());
  return response;
}

const INTERNAL = problem(500, 'internal', 'this is a fault of the service; see its log');

/** undefined: this machine. An IPv4 peer of an IPv6 listener is written `::ffff:10.0.0.1`. */
function addressToCount(address: string | undefined): string | undefined {
  const plain = address?.replace(/^::ffff:/, '');
  return plain === undefined || isLoopback(plain) ? undefined : plain;
}

function isLocalHost(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host);
  return name !== null && isLoopback((name[1] ?? name[2] ?? '').toLowerCase());
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
