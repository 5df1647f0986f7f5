/**
 * RTSP through HTTP: a GET that brings, a POST that takes (`protocols/rtsp/http-tunnel.ts`). For cameras
 * behind something that lets nothing but HTTP pass.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { AuthenticationError, ProtocolError } from '../../codecs/errors.ts';
import { HttpAuthenticator, WANTS_CLEAR_TEXT } from '../../protocols/http-auth/authenticator.ts';
import {
  encodeTunnelled,
  serializeTunnelGet,
  serializeTunnelPost,
  TunnelAnswer,
  type TunnelRequest,
} from '../../protocols/rtsp/http-tunnel.ts';
import type { HttpResponseHead } from '../../protocols/rtsp/message.ts';
import type { Credentials } from '../driver.ts';
import {
  type ConnectionHandler,
  type ConnectOptions,
  openSocket,
  type RtspConnection,
  writeBounded,
} from './rtsp-connection.ts';

const ANSWER_TIMEOUT_MS = 10_000;
/** Asked for a login, logged in. */
const MAX_GETS = 2;
/** What is said while a new POST is opened: a request, a report of each track, a few answers. */
const MAX_WAITING = 16;

export interface TunnelOptions extends ConnectOptions {
  readonly credentials: Credentials | undefined;
}

/** Settles when the GET is answered and the POST is open, or throws and leaves nothing open. */
export async function connectThroughHttp(
  options: TunnelOptions,
  handler: ConnectionHandler,
  signal: AbortSignal,
): Promise<RtspConnection> {
  const tunnel = new HttpTunnel(options, handler);
  try {
    await tunnel.open(signal);
  } catch (error) {
    tunnel.close();
    throw error;
  }
  return tunnel;
}

class HttpTunnel implements RtspConnection {
  readonly #options: TunnelOptions;
  readonly #handler: ConnectionHandler;
  readonly #cookie = randomBytes(16).toString('hex');
  readonly #authenticator: HttpAuthenticator | undefined;
  readonly #life = new AbortController();
  #get: Socket | undefined;
  #post: Socket | undefined;
  /** What waits for a new POST, in place of one that was closed: proxies end it after its stated length. */
  #waiting: Uint8Array[] = [];

  constructor(options: TunnelOptions, handler: ConnectionHandler) {
    this.#options = options;
    this.#handler = handler;
    const { credentials } = options;
    if (credentials !== undefined) this.#authenticator = new HttpAuthenticator(credentials);
  }

  get address(): string {
    return this.#get?.remoteAddress ?? this.#options.source.host;
  }

  get family(): 'udp4' | 'udp6' {
    return this.#get?.remoteFamily === 'IPv6' ? 'udp6' : 'udp4';
  }

  async open(signal: AbortSignal): Promise<void> {
    for (let round = 1; ; round += 1) {
      const { status, headers } = await this.#openGet(signal);
      if (status === 200) break;
      this.#get?.destroy();
      if (status !== 401) {
        throw new ProtocolError(
          'RTSP_TUNNEL',
          `RTSP through HTTP was answered with ${status}: it may not be offered at this port`,
        );
      }
      const verdict = this.#authenticator?.challenge(headers.getAll('www-authenticate'), round > 1);
      if (verdict === 'clear-text') {
        throw new ProtocolError('CLEAR_TEXT_LOGIN', `the camera ${WANTS_CLEAR_TEXT}`, 401);
      }
      if (verdict === 'retry' && round < MAX_GETS) continue;
      throw new AuthenticationError(
        'RTSP through HTTP was answered with 401',
        this.#authenticator !== undefined,
      );
    }
    await this.#openPost(signal);
  }

  write(bytes: Uint8Array): void {
    if (this.#post !== undefined) {
      writeBounded(this.#post, encodeTunnelled(bytes));
      return;
    }
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(bytes.slice());
    if (this.#waiting.length > 1) return;
    const { signal } = this.#life;
    this.#openPost(signal).catch((error: unknown) => {
      if (!signal.aborted && error instanceof Error) this.#handler.ended(error);
    });
  }

  close(): void {
    this.#life.abort(new Error('closed'));
    this.#get?.destroy();
    this.#post?.destroy();
  }

  /** The answer's head; what comes behind it goes to the handler. */
  async #openGet(signal: AbortSignal): Promise<HttpResponseHead> {
    const answer = new TunnelAnswer();
    const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const life = AbortSignal.any([signal, timeout]);
    let isOpen = false;
    return await new Promise<HttpResponseHead>((resolve, reject) => {
      life.addEventListener('abort', () => reject(life.reason), { once: true });
      const ended = (error: Error) => {
        if (isOpen) this.#handler.ended(error);
        else reject(error);
      };
      const read = (bytes: Uint8Array) => {
        if (isOpen) return this.#handler.read(bytes);
        try {
          const whole = answer.push(bytes);
          if (whole === undefined) return;
          isOpen = whole.head.status === 200;
          resolve(whole.head);
          if (isOpen && whole.rest.length > 0) this.#handler.read(whole.rest);
        } catch (error) {
          ended(error instanceof Error ? error : new Error(String(error)));
        }
      };
      openSocket(this.#options, { read, ended }, life).then((socket) => {
        this.#get = socket;
        socket.write(serializeTunnelGet(this.#request('GET')));
      }, reject);
    });
  }

  async #openPost(signal: AbortSignal): Promise<void> {
    const read = (bytes: Uint8Array) => this.#postAnswered(bytes);
    const ended = () => {
      if (this.#post === socket) this.#post = undefined;
    };
    const socket = await openSocket(this.#options, { read, ended }, signal);
    this.#post = socket;
    socket.write(serializeTunnelPost(this.#request('POST')));
    for (const bytes of this.#waiting.splice(0)) writeBounded(socket, encodeTunnelled(bytes));
  }

  /** A POST has no answer unless it is refused. */
  #postAnswered(bytes: Uint8Array): void {
    const text = new TextDecoder('latin1').decode(bytes.subarray(0, 64));
    const status = Number(/^HTTP\/\d\.\d (\d{3})/.exec(text)?.[1] ?? 200);
    if (status < 300) return;
    this.#handler.ended(
      new ProtocolError('RTSP_TUNNEL', `the POST of RTSP through HTTP was answered with ${status}`),
    );
  }

  #request(method: string): TunnelRequest {
    const { url } = this.#options.source;
    const [, authority = '', path = ''] = /^[a-z]+:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
    const target = path.startsWith('/') ? path : `/${path}`;
    return {
      path: target,
      authority,
      cookie: this.#cookie,
      authorization: this.#authenticator?.authorize(method, target),
    };
  }
}
