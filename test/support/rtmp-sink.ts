/**
 * An RTMP server that takes publishers and hands out what they send, or players; or misbehaves, as told. For tests
 * and for the bench, where one process of it takes 64 publishers of 4 Mbit/s: payloads are handed
 * out as the chunk reader has them, views that are valid until the callback returns.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { concat } from '../../codecs/bytes.ts';
import { type Amf0Value, isAmf0Object, serializeAmf0 } from '../../codecs/flv/amf0.ts';
import { ChunkReader } from '../../protocols/rtmp/chunk-reader.ts';
import { ChunkStreamId, serializeMessage } from '../../protocols/rtmp/chunk-writer.ts';
import { parseCommand, type RtmpCommand } from '../../protocols/rtmp/command.ts';
import { controlMessage } from '../../protocols/rtmp/control.ts';
import { HANDSHAKE_BYTES, RTMP_VERSION } from '../../protocols/rtmp/handshake.ts';
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';

const WINDOW_BYTES = 2_500_000;
const CHUNK_SIZE = 4096;
const MESSAGE_STREAM_ID = 1;
const SALT = 'xyzsalt=';
const CHALLENGE = 'Y2hhbGxlbmdl';
const OPAQUE = 'b3BhcXVl';
const NONCE = 'bm9uY2U=';

export interface RtmpSinkOptions {
  /** Audio, video and data, whole; `payload` is valid until this returns. */
  onMessage?: (session: RtmpSinkSession, message: RtmpMessage) => void;
  onPublish?: (session: RtmpSinkSession) => void;
  onClose?: (session: RtmpSinkSession) => void;
  /** What a player gets: statuses and media by `status` and `send`. Left out: nothing at all. */
  onPlay?: (session: RtmpSinkSession) => void;
  /** What happens to a publisher. */
  answer?:
    | 'accept'
    | 'reject-connect'
    | 'refuse-publish'
    | 'bad-name'
    | 'close-on-publish'
    | 'never-answer';
  /** Properties of the answer to connect, beside the usual one. */
  connectAnswer?: Record<string, Amf0Value>;
  login?: { mode: 'adobe' | 'llnw'; username: string; password: string };
  /** After the publisher was accepted; a number: bytes per second. */
  reading?: 'normal' | 'never' | number;
  /** As `ffmpeg -listen 1` does in onBWDone. */
  omitTransactionIds?: boolean;
  tls?: { key: string; cert: string };
  /** Left out: loopback. */
  host?: string;
  /** A fixed port, to come back on; 0: any. */
  port?: number;
}

export class RtmpSink {
  readonly sessions = new Set<RtmpSinkSession>();
  /** All that ever came, in order. */
  readonly history: RtmpSinkSession[] = [];
  readonly options: RtmpSinkOptions;
  readonly #server: Server;

