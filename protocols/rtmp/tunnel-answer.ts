/** RTMP through HTTP: what servers answer, as a server writes it and as a client reads it. */
import { ParseError } from '../../codecs/errors.ts';
import { contentLength, type HttpHead, HttpHeadReader, keepsConnection } from './tunnel-head.ts';

const encoder = new TextEncoder();
const STATUS_LINE = /^HTTP\/(\d\.\d) (\d{3})/;
const CONTENT_TYPE = 'application/x-fcs';

/**
 * The head of a server's answer. librtmp 2.4 reads nothing that does not begin with "HTTP/1.1 200 ", looks for "Content-" in this
 * spelling, and before 2011 waited for 144 bytes in all, which an answer to a poll must reach by its head.
 */
export function serializeTunnelAnswer(
  status: string,
  bodyBytes: number,
  keepsConnectionOpen: boolean,
): Uint8Array {
  return encoder.encode(
    `HTTP/1.1 ${status}\r\n` +
      'Server: Sluice\r\n' +
      'Cache-Control: no-cache\r\n' +
      'Pragma: no-cache\r\n' +
      `Connection: ${keepsConnectionOpen ? 'Keep-Alive' : 'Close'}\r\n` +
      `Content-Length: ${bodyBytes}\r\n` +
      `Content-Type: ${CONTENT_TYPE}\r\n\r\n`,
  );
}

/** The head of a client's request; `authority`: host and port. */
export function serializeTunnelPost(
  path: string,
  authority: string,
  bodyBytes: number,
): Uint8Array {
  return encoder.encode(
    `POST ${path} HTTP/1.1\r\n` +
      `Host: ${authority}\r\n` +
      'Accept: */*\r\n' +
      // What Flash said; some servers tell tunnels from browsers by it.
      'User-Agent: Shockwave Flash\r\n' +
      'Connection: Keep-Alive\r\n' +
      'Cache-Control: no-cache\r\n' +
      `Content-Type: ${CONTENT_TYPE}\r\n` +
      `Content-Length: ${bodyBytes}\r\n\r\n`,
  );
}

/** Milliseconds to the next poll. Red5's specification: from 0x01 to 0x21, which is half a second. */
export function pollIntervalMs(byte: number): number {
  return Math.min(Math.max(byte, 1), MAX_POLL_INTERVAL) * 16;
}

export const MAX_POLL_INTERVAL = 0x21;

/** A body comes as it comes, in views into the chunk. */
export type TunnelAnswerEvent =
  | { readonly at: 'answer'; readonly status: number }
  | { readonly at: 'body'; readonly bytes: Uint8Array }
  /** The answer is whole; the next one may come on the same connection or not. */
  | { readonly at: 'end'; readonly keepsConnection: boolean };

type State =
  | { readonly at: 'head' }
  | { readonly at: 'body'; readonly missingBytes: number; readonly keeps: boolean }
  /** In chunks, RFC 9112 §7.1: proxies make them. */
  | { readonly at: 'chunk-size'; readonly line: string; readonly keeps: boolean }
  | { readonly at: 'chunk'; readonly missingBytes: number; readonly keeps: boolean }
  | { readonly at: 'trailer'; readonly line: string; readonly keeps: boolean }
  | { readonly at: 'until-close' };

const LF = 0x0a;
const MAX_LINE_CHARACTERS = 1_024;

/** One answer after another. Throws ParseError when it is no HTTP. */
export class TunnelAnswerParser {
  readonly #heads = new HttpHeadReader();
  #state: State = { at: 'head' };

  push(chunk: Uint8Array): TunnelAnswerEvent[] {
    const events: TunnelAnswerEvent[] = [];
    let rest = chunk;
    while (rest.length > 0) rest = this.#read(rest, events);
    return events;
  }

  /** The connection is over: for an answer without a length that is its end. True when one was whole by that. */
  close(): boolean {
    const isWhole = this.#state.at === 'until-close';
    this.#state = { at: 'head' };
    return isWhole;
  }

