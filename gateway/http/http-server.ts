/**
 * The HTTP server: hands each request to the route that its path belongs to, when whoever asks may ask, and there is room
 * for one more answer. It answers GET and HEAD, POST where a route takes it, and OPTIONS where a browser
 * asks for another site's page.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { CertificateFiles } from '../certificate.ts';
import { isLoopback } from '../config/fields.ts';
import { LogRepeats } from '../log-repeats.ts';
import { peerOf } from '../peer.ts';
import { type Answer, problem, sendAnswer } from './answer.ts';
import { Cors, isOwnPage } from './cors.ts';
import { type Admission, Gatekeeper, type GatekeeperConfig, type Visitor } from './gatekeeper.ts';
import { HttpListener } from './http-listener.ts';
import { loginRoutes } from './login-routes.ts';
import { matchRoute, type Route, type RouteMatch } from './route.ts';
import { ServingBudget, type ViewerLimits } from './serving-budget.ts';

export interface HttpServerContext extends GatekeeperConfig {
  readonly listen: string;
  /** Given: HTTPS. */
  readonly tls?: CertificateFiles | undefined;
  readonly cors: readonly string[];
  readonly limits: ViewerLimits;
  readonly routes: readonly Route[];
  readonly log: Logger;
}

/** Let in: the route, a place in the budget, and by what right. */
interface Place extends RouteMatch {
  readonly held: Disposable;
  readonly visitor: Visitor;
}

export class HttpServer {
  readonly #routes: readonly Route[];
  readonly #listener: HttpListener;
  readonly #gatekeeper: Gatekeeper;
  readonly #cors: Cors;
  readonly #budget: ServingBudget;
  /** Whoever finds a fault asks for it again and again. */
  readonly #repeats: LogRepeats;
  /** The last answer begun on each connection. */
  readonly #answering = new WeakMap<Socket, ServerResponse>();