  private constructor(options: RtmpSinkOptions) {
    this.options = options;
    this.#server =
      options.tls === undefined
        ? createServer((socket) => this.#accept(socket))
        : createTlsServer(options.tls, (socket) => this.#accept(socket));
    // A client that refuses our certificate is no error of ours.
    this.#server.on('tlsClientError', () => undefined);
  }

  static async listen(options: RtmpSinkOptions = {}): Promise<RtmpSink> {
    const sink = new RtmpSink(options);
    sink.#server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
    await once(sink.#server, 'listening');
    return sink;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(app = 'live', userInfo = ''): string {
    const scheme = this.options.tls === undefined ? 'rtmp' : 'rtmps';
    return `${scheme}://${userInfo}127.0.0.1:${this.port}/${app}`;
  }

  /** Cuts all connections and stops listening. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const session of this.sessions) session.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(socket: Socket): void {
    const session = new RtmpSinkSession(socket, this.options);
    this.sessions.add(session);
    this.history.push(session);
    socket.on('close', () => {
      this.sessions.delete(session);
      this.options.onClose?.(session);
    });
  }
}

export class RtmpSinkSession {
  app = '';
  streamName = '';
  publishType = '';
  /** Every command received, in order. */
  readonly commands: RtmpCommand[] = [];
  c2EchoesS1 = false;
  receivedBytes = 0;
  isPublishing = false;
  readonly #socket: Socket;
  readonly #options: RtmpSinkOptions;
  readonly #reader = new ChunkReader();
  readonly #s1 = Uint8Array.from({ length: HANDSHAKE_BYTES }, (_, index) => (index * 7) & 0xff);
  #handshake: Uint8Array | undefined = new Uint8Array(0);
  #answeredHandshake = false;
  #acknowledgedBytes = 0;
  #chunkSize = 128;

  constructor(socket: Socket, options: RtmpSinkOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Uint8Array) => this.#push(chunk));
    socket.on('error', () => undefined); // 'close' follows
  }

  /** As the client asked for it in TLS; undefined when it did not. */
  get serverName(): string | undefined {
    const name = this.#socket instanceof TLSSocket ? this.#socket.servername : undefined;
    return typeof name === 'string' ? name : undefined;
  }

  get commandNames(): string[] {
    return this.commands.map((command) => command.name);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** What the client says from now on is left where it is. */
  stopReading(): void {
    this.#socket.pause();
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Media to a player. */
  sendMedia(typeId: number, timestampMs: number, payload: Uint8Array): void {
    const chunkStreamId = typeId === MessageType.video ? ChunkStreamId.video : ChunkStreamId.audio;
    this.send({ typeId, timestampMs, messageStreamId: MESSAGE_STREAM_ID, payload }, chunkStreamId);
  }

  /** To the client, as if the server had something to say. */
  send(message: RtmpMessage, chunkStreamId: number = ChunkStreamId.control): void {
    this.#socket.write(serializeMessage(message, chunkStreamId, this.#chunkSize));
  }

  /** A status of the stream; level error unless the code says otherwise. */
  status(code: string, description = ''): void {
    const level = /\.(Start|Success|UnpublishNotify)$/.test(code) ? 'status' : 'error';
    this.#command(MESSAGE_STREAM_ID, 'onStatus', 0, null, { level, code, description });
  }

  #push(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length;
    if (this.#handshake === undefined) this.#readMessages(chunk);
    else this.#shakeHands(concat(this.#handshake, chunk));
    if (this.isPublishing) this.#throttle(chunk.length);
    if (this.receivedBytes - this.#acknowledgedBytes < WINDOW_BYTES) return;
    this.#acknowledgedBytes = this.receivedBytes;
    this.send(controlMessage(MessageType.acknowledgement, this.receivedBytes % 2 ** 32));
  }

  #shakeHands(received: Uint8Array): void {
    this.#handshake = received;
    if (!this.#answeredHandshake && received.length > HANDSHAKE_BYTES) {
      this.#answeredHandshake = true;
      const c1 = received.slice(1, 1 + HANDSHAKE_BYTES);
      this.#socket.write(concat(Uint8Array.of(RTMP_VERSION), this.#s1, c1));
    }
    if (received.length < 1 + 2 * HANDSHAKE_BYTES) return;
    const c2 = received.subarray(1 + HANDSHAKE_BYTES, 1 + 2 * HANDSHAKE_BYTES);
    this.c2EchoesS1 = Buffer.compare(c2, this.#s1) === 0;
    this.#handshake = undefined;
    this.#readMessages(received.slice(1 + 2 * HANDSHAKE_BYTES));
  }

  #readMessages(chunk: Uint8Array): void {
    for (const message of this.#reader.push(chunk)) {
      switch (message.typeId) {
        case MessageType.audio:
        case MessageType.video:
        case MessageType.dataAmf0:
          this.#options.onMessage?.(this, message);
          break;
        default: {
          const command = parseCommand(message);
          if (command !== undefined) this.#readCommand(command);
        }
      }
    }
  }

  #readCommand(command: RtmpCommand): void {
    this.commands.push(command);
    const { name, transactionId, values } = command;
    if (this.#options.answer === 'never-answer') return;
    switch (name) {
      case 'connect':
        this.#connect(command);
        return;
      case 'releaseStream':
        // As SRS and crtmpserver do, and no reason to end anything.
        this.#command(0, '_error', transactionId, null, { level: 'error', code: 'none' });
        return;
      case 'createStream':
        this.#command(0, '_result', transactionId, null, MESSAGE_STREAM_ID);
        return;
      case 'publish':
        this.streamName = String(values[1]);
        this.publishType = String(values[2]);
        this.#publish();
        return;
      case 'play':
        this.streamName = String(values[1]);
        this.#options.onPlay?.(this);
        return;
      default:
    }
  }

  #connect({ transactionId, values }: RtmpCommand): void {
    const asked = values[0];
    this.app = isAmf0Object(asked) ? String(asked['app']) : '';
    this.send(controlMessage(MessageType.windowAcknowledgementSize, WINDOW_BYTES));
    this.send(controlMessage(MessageType.setPeerBandwidth, WINDOW_BYTES));
    this.send(controlMessage(MessageType.setChunkSize, CHUNK_SIZE));
    this.#chunkSize = CHUNK_SIZE;
    const rejection =
      this.#options.answer === 'reject-connect'
        ? '[ no such application ]'
        : this.#loginProblem(this.#options.login);
    if (rejection !== undefined) {
      const code = 'NetConnection.Connect.Rejected';
      const info = { level: 'error', code, description: rejection };
      this.#command(0, '_error', transactionId, null, info);
      return;
    }
    const code = 'NetConnection.Connect.Success';
    const properties = { fmsVer: 'FMS/3,5', ...this.#options.connectAnswer };
    this.#command(0, '_result', transactionId, properties, { level: 'status', code });
    if (this.#options.omitTransactionIds) {
      this.#send(serializeAmf0('onBWDone', null));
    } else {
      this.#command(0, 'onBWDone', 0, null, 8192);
    }
  }

  #publish(): void {
    switch (this.#options.answer) {
      case 'bad-name':
        this.status('NetStream.Publish.BadName', 'Already publishing');
        return;
      case 'refuse-publish':
        this.status('NetStream.Publish.Denied', 'wrong stream key');
        return;
      case 'close-on-publish':
        this.#socket.destroy();
        return;
      default:
        this.isPublishing = true;
        this.status('NetStream.Publish.Start', `${this.streamName} is now published`);
        this.#options.onPublish?.(this);
        this.#throttle(0);
    }
  }

  /** What a rejected connect says; undefined when there is nothing to reject. */
  #loginProblem(login: RtmpSinkOptions['login']): string | undefined {
    if (login === undefined) return undefined;
    const { mode, username, password } = login;
    const [app = '', query = ''] = this.app.split('?');
    const sent = (key: string) => new RegExp(`(?:^|&)${key}=([^&]*)`).exec(query)?.[1] ?? '';
    const refusal = (words: string) => `[ AccessManager.Reject ] : [ ${words} ] : `;
    if (sent('authmod') !== mode) return refusal(`code=403 need auth; authmod=${mode}`);
    if (sent('user') !== username) return `${refusal(`authmod=${mode}`)}?reason=nosuchuser`;
    if (sent('response') === '') {
      const parameters =
        mode === 'adobe'
          ? `salt=${SALT}&challenge=${CHALLENGE}&opaque=${OPAQUE}`
          : `nonce=${NONCE}`;
      return `${refusal(`authmod=${mode}`)}?reason=needauth&user=${username}&${parameters}`;
    }
    const expected =
      mode === 'adobe'
        ? md5(md5(username + SALT + password, 'base64') + OPAQUE + sent('challenge'), 'base64')
        : md5(
            [
              md5(`${username}:live:${password}`, 'hex'),
              NONCE,
              sent('nc'),
              sent('cnonce'),
              'auth',
              md5(`publish:/${app}/_definst_`, 'hex'),
            ].join(':'),
            'hex',
          );
    if (sent('response') === expected) return undefined;
    return `${refusal(`authmod=${mode}`)}?reason=authfailed`;
  }

  #throttle(justRead: number): void {
    const { reading = 'normal' } = this.#options;
    if (reading === 'normal') return;
    this.#socket.pause();
    if (reading === 'never') return;
    setTimeout(() => this.#socket.resume(), (justRead / reading) * 1000).unref();
  }

  #command(messageStreamId: number, name: string, id: number, ...values: Amf0Value[]): void {
    this.#send(serializeAmf0(name, id, ...values), messageStreamId);
  }

  #send(payload: Uint8Array, messageStreamId = 0): void {
    const typeId = MessageType.commandAmf0;
    this.send({ typeId, timestampMs: 0, messageStreamId, payload }, ChunkStreamId.command);
  }
}

function md5(text: string, encoding: 'base64' | 'hex'): string {
  return createHash('md5').update(text).digest(encoding);
}
