/**
 * The paths that this server answers, and who answers them. Whoever has something to say over HTTP makes a
 * list of routes; `gateway.ts` puts the lists together.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from './answer.ts';

/**
 * Who may ask: `viewer` plays streams, `reader` sees besides how everything is, `admin` does everything; each may what those
 * before may. It also says whose budget an answer is counted in while it is sent: viewers and strangers have
 * budgets of their own, so that any number of them leaves the API answering.
 */
export type Access = 'everybody' | 'viewer' | 'reader' | 'admin';

export interface HttpCall {
  /** GET or HEAD, without a body; or POST, whose body has been read. */
  readonly request: IncomingMessage;
  /** Headers for CORS are set already. Node leaves the body out where HEAD was asked. */
  readonly response: ServerResponse;
  /** What the groups of the route's pattern caught, percent-decoded. */
  readonly captured: readonly string[];
  readonly query: URLSearchParams;
  /** Empty but for POST. */
  readonly body: Uint8Array;
}

export interface UpgradeCall {
  /** GET with `Upgrade: websocket`. */
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the head already. */
  readonly head: Buffer;
  readonly captured: readonly string[];
  /** In place of an upgrade. */
  readonly refuse: (answer: Answer) => void;
}

export interface Route {
  /** Of the whole path, as it was sent: the query is not part of it. */
  readonly path: RegExp;
  readonly access: Access;
  /** Whether the service is well: small, at once, and in a budget of its own, for who gets no answer may restart the service. */
  readonly isProbe?: true;
  /** Given: it answers POST with JSON of so many bytes at most, and nothing else. */
  readonly maxBodyBytes?: number;
  /** A rejection is answered with 500, or cuts the connection where an answer has begun. */
  readonly handle: (call: HttpCall) => void | Promise<void>;
  /** Left out: no WebSocket here. A rejection cuts the connection. */
  readonly upgrade?: (call: UpgradeCall) => void | Promise<void>;
}

export interface RouteMatch {
  readonly route: Route;
  readonly captured: readonly string[];
  readonly query: URLSearchParams;
}

/** The first route whose pattern fits; none where the path is not percent-encoded as it should be. */
export function matchRoute(routes: readonly Route[], url: string): RouteMatch | undefined {
  const queryAt = url.indexOf('?');
  const path = queryAt < 0 ? url : url.slice(0, queryAt);
  for (const route of routes) {
    const match = route.path.exec(path);
    if (match === null) continue;
    const captured = decoded(match.slice(1));
    if (captured === undefined) return undefined;
    return { route, captured, query: new URLSearchParams(queryAt < 0 ? '' : url.slice(queryAt)) };
  }
  return undefined;
}

function decoded(captured: readonly string[]): string[] | undefined {
  try {
    return captured.map((text) => decodeURIComponent(text ?? ''));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
