/**
 * Health and state over HTTP, for this machine only. It answers GET, takes no body, and bounds
 * everything a client can hold: header bytes, time, connections.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { isLoopback, parseHostPort } from '../config/fields.ts';
import { scrubbedJson } from '../secrets.ts';
import { type Answer, type ApiContext, answer } from './api.ts';

const MAX_HEADER_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 64;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
/** How often Node looks for requests past their time. */
const TIMEOUT_CHECK_MS = 1_000;

export interface HttpServerContext extends ApiContext {
  readonly listen: string;
  readonly log: Logger;
}

export class HttpServer {
  readonly #context: HttpServerContext;
  readonly #server: Server;

  constructor(context: HttpServerContext) {
    this.#context = context;
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
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('clientError', refuseMalformed);
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
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    try {
      send(response, this.#answer(request));
    } catch (err) {
      this.#context.log.error({ err, url: request.url }, 'HTTP request failed');
      send(response, problem(500, 'internal', 'this is a fault of the service; see its log'));
    }
  }

  #answer(request: IncomingMessage): Answer {
    const { headers, method, url = '/' } = request;
    // A web page could have its own name point here (DNS rebinding) and read this API.
    if (!isLocalHost(headers.host)) {
      return problem(403, 'forbidden-host', 'expected localhost, 127.0.0.1 or [::1] as Host');
    }
    if (method !== 'GET') {
      return {
        ...problem(405, 'method-not-allowed', 'only GET is answered'),
        headers: { allow: 'GET' },
      };
    }
    if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0') {
      return problem(413, 'body-not-allowed', 'a GET request has no body here');
    }
    const path = url.split('?', 1)[0] ?? '/';
    return answer(path, this.#context) ?? problem(404, 'not-found', 'no such path');
  }
}

function problem(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message } } };
}

function isLocalHost(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host);
  return name !== null && isLoopback((name[1] ?? name[2] ?? '').toLowerCase());
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const bytes = Buffer.from(`${scrubbedJson(body)}\n`);
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What follows a refused request may be its body.
    ...(status >= 400 && status !== 404 ? { connection: 'close' } : {}),
  });
  response.end(bytes);
}

function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, code] = malformedKind(error.code);
  const body = `${JSON.stringify({ error: { code, message: 'not an HTTP request we can read' } })}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function malformedKind(code: string | undefined): readonly [status: string, code: string] {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return ['431 Request Header Fields Too Large', 'header-too-large'];
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return ['408 Request Timeout', 'timeout'];
  return ['400 Bad Request', 'bad-request'];
}
