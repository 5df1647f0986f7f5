/**
 * RTMP through HTTP: what clients send. There is no specification; Red5's "Specification of the RTMPT protocol" describes what
 * Flash Player and Flash Media Server say.
 *
 *   POST /open/1                → the session's name
 *   POST /send/NAME/NUMBER      bytes of RTMP → the poll interval, bytes of RTMP
 *   POST /idle/NAME/NUMBER      one byte → the same
 *   POST /close/NAME/NUMBER     one byte → the poll interval
 */
import { ParseError } from '../../codecs/errors.ts';
import { contentLength, type HttpHead, HttpHeadReader, keepsConnection } from './tunnel-head.ts';

/** The first bytes of HTTP requests. RTMP begins with a byte below 32. */
const METHODS_BEGIN_WITH = new Set([...'CDGHOPT'].map((letter) => letter.charCodeAt(0)));
const REQUEST_LINE = /^([A-Z]{1,16}) (\S{1,2048}) HTTP\/(1\.[01])$/;

export interface TunnelRequest {
  readonly method: string;
  readonly path: string;
  /** Undefined where the body has no length that can be read. */
  readonly bodyBytes: number | undefined;
  readonly keepsConnection: boolean;
}

/** A body comes as it comes, in views into the chunk. */
export type TunnelRequestEvent =
  | { readonly at: 'request'; readonly request: TunnelRequest }
  | { readonly at: 'body'; readonly bytes: Uint8Array }
  | { readonly at: 'end' };

export type TunnelCommand =
  | { readonly name: 'open' }
  | { readonly name: 'ident' }
  | {
      readonly name: 'idle' | 'send' | 'close';
      readonly session: string;
      readonly sequence: number | undefined;
    };

export function isHttp(firstByte: number | undefined): boolean {
  return firstByte !== undefined && METHODS_BEGIN_WITH.has(firstByte);
}

/** Throws ParseError when it is no HTTP; a request without a readable length must be the last that is asked of it. */
export class TunnelRequestParser {
  readonly #heads = new HttpHeadReader();
  /** Of a body; undefined between requests. */
  #missingBytes: number | undefined;

  push(chunk: Uint8Array): TunnelRequestEvent[] {
    const events: TunnelRequestEvent[] = [];
    let rest = chunk;
    for (;;) {
      if (this.#missingBytes === undefined) {
        if (rest.length === 0) return events;
        const read = this.#heads.push(rest);
        if (read === undefined) return events;
        const request = parseRequest(read.head);
        events.push({ at: 'request', request });
        this.#missingBytes = request.bodyBytes ?? 0;
        rest = read.rest;
      }
      const bytes = rest.subarray(0, this.#missingBytes);
      if (bytes.length > 0) events.push({ at: 'body', bytes });
      this.#missingBytes -= bytes.length;
      rest = rest.subarray(bytes.length);
      if (this.#missingBytes > 0) return events;
      this.#missingBytes = undefined;
      events.push({ at: 'end' });
    }
  }
}

/** Undefined for whatever is none of a tunnel's. */
export function parseTunnelPath(path: string): TunnelCommand | undefined {
  // With scheme and host as proxies are sent it, and without.
  const [, local = ''] = /^(?:https?:\/\/[^/]*)?([^?#]*)/i.exec(path) ?? [];
  const [, name, session = '', digits] =
    /^\/(open|fcs|idle|send|close)(?:\/([^/]+))?(?:\/(\d{1,15}))?\/?$/.exec(local) ?? [];
  switch (name) {
    case 'open':
      return { name };
    case 'fcs':
      return { name: 'ident' };
    case 'idle':
    case 'send':
    case 'close':
      return { name, session, sequence: digits === undefined ? undefined : Number(digits) };
    default:
      return undefined;
  }
}

function parseRequest({ firstLine, headers }: HttpHead): TunnelRequest {
  const [, method, path, version] = REQUEST_LINE.exec(firstLine) ?? [];
  if (method === undefined || path === undefined || version === undefined) {
    throw new ParseError(`not a request of HTTP: ${JSON.stringify(firstLine.slice(0, 80))}`);
  }
  const isChunked = headers.has('transfer-encoding');
  return {
    method,
    path,
    bodyBytes: isChunked ? undefined : contentLength(headers),
    keepsConnection: keepsConnection(version, headers),
  };
}
