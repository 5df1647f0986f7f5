/**
 * RTSP through HTTP, as QuickTime began it (Apple, "Tunnelling RTSP and RTP through HTTP", dispatch 28): what
 * the camera says comes as the endless answer to a GET, what we say goes base64 in the endless body of a
 * POST; a cookie ties the two together.
 */
import { concat } from '../../codecs/bytes.ts';
import { ParseError } from '../../codecs/errors.ts';
import { type HttpResponseHead, parseHttpHead, serializeHttpRequest } from './message.ts';

/** Proxies want a length; everybody else ignores it (the dispatch names this figure). */
const POST_CONTENT_LENGTH = 32_767;
/** As of an RTSP message. */
const MAX_HEAD_BYTES = 16 * 1024;

const TUNNELLED = 'application/x-rtsp-tunnelled';

export interface TunnelRequest {
  /** Path and query, with the leading slash. */
  readonly path: string;
  /** Host and port. */
  readonly authority: string;
  readonly cookie: string;
  readonly authorization: string | undefined;
}

export function serializeTunnelGet(request: TunnelRequest): string {
  return serializeHttpRequest('GET', request.path, [...headersOf(request), ['Accept', TUNNELLED]]);
}

export function serializeTunnelPost(request: TunnelRequest): string {
  return serializeHttpRequest('POST', request.path, [
    ...headersOf(request),
    ['Content-Type', TUNNELLED],
    ['Content-Length', String(POST_CONTENT_LENGTH)],
    // What the dispatch asks for, so that no proxy keeps it.
    ['Expires', 'Sun, 9 Jan 1972 00:00:00 GMT'],
  ]);
}

function headersOf({ authority, cookie, authorization }: TunnelRequest): [string, string][] {
  const headers: [string, string][] = [
    ['Host', authority],
    ['User-Agent', 'Sluice'],
    ['x-sessioncookie', cookie],
    ['Pragma', 'no-cache'],
    ['Cache-Control', 'no-cache'],
  ];
  if (authorization !== undefined) headers.push(['Authorization', authorization]);
  return headers;
}

/** One RTSP message or interleaved frame for the body of the POST. */
export function encodeTunnelled(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Cuts the head of the GET's answer off; what follows is RTSP. */
export class TunnelAnswer {
  #pending: Uint8Array = new Uint8Array(0);

  /** Undefined while the head is not whole. `rest` may lie in the chunk. Throws ParseError when it is no HTTP. */
  push(chunk: Uint8Array): { head: HttpResponseHead; rest: Uint8Array } | undefined {
    const bytes = concat(this.#pending, chunk);
    const text = new TextDecoder('latin1').decode(bytes.subarray(0, MAX_HEAD_BYTES));
    const [, headText] = /^(.*?)\r?\n\r?\n/s.exec(text) ?? [];
    if (headText === undefined) {
      if (bytes.length >= MAX_HEAD_BYTES || !mayBeHttp(text)) {
        throw new ParseError('what answers is no web server: RTSP through HTTP is not spoken here');
      }
      this.#pending = bytes;
      return undefined;
    }
    const head = parseHttpHead(headText);
    if (head === undefined) {
      throw new ParseError('what answers is no web server: RTSP through HTTP is not spoken here');
    }
    const [whole = ''] = /^.*?\r?\n\r?\n/s.exec(text) ?? [];
    return { head, rest: bytes.subarray(whole.length) };
  }
}

function mayBeHttp(text: string): boolean {
  return text.length === 0 || 'HTTP/'.startsWith(text.slice(0, 5).toUpperCase());
}
