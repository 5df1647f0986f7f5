/** Small JSON answers, and refusals in the same form: `{ error: { code, message } }`. */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { scrubbedJson } from '../secrets.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function problem(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, body: { error: { code, message } }, headers };
}

/** Headers that were set before are kept. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  const bytes = bodyBytes(answer);
  response.writeHead(answer.status, { ...headersOf(answer), 'content-length': bytes.length });
  response.end(bytes);
}

/** Where there is no `ServerResponse`, because what came is no HTTP. */
export function sendAnswerRaw(socket: Duplex, statusLine: string, answer: Answer): void {
  const bytes = bodyBytes(answer);
  const headers = { ...headersOf(answer), 'content-length': bytes.length, connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${statusLine}\r\n${lines.join('')}\r\n${bytes.toString()}`);
}

function bodyBytes({ body }: Answer): Buffer {
  return Buffer.from(`${scrubbedJson(body)}\n`);
}

function headersOf({ status, headers = {} }: Answer): Record<string, string> {
  return {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What follows a refused request may be its body.
    ...(status >= 400 && status !== 404 ? { connection: 'close' } : {}),
  };
}
