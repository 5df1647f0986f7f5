/** Which web pages may read what this server answers, and which may ask it to do something: the Fetch standard's CORS protocol, and RFC 6455 §10.2. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from './route.ts';

const ANY = '*';
/** Browsers ask again after this; Chromium at most every two hours. */
const MAX_AGE_S = 600;

export class Cors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** Before anything else is answered: refusals, too, are read by the page. */
  setHeaders({ headers }: IncomingMessage, response: ServerResponse): void {
    if (this.#origins.size === 0) return;
    const { origin } = headers;
    if (this.#origins.has(ANY)) {
      response.setHeader('access-control-allow-origin', ANY);
    } else {
      response.setHeader('vary', 'origin');
      if (!this.#isListed(origin)) return;
      response.setHeader('access-control-allow-origin', origin);
      // The browser's own login, where it has one.
      response.setHeader('access-control-allow-credentials', 'true');
    }
    response.setHeader(
      'access-control-expose-headers',
      'content-length, content-range, accept-ranges',
    );
  }

  /** A browser asks whether it may ask; `setHeaders` has said so. */
  isPreflight({ method, headers }: IncomingMessage): boolean {
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined)
      return false;
    return this.#origins.has(ANY) || this.#isListed(headers.origin);
  }

  answerPreflight(response: ServerResponse): void {
    response.writeHead(204, {
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-allow-headers': 'authorization, range',
      'access-control-max-age': String(MAX_AGE_S),
    });
    response.end();
  }

  /**
   * Browsers do not ask first for a WebSocket: the server must look. Other programs have no origin. What is for the
   * administrator is for our own page only, whatever is listed: with "*" any page could command a box that needs no login.
   */
  allowsWebSocket(request: IncomingMessage, access: Access): boolean {
    const { origin } = request.headers;
    if (access === 'viewer' && (this.#origins.has(ANY) || this.#isListed(origin))) return true;
    return isOwnPage(request);
  }

  #isListed(origin: string | undefined): origin is string {
    return origin !== undefined && this.#origins.has(origin);
  }
}

/**
 * Whether a page of ours asks, or no page at all. The browser's word (Fetch Metadata) comes first: behind a reverse proxy
 * Host may be another than the page knows. It says none where the page came without TLS.
 */
export function isOwnPage({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
