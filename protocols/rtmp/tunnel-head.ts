/**
 * The heads of HTTP messages, as far as RTMP through HTTP needs them. RFC 9112 §2 and §5.
 *
 * Read tolerantly: header names in any case, lines that end in LF alone (librtmp before 2010), empty lines before the first.
 */
import { concat } from '../../codecs/bytes.ts';
import { ParseError } from '../../codecs/errors.ts';

/** Ten times what Flash sends with all its headers; what web servers take, too. */
const MAX_HEAD_BYTES = 8 * 1024;
const CR = 0x0d;
const LF = 0x0a;

export interface HttpHead {
  readonly firstLine: string;
  /** Names in lower case. Of several headers of one name the last. */
  readonly headers: ReadonlyMap<string, string>;
}

export class HttpHeadReader {
  #pending: Uint8Array = new Uint8Array(0);

  /** Undefined while the head is not whole; then it is over. `rest` may lie in the chunk. Throws ParseError. */
  push(chunk: Uint8Array): { head: HttpHead; rest: Uint8Array } | undefined {
    const bytes = withoutEmptyLines(concat(this.#pending, chunk));
    const end = endOfHead(bytes);
    if (end === undefined ? bytes.length > MAX_HEAD_BYTES : end > MAX_HEAD_BYTES) {
      throw new ParseError(`a head of HTTP of more than ${MAX_HEAD_BYTES} bytes`);
    }
    if (end === undefined) {
      this.#pending = bytes;
      return undefined;
    }
    this.#pending = new Uint8Array(0);
    return { head: parseHead(bytes.subarray(0, end)), rest: bytes.subarray(end) };
  }
}

/** RFC 9112 §9.3: by default in HTTP/1.1, when asked for in HTTP/1.0. */
export function keepsConnection(httpVersion: string, headers: HttpHead['headers']): boolean {
  const wishes = (headers.get('connection') ?? '').toLowerCase();
  return httpVersion === '1.0' ? wishes.includes('keep-alive') : !wishes.includes('close');
}

/** Undefined when there is none that can be read. */
export function contentLength(headers: HttpHead['headers']): number | undefined {
  const text = headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function withoutEmptyLines(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (bytes[start] === CR || bytes[start] === LF) start += 1;
  return start === 0 ? bytes : bytes.subarray(start);
}

/** Behind the empty line. */
function endOfHead(bytes: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return undefined;
}

function parseHead(bytes: Uint8Array): HttpHead {
  const text = new TextDecoder('latin1').decode(bytes);
  const [firstLine = '', ...lines] = text.split(/\r?\n/);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) {
      headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
  }
  return { firstLine, headers };
}
