/**
 * The HTTP connection of a tunnel: one POST after another, over the same connection for as long as the server or a proxy
 * lets it live, over a new one when it has ended.
 */
import type { Socket } from 'node:net';
import { ProtocolError } from '../../codecs/errors.ts';
import { serializeTunnelPost, TunnelAnswerParser } from '../../protocols/rtmp/tunnel-answer.ts';
import { SHARED_READ_BUFFER } from '../camera/shared-read-buffer.ts';
import { dial } from '../dial.ts';
import type { TlsTrust } from '../tls-trust.ts';

/** From the POST to the end of its answer. */
const ANSWER_TIMEOUT_MS = 15_000;

export interface TunnelAddress {
  /** IPv6 addresses without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: TlsTrust | undefined;
}

interface Exchange {
  readonly onBody: (bytes: Uint8Array) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** Something of the answer has come. */
  isAnswered: boolean;
}

export class TunnelHttp {
  readonly #address: TunnelAddress;
  readonly #authority: string;
  #socket: Socket | undefined;
  #parser = new TunnelAnswerParser();
  #exchange: Exchange | undefined;

  constructor(address: TunnelAddress) {
    this.#address = address;
    const { host, port } = address;
    this.#authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** Settles when the answer is whole; `onBody` gets it in parts that are valid until it returns. */
  async post(
    path: string,
    body: readonly Uint8Array[],
    onBody: (bytes: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const isUsed = this.#socket !== undefined;
    try {
      await this.#post(path, body, onBody, signal);
    } catch (error) {
      // The server has ended an idle connection just when we wrote to it. The number in the path tells it what it has.
      if (!isUsed || !(error instanceof HungUp) || error.isAnswered || signal.aborted) throw error;
      await this.#post(path, body, onBody, signal);
    }
  }

  /** The last words, for which no answer is waited. */
  close(path: string | undefined, body: Uint8Array): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    if (path !== undefined && socket.writable && socket.writableLength === 0) {
      this.#write(socket, path, [body]);
      socket.destroySoon();
    } else {
      socket.destroy();
    }
  }

  async #post(
    path: string,
    body: readonly Uint8Array[],
    onBody: (bytes: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const socket = this.#socket ?? (await this.#connect(signal));
    let timer: NodeJS.Timeout | undefined;
    let aborted: () => void = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#exchange = { onBody, resolve, reject, isAnswered: false };
        aborted = () => reject(signal.reason);
        signal.addEventListener('abort', aborted, { once: true });
        const timedOut = () => {
          reject(new DOMException('no answer to the HTTP request', 'TimeoutError'));
        };
        timer = setTimeout(timedOut, ANSWER_TIMEOUT_MS);
        this.#write(socket, path, body);
      });
    } catch (error) {
      if (!signal.aborted) this.#drop(socket);
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      this.#exchange = undefined;
    }
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const { host, port, tls } = this.#address;
    const callback = (byteLength: number) => {
      this.#read(SHARED_READ_BUFFER.subarray(0, byteLength));
      return true;
    };
    const onread = { buffer: SHARED_READ_BUFFER, callback };
    const socket = await dial({ host, port, tls, onread }, signal);
    this.#socket = socket;
    this.#parser = new TunnelAnswerParser();
    socket.on('error', (error) => this.#ended(socket, error));
    socket.on('end', () => this.#ended(socket, undefined));
    socket.on('close', () => this.#ended(socket, undefined));
    return socket;
  }

  #write(socket: Socket, path: string, body: readonly Uint8Array[]): void {
    const byteLength = body.reduce((sum, part) => sum + part.length, 0);
    socket.cork();
    socket.write(serializeTunnelPost(path, this.#authority, byteLength));
    for (const part of body) socket.write(part);
    socket.uncork();
  }

  #read(bytes: Uint8Array): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Nothing was asked.
      if (this.#socket !== undefined) this.#drop(this.#socket);
      return;
    }
    try {
      for (const event of this.#parser.push(bytes)) {
        exchange.isAnswered = true;
        if (event.at === 'answer') checkStatus(event.status);
        else if (event.at === 'body') exchange.onBody(event.bytes);
        else this.#answered(exchange, event.keepsConnection);
      }
    } catch (error) {
      exchange.reject(error);
    }
  }

  #answered(exchange: Exchange, keepsConnection: boolean): void {
    if (!keepsConnection && this.#socket !== undefined) this.#drop(this.#socket);
    exchange.resolve();
  }

  #ended(socket: Socket, error: Error | undefined): void {
    if (socket !== this.#socket) return;
    this.#drop(socket);
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (this.#parser.close()) exchange.resolve();
    else exchange.reject(new HungUp(exchange.isAnswered, error));
  }

  #drop(socket: Socket): void {
    if (this.#socket === socket) this.#socket = undefined;
    socket.destroy();
  }
}

/** The HTTP connection ended before its answer was whole. */
export class HungUp extends Error {
  override readonly name = 'HungUp';
  readonly isAnswered: boolean;

  constructor(isAnswered: boolean, cause: Error | undefined) {
    super(cause?.message ?? 'it closed the HTTP connection', { cause });
    this.isAnswered = isAnswered;
  }
}

function checkStatus(status: number): void {
  if (status === 200) return;
  throw new ProtocolError(
    'RTMPT_STATUS',
    status === 404
      ? 'it knows nothing of RTMP through HTTP, or has forgotten our session (404)'
      : `it answered ${status} to RTMP through HTTP`,
    status,
  );
}