  constructor(context: HttpServerContext) {
    this.#gatekeeper = new Gatekeeper(context, () => performance.now());
    this.#routes = [...loginRoutes(this.#gatekeeper), ...context.routes];
    this.#cors = new Cors(context.cors);
    this.#budget = new ServingBudget(context.limits);
    this.#repeats = new LogRepeats(context.log);
    this.#listener = new HttpListener(context, {
      onRequest: (request, response) => this.#serve(request, response),
      onUpgrade: (request, socket, head) => this.#upgrade(request, socket, head),
    });
  }

  /** Never fails: when the port is taken there is one warning, and the service goes on without. */
  start(): Promise<void> {
    return this.#listener.start();
  }

  /** What it really listens on: the configured port may be 0. undefined when it does not. */
  get port(): number | undefined {
    return this.#listener.port;
  }

  async stop(): Promise<void> {
    await this.#listener.stop();
    this.#repeats.close();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // A request behind one whose answer goes on would wait in memory; no client of ours does that.
    if (this.#answering.get(socket)?.writableEnded === false) {
      socket.destroy();
      return;
    }
    this.#answering.set(socket, response);
    this.#cors.setHeaders(request, response);
    const place = this.#admit(request);
    if (!(place instanceof Promise)) {
      this.#answer(request, response, place);
      return;
    }
    const answerLater = async () => this.#answer(request, response, await place);
    answerLater().catch((err: unknown) => this.#fail(err, request, response));
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    place: Answer | 'preflight' | Place,
  ): void {
    const { socket } = request;
    if (place === 'preflight') {
      request.resume();
      this.#cors.answerPreflight(response);
      return;
    }
    if (!('route' in place)) {
      request.resume();
      sendAnswer(response, place);
      return;
    }
    if (response.destroyed || socket.destroyed) {
      place.held[Symbol.dispose]();
      return;
    }
    this.#listener.waiting.leave(socket);
    // Answers of the API end by themselves.
    const following =
      place.route.access === 'viewer' ? this.#gatekeeper.follow(place.visitor, socket) : undefined;
    response.once('close', () => {
      place.held[Symbol.dispose]();
      following?.[Symbol.dispose]();
      const isLast = this.#answering.get(socket) === response;
      if (isLast && !socket.destroyed) this.#listener.waiting.enter(socket);
    });
    this.#handle(request, response, place).catch((err: unknown) =>
      this.#fail(err, request, response),
    );
  }

  #fail(err: unknown, request: IncomingMessage, response: ServerResponse): void {
    this.#repeats.report('http', 'error', { err, url: request.url }, 'HTTP request failed');
    if (response.headersSent) request.socket.destroy();
    else sendAnswer(response, INTERNAL);
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    { route, captured, query }: RouteMatch,
  ): Promise<void> {
    const { maxBodyBytes } = route;
    if (maxBodyBytes === undefined) {
      request.resume();
      await route.handle({ request, response, captured, query, body: NO_BODY });
      return;
    }
    const body = await readBody(request, maxBodyBytes);
    if (body === undefined) request.socket.destroy();
    else if (body === 'too-large') {
      request.resume();
      sendAnswer(response, BODY_TOO_LARGE);
    } else await route.handle({ request, response, captured, query, body });
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Node has taken its own listeners off; a reset must not end the process.
    socket.on('error', () => socket.destroy());
    const route = matchRoute(this.#routes, request.url ?? '/')?.route;
    if (route?.upgrade === undefined || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      // "Upgrade: h2c" is an offer that a server need not take (RFC 9110 §7.8).
      this.#serve(request, responseOn(socket, request));
      return;
    }
    if (!this.#cors.allowsWebSocket(request, route.access)) {
      sendAnswer(responseOn(socket, request), FORBIDDEN_ORIGIN);
      return;
    }
    void this.#upgradeTo(route.upgrade, request, socket, head);
  }

  async #upgradeTo(
    upgrade: NonNullable<Route['upgrade']>,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> {
    const refuse = (answer: Answer) => sendAnswer(responseOn(socket, request), answer);
    try {
      const place = await this.#admit(request);
      if (place === 'preflight' || !('route' in place)) {
        refuse(place === 'preflight' ? METHOD_NOT_ALLOWED : place);
        return;
      }
      const following = this.#gatekeeper.follow(place.visitor, socket);
      const leave = () => {
        place.held[Symbol.dispose]();
        following[Symbol.dispose]();
      };
      if (socket.destroyed) {
        leave();
        return;
      }
      socket.once('close', leave);
      this.#listener.waiting.leave(socket);
      await upgrade({ request, socket, head, captured: place.captured, refuse });
    } catch (err) {
      const fields = { err, url: request.url };
      this.#repeats.report('websocket', 'error', fields, 'WebSocket request failed');
      socket.destroy();
    }
  }

  /** The route with its place in the budget, or why it is not served; at once, but where a password has to be hashed. */
  #admit(request: IncomingMessage): Answer | 'preflight' | Place | Promise<Answer | Place> {
    if (this.#cors.isPreflight(request)) return 'preflight';
    const match = matchRoute(this.#routes, request.url ?? '/');
    const { access, query } = match ? { ...match, access: match.route.access } : NOTHING;
    const admission = this.#gatekeeper.admit(access, request, query);
    if (!(admission instanceof Promise)) return this.#place(request, match, admission);
    return admission.then((later) => this.#place(request, match, later));
  }

  #place(
    request: IncomingMessage,
    match: RouteMatch | undefined,
    admission: Admission,
  ): Answer | Place {
    if ('refusal' in admission) return admission.refusal;
    const wrong =
      match?.route.maxBodyBytes === undefined ? getProblem(request) : postProblem(request);
    if (wrong !== undefined) return wrong;
    if (match === undefined) return problem(404, 'not-found', 'no such path');
    const held = this.#budget.enter(match.route, addressToCount(request.socket));
    if (held === undefined) {
      const words = 'as many are served as may be at once; try again later';
      return problem(503, 'busy', words, { 'retry-after': '5' });
    }
    return { ...match, held, visitor: admission.visitor };
  }
}

const INTERNAL = problem(500, 'internal', 'this is a fault of the service; see its log');
const FORBIDDEN_ORIGIN = problem(
  403,
  'forbidden-origin',
  'not for pages of this origin (http.cors)',
);
const FORBIDDEN_SITE = problem(
  403,
  'forbidden-origin',
  'not for pages of another site; behind a reverse proxy it has to pass Host on',
);
const BODY_TOO_LARGE = problem(413, 'too-large', 'the body is larger than is taken here');
const METHOD_NOT_ALLOWED = problem(405, 'method-not-allowed', 'only GET and HEAD are answered', {
  allow: 'GET, HEAD',
});
const NO_BODY = new Uint8Array(0);
const NOT_JSON = problem(415, 'not-json', 'expected Content-Type: application/json');
const ONLY_POST = problem(405, 'method-not-allowed', 'only POST is answered', { allow: 'POST' });
/** What there is behind a path that there is not is for nobody to know. */
const NOTHING = { access: 'reader', query: new URLSearchParams() } as const;

function getProblem({ method, headers }: IncomingMessage): Answer | undefined {
  if (method !== 'GET' && method !== 'HEAD') return METHOD_NOT_ALLOWED;
  const hasBody =
    headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  return hasBody ? problem(413, 'body-not-allowed', 'a GET request has no body here') : undefined;
}

/**
 * A page of another site can make a browser POST a form or a text, but no JSON without asking first (the preflight says no);
 * what browsers say of where they ask from is looked at as well.
 */
function postProblem(request: IncomingMessage): Answer | undefined {
  const { method, headers } = request;
  if (method !== 'POST') return ONLY_POST;
  if (!isOwnPage(request)) return FORBIDDEN_SITE;
  const isJson = /^application\/json *(?:;|$)/i.test(headers['content-type'] ?? '');
  return isJson ? undefined : NOT_JSON;
}

/** undefined: whoever asked has gone. */
async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array | 'too-large' | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // The connection is still needed for the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > maxBytes) return 'too-large';
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch {
    // Cut off, or too slow: there is nobody to tell.
    return undefined;
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

/** undefined: this machine. */
function addressToCount({ remoteAddress }: Socket): string | undefined {
  const peer = peerOf(remoteAddress);
  return isLoopback(peer) ? undefined : peer;
}
