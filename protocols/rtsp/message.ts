/**
 * RTSP/1.0 messages as text: status line or request line, and headers. RFC 2326 §4, §6, §7.
 *
 * Read tolerantly: header names in any case, lines that end in LF alone, folded lines (RFC 2068 §4.2), spaces around
 * the colon, a status line without reason. Headers that cannot be read are skipped.
 */
import { ParseError } from '../../codecs/errors.ts';

/** A message with more is no camera's. */
const MAX_HEADERS = 256;

export class RtspHeaders {
  readonly #values = new Map<string, string[]>();

  add(name: string, value: string): void {
    const key = name.toLowerCase();
    const values = this.#values.get(key);
    if (values === undefined) this.#values.set(key, [value]);
    else values.push(value);
  }

  /** The first header of this name. */
  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase())?.[0];
  }

  getAll(name: string): readonly string[] {
    return this.#values.get(name.toLowerCase()) ?? [];
  }
}

export interface RtspResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: RtspHeaders;
  readonly body: Uint8Array;
}

export interface RtspRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly url: string;
  readonly headers: RtspHeaders;
  readonly body: Uint8Array;
}

export type RtspMessage = RtspResponse | RtspRequest;
/** A message whose body has not come yet. */
export type RtspHead = Omit<RtspResponse, 'body'> | Omit<RtspRequest, 'body'>;

const STATUS_LINE = /^RTSP\/\d+\.\d+\s+(\d{3})\s*(.*)$/i;
const REQUEST_LINE = /^([A-Z_]+)\s+(\S+)\s+RTSP\/\d+\.\d+\s*$/i;

export interface HttpResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: RtspHeaders;
}

const HTTP_STATUS_LINE = /^HTTP\/\d+\.\d+\s+(\d{3})\s*(.*)$/i;

/** The head of an answer of a web server, up to the empty line; undefined when it is none. */
export function parseHttpHead(text: string): HttpResponseHead | undefined {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const [, status, reason = ''] = HTTP_STATUS_LINE.exec(first) ?? [];
  if (status === undefined) return undefined;
  return { status: Number(status), reason: reason.trim(), headers: parseHeaders(lines) };
}

/** Everything up to the empty line. */
export function parseHead(text: string): RtspHead {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const headers = parseHeaders(lines);
  const status = STATUS_LINE.exec(first);
  if (status?.[1] !== undefined) {
    return {
      kind: 'response',
      status: Number(status[1]),
      reason: status[2]?.trim() ?? '',
      headers,
    };
  }
  const request = REQUEST_LINE.exec(first);
  if (request?.[1] !== undefined && request[2] !== undefined) {
    return { kind: 'request', method: request[1].toUpperCase(), url: request[2], headers };
  }
  throw new ParseError(
    `neither a status line nor a request line: ${JSON.stringify(first.slice(0, 80))}`,
  );
}

/** Requests carry no body: nothing we send needs one. */
export function serializeRequest(
  method: string,
  url: string,
  headers: readonly (readonly [string, string])[],
): string {
  return `${method} ${url} RTSP/1.0\r\n${serializeHeaders(headers)}\r\n`;
}

export function serializeHttpRequest(
  method: string,
  path: string,
  headers: readonly (readonly [string, string])[],
): string {
  return `${method} ${path} HTTP/1.0\r\n${serializeHeaders(headers)}\r\n`;
}

export function serializeResponse(
  status: number,
  reason: string,
  headers: readonly (readonly [string, string])[],
  body = '',
): string {
  const length: [string, string][] =
    body === '' ? [] : [['Content-Length', String(Buffer.byteLength(body))]];
  return `RTSP/1.0 ${status} ${reason}\r\n${serializeHeaders([...headers, ...length])}\r\n${body}`;
}

function parseHeaders(lines: readonly string[]): RtspHeaders {
  const headers = new RtspHeaders();
  let folded: { name: string; value: string } | undefined;
  for (const line of lines.slice(0, MAX_HEADERS)) {
    if (/^[ \t]/.test(line) && folded !== undefined) {
      folded.value += ` ${line.trim()}`;
      continue;
    }
    if (folded !== undefined) headers.add(folded.name, folded.value);
    folded = undefined;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    if (colon > 0 && name !== '') folded = { name, value: line.slice(colon + 1).trim() };
  }
  if (folded !== undefined) headers.add(folded.name, folded.value);
  return headers;
}

/** What comes from outside (a URL of the configuration) cannot break a line. */
function serializeHeaders(headers: readonly (readonly [string, string])[]): string {
  return headers.map(([name, value]) => `${name}: ${value.replace(/[\r\n]+/g, ' ')}\r\n`).join('');
}
