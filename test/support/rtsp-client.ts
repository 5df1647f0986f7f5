/** An RTSP client of few words, for tests of the server: asks, and keeps the frames that come in between. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { RtspResponse } from '../../protocols/rtsp/message.ts';
import { RtspParser } from '../../protocols/rtsp/rtsp-parser.ts';
import { until } from './until.ts';

export interface SeenFrame {
  readonly channel: number;
  readonly bytes: Uint8Array;
}

export class RtspClient {
  readonly frames: SeenFrame[] = [];
  readonly socket: Socket;
  readonly url: string;
  /** Sent with every request. */
  readonly headers: Record<string, string> = {};
  readonly #answers: RtspResponse[] = [];
  #cseq = 0;

  private constructor(socket: Socket, url: string) {
    this.socket = socket;
    this.url = url;
    const parser = new RtspParser({
      frame: (channel, bytes, start, end) => {
        // A copy: `slice` of a Buffer is a view.
        this.frames.push({ channel, bytes: new Uint8Array(bytes.subarray(start, end)) });
      },
      message: (message) => {
        if (message.kind === 'response') this.#answers.push(message);
      },
      webServer: () => undefined,
      isChannel: () => true,
    });
    socket.on('data', (bytes) => parser.push(bytes));
    socket.on('error', () => undefined);
  }

  /** `url`: of the stream, on a server of this machine. */
  static async open(url: string): Promise<RtspClient> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    return new RtspClient(socket, url);
  }

  /** `path` is put behind the stream's URL. */
  async ask(
    method: string,
    path = '',
    headers: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<RtspResponse> {
    this.#cseq += 1;
    const all: Record<string, string> = { CSeq: `${this.#cseq}`, ...this.headers, ...headers };
    if (body !== '') all['Content-Length'] = `${body.length}`;
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${this.url}${path} RTSP/1.0\r\n${lines.join('')}\r\n${body}`);
    await until(() => this.#answers.length > 0 || this.socket.destroyed);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error(`the server hung up at ${method}`);
    const session = answer.headers.get('session')?.split(';')[0];
    if (session !== undefined) this.headers['Session'] = session;
    return answer;
  }

  close(): void {
    this.socket.destroy();
  }
}