  /** What is left. */
  #read(bytes: Uint8Array, events: TunnelAnswerEvent[]): Uint8Array {
    const state = this.#state;
    switch (state.at) {
      case 'head':
        return this.#readHead(bytes, events);
      case 'body':
      case 'chunk': {
        const taken = bytes.subarray(0, state.missingBytes);
        if (taken.length > 0) events.push({ at: 'body', bytes: taken });
        const missingBytes = state.missingBytes - taken.length;
        if (missingBytes > 0) this.#state = { ...state, missingBytes };
        else if (state.at === 'body') this.#finish(state.keeps, events);
        else this.#state = { at: 'chunk-size', line: '', keeps: state.keeps };
        return bytes.subarray(taken.length);
      }
      case 'chunk-size':
      case 'trailer':
        return this.#readLine(bytes, state, events);
      case 'until-close':
        events.push({ at: 'body', bytes });
        return bytes.subarray(bytes.length);
    }
  }

  #readHead(bytes: Uint8Array, events: TunnelAnswerEvent[]): Uint8Array {
    const read = this.#heads.push(bytes);
    if (read === undefined) return bytes.subarray(bytes.length);
    const { firstLine, headers } = read.head;
    const [, version, statusText] = STATUS_LINE.exec(firstLine) ?? [];
    if (version === undefined || statusText === undefined) {
      throw new ParseError('what answers is no web server: no RTMP through HTTP here');
    }
    const status = Number(statusText);
    // 100 Continue and its like come before the answer.
    if (status < 200) return read.rest;
    events.push({ at: 'answer', status });
    this.#state = bodyOf(version, headers, status);
    if (this.#state.at === 'body' && this.#state.missingBytes === 0) {
      this.#finish(this.#state.keeps, events);
    }
    return read.rest;
  }

  #readLine(
    bytes: Uint8Array,
    state: State & { at: 'chunk-size' | 'trailer' },
    events: TunnelAnswerEvent[],
  ): Uint8Array {
    const end = bytes.indexOf(LF);
    const part = bytes.subarray(0, end < 0 ? bytes.length : end);
    const line = state.line + new TextDecoder('latin1').decode(part);
    if (line.length > MAX_LINE_CHARACTERS) throw new ParseError('a line of HTTP is too long');
    if (end < 0) {
      this.#state = { ...state, line };
      return bytes.subarray(bytes.length);
    }
    this.#lineEnded(line.trim(), state, events);
    return bytes.subarray(end + 1);
  }

  #lineEnded(
    line: string,
    { at, keeps }: State & { at: 'chunk-size' | 'trailer' },
    events: TunnelAnswerEvent[],
  ): void {
    if (at === 'trailer') {
      if (line === '') this.#finish(keeps, events);
      else this.#state = { at, line: '', keeps };
      return;
    }
    // The line end behind a chunk.
    if (line === '') {
      this.#state = { at, line: '', keeps };
      return;
    }
    const [, digits] = /^([\da-f]{1,8})(?:\s*;.*)?$/i.exec(line) ?? [];
    if (digits === undefined) throw new ParseError('the size of a chunk of HTTP is none');
    const missingBytes = Number.parseInt(digits, 16);
    this.#state =
      missingBytes === 0
        ? { at: 'trailer', line: '', keeps }
        : { at: 'chunk', missingBytes, keeps };
  }

  #finish(keepsConnectionOpen: boolean, events: TunnelAnswerEvent[]): void {
    this.#state = { at: 'head' };
    events.push({ at: 'end', keepsConnection: keepsConnectionOpen });
  }
}

/** RFC 9112 §6.3. */
function bodyOf(version: string, headers: HttpHead['headers'], status: number): State {
  const keeps = keepsConnection(version, headers);
  if (status === 204 || status === 304) return { at: 'body', missingBytes: 0, keeps };
  if (/chunked/i.test(headers.get('transfer-encoding') ?? '')) {
    return { at: 'chunk-size', line: '', keeps };
  }
  const missingBytes = contentLength(headers);
  return missingBytes === undefined ? { at: 'until-close' } : { at: 'body', missingBytes, keeps };
}
