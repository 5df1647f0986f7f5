/**
 * The dialogue of a publisher with an RTMP server, from the handshake to deleteStream.
 * RTMP 1.0 §5.2 and §7.2; releaseStream, FCPublish and FCUnpublish as Flash Media Live Encoder sent
 * them: not in the specification, and expected by many servers.
 *
 * Bytes from the server go into `push()`, bytes for it come out of `write`. What ends the session is
 * thrown out of `push()`; nothing may be pushed after that.
 *
 *   handshake → connecting → creatingStream → requesting → publishing
 *                    └→ reconnect: close this connection and open another with `authQuery`
 */
import { ProtocolError } from '../../codecs/errors.ts';
import type { Amf0Value } from '../../codecs/flv/amf0.ts';
import { isAuthenticationDemand, nextAuthQuery, type RtmpCredentials } from './authentication.ts';
import { ChunkReader, DEFAULT_CHUNK_SIZE } from './chunk-reader.ts';
import { ChunkStreamId, serializeMessage } from './chunk-writer.ts';
import { commandMessage, parseCommand, type RtmpCommand, statusOf } from './command.ts';
import {
  controlMessage,
  parseControlValue,
  parseUserControl,
  UserControlEvent,
  userControlMessage,
} from './control.ts';
import { ClientHandshake } from './handshake.ts';
import { MessageType, type RtmpMessage } from './message.ts';

/** Makes nearly every picture one chunk; every server known takes it. */
export const PUBLISH_CHUNK_SIZE = 65_536;
/** What Flash Media Server used; we receive a few hundred bytes, so it hardly matters. */
const WINDOW_BYTES = 2_500_000;
/** Words of the server in our messages. */
const MAX_QUOTED_CHARACTERS = 200;
const TRANSACTION = { connect: 1, releaseStream: 2, fcPublish: 3, createStream: 4, publish: 5 };

export type PublishType = 'live' | 'record' | 'append';

export interface PublishSessionOptions {
  readonly app: string;
  readonly tcUrl: string;
  readonly streamName: string;
  readonly publishType: PublishType;
  readonly flashVersion: string;
  readonly swfUrl: string | undefined;
  readonly pageUrl: string | undefined;
  readonly credentials: RtmpCredentials | undefined;
  /** Empty, or what the session before this one left in its state `reconnect`. */
  readonly authQuery: string;
}

export type PublishSessionState =
  | { readonly at: 'handshake'; readonly handshake: ClientHandshake }
  | { readonly at: 'connecting' }
  | { readonly at: 'reconnect'; readonly authQuery: string }
  | { readonly at: 'creatingStream' }
  | { readonly at: 'requesting'; readonly messageStreamId: number }
  | { readonly at: 'publishing'; readonly messageStreamId: number }
  | { readonly at: 'closed' };

export class PublishSession {
  readonly #options: PublishSessionOptions;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #reader = new ChunkReader();
  #state: PublishSessionState;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #receivedBytes = 0;
  #acknowledgedBytes = 0;
  /** The server wants an acknowledgement each so many bytes; 0: never. */
  #windowBytes = 0;
  #lastHeard = 'nothing';

  /** Bytes the server says it has received, modulo 2^32. */
  peerAcknowledgedBytes = 0;

  constructor(options: PublishSessionOptions, write: (bytes: Uint8Array) => void) {
    this.#options = options;
    this.#write = write;
    this.#state = { at: 'handshake', handshake: new ClientHandshake() };
  }

  get state(): PublishSessionState {
    return this.#state;
  }

  open(): void {
    if (this.#state.at === 'handshake') this.#write(this.#state.handshake.hello());
  }

  push(chunk: Uint8Array): void {
    if (this.#state.at !== 'handshake') {
      this.#readMessages(chunk);
      return;
    }
    const { reply, rest } = this.#state.handshake.push(chunk);
    if (reply !== undefined) this.#write(reply);
    if (rest === undefined) return;
    this.#connect();
    this.#readMessages(rest);
  }

  /** Says goodbye, as far as there is something to say goodbye to. */
  close(): void {
    const state = this.#state;
    this.#state = { at: 'closed' };
    if (state.at !== 'requesting' && state.at !== 'publishing') return;
    this.#command(0, 'FCUnpublish', 6, null, this.#options.streamName);
    this.#command(0, 'deleteStream', 7, null, state.messageStreamId);
  }

  /** What it means that the server has closed the connection now. */
  closedByPeer(): ProtocolError {
    const { at } = this.#state;
    const heard = `the last thing heard was ${this.#lastHeard}`;
    switch (at) {
      case 'handshake':
        return new ProtocolError(
          'RTMP_CLOSED',
          'it closed the connection during the handshake; is this an RTMP port?',
        );
      case 'connecting':
        return new ProtocolError(
          'RTMP_CONNECT_REJECTED',
          `it closed the connection when asked for the application "${appName(this.#options.app)}"; ${heard}`,
        );
      // nginx-rtmp says nothing when it denies a publisher.
      case 'creatingStream':
      case 'requesting':
        return new ProtocolError(
          'RTMP_CLOSED_DURING_PUBLISH',
          `it closed the connection when asked to publish; ${heard}`,
        );
      case 'publishing':
      case 'reconnect':
      case 'closed':
        return new ProtocolError('RTMP_CLOSED', `it closed the connection; ${heard}`);
    }
  }

  #connect(): void {
    const { app, tcUrl, flashVersion, swfUrl, pageUrl, authQuery } = this.#options;
    this.#state = { at: 'connecting' };
    this.#command(0, 'connect', TRANSACTION.connect, {
      app: withQuery(app, authQuery),
      type: 'nonprivate',
      flashVer: flashVersion,
      ...(swfUrl === undefined ? {} : { swfUrl }),
      tcUrl: withQuery(tcUrl, authQuery),
      ...(pageUrl === undefined ? {} : { pageUrl }),
    });
  }

  #readMessages(chunk: Uint8Array): void {
    for (const message of this.#reader.push(chunk)) this.#read(message);
    this.#receivedBytes += chunk.length;
    this.#acknowledge();
  }

  #read(message: RtmpMessage): void {
    switch (message.typeId) {
      case MessageType.acknowledgement:
        this.peerAcknowledgedBytes = parseControlValue(message.payload);
        return;
      case MessageType.windowAcknowledgementSize:
        this.#windowBytes = parseControlValue(message.payload);
        return;
      case MessageType.setPeerBandwidth:
        // §5.4.5: answered with a window size of our own.
        this.#send(controlMessage(MessageType.windowAcknowledgementSize, WINDOW_BYTES));
        return;
      case MessageType.userControl:
        this.#readUserControl(message.payload);
        return;
      default: {
        const command = parseCommand(message);
        if (command !== undefined) this.#readCommand(command);
      }
    }
  }

  #readUserControl(payload: Uint8Array): void {
    const { event, data } = parseUserControl(payload);
    if (event !== UserControlEvent.pingRequest) return;
    this.#send(userControlMessage(UserControlEvent.pingResponse, data.slice(0, 4)));
  }

  #readCommand(command: RtmpCommand): void {
    switch (command.name) {
      case '_result':
        this.#readResult(command);
        return;
      case '_error':
        this.#readError(command);
        return;
      case 'onStatus':
        this.#readStatus(command);
        return;
      case 'close':
        this.#heard('close');
        return;
      default: // onBWDone, onFCPublish and others that only inform
    }
  }

  #readResult({ transactionId, values }: RtmpCommand): void {
    const { at } = this.#state;
    if (at === 'connecting' && transactionId === TRANSACTION.connect) {
      this.#createStream();
    } else if (at === 'creatingStream' && transactionId === TRANSACTION.createStream) {
      this.#publish(values[1]);
    }
  }

  #createStream(): void {
    const { streamName } = this.#options;
    this.#state = { at: 'creatingStream' };
    this.#heard('the answer to connect');
    this.#send(controlMessage(MessageType.setChunkSize, PUBLISH_CHUNK_SIZE));
    this.#chunkSize = PUBLISH_CHUNK_SIZE;
    this.#command(0, 'releaseStream', TRANSACTION.releaseStream, null, streamName);
    this.#command(0, 'FCPublish', TRANSACTION.fcPublish, null, streamName);
    this.#command(0, 'createStream', TRANSACTION.createStream, null);
  }

  #publish(messageStreamId: Amf0Value): void {
    if (typeof messageStreamId !== 'number' || !isU32(messageStreamId)) {
      throw new ProtocolError('RTMP_CREATE_STREAM', 'its answer to createStream has no stream id');
    }
    const { streamName, publishType } = this.#options;
    this.#state = { at: 'requesting', messageStreamId };
    this.#heard('the answer to createStream');
    this.#command(messageStreamId, 'publish', TRANSACTION.publish, null, streamName, publishType);
  }

  #readError(command: RtmpCommand): void {
    const { code, text } = statusOf(command);
    switch (command.transactionId) {
      case TRANSACTION.connect:
        this.#connectRefused(code, text);
        return;
      case TRANSACTION.createStream:
      case TRANSACTION.publish:
        throw refusal(code, text);
      // SRS and crtmpserver answer releaseStream with an error when there is nothing to release.
      default:
    }
  }

  #connectRefused(code: string, text: string): void {
    const { credentials, app, authQuery } = this.#options;
    if (isAuthenticationDemand(text)) {
      const next = nextAuthQuery(text, credentials, app, authQuery);
      this.#state = { at: 'reconnect', authQuery: next };
      return;
    }
    throw new ProtocolError('RTMP_CONNECT_REJECTED', `connect: ${quoted(code, text)}`);
  }

  #readStatus(command: RtmpCommand): void {
    const { code, level, text } = statusOf(command);
    this.#heard(quoted(code, text));
    if (code === 'NetStream.Publish.Start') {
      if (this.#state.at !== 'requesting') return;
      const { messageStreamId } = this.#state;
      this.#state = { at: 'publishing', messageStreamId };
    } else if (level === 'error' || isRefusal(code)) {
      throw refusal(code, text);
    }
  }

  #acknowledge(): void {
    if (this.#windowBytes === 0) return;
    if (this.#receivedBytes - this.#acknowledgedBytes < this.#windowBytes) return;
    this.#acknowledgedBytes = this.#receivedBytes;
    this.#send(controlMessage(MessageType.acknowledgement, this.#receivedBytes % 2 ** 32));
  }

  #command(messageStreamId: number, name: string, id: number, ...values: Amf0Value[]): void {
    const message = commandMessage(messageStreamId, name, id, ...values);
    this.#write(serializeMessage(message, ChunkStreamId.command, this.#chunkSize));
  }

  #send(message: RtmpMessage): void {
    this.#write(serializeMessage(message, ChunkStreamId.control, this.#chunkSize));
  }

  #heard(what: string): void {
    this.#lastHeard = what;
  }
}

function refusal(code: string, text: string): ProtocolError {
  return new ProtocolError(
    code === 'NetStream.Publish.BadName' ? 'RTMP_NAME_TAKEN' : 'RTMP_PUBLISH_REFUSED',
    `publish: ${quoted(code, text)}`,
  );
}

/** Some servers send these without a level. */
function isRefusal(code: string): boolean {
  return /^NetStream\.Publish\.(BadName|Denied|Rejected|Failed)$/.test(code);
}

/** The server's words, without control characters and without queries, which may hold secrets. */
function quoted(code: string, text: string): string {
  const words = text
    .replace(/\?\S*/g, '?…')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .slice(0, MAX_QUOTED_CHARACTERS)
    .trim();
  const name = code.slice(0, MAX_QUOTED_CHARACTERS) || 'no reason given';
  return words === '' ? name : `${name} (${words})`;
}

function appName(app: string): string {
  return app.split('?', 1)[0] ?? '';
}

function withQuery(url: string, query: string): string {
  if (query === '') return url;
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}
