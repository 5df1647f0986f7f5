/**
 * A client's connection with an RTMP server, as far as publishers and players have it in common: handshake,
 * chunks, acknowledgements, pings, and connect with its login. RTMP 1.0 §5.2, §5.4 and §7.2.1.
 *
 * Bytes from the server go into `push()`, bytes for it come out of `write`. What ends the session is
 * thrown out of `push()`; nothing may be pushed after that.
 *
 *   handshake → connecting → connected
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
import { ReceivedWindow, WINDOW_BYTES } from './received-window.ts';

/** §7.2.1.1: always 1. */
const CONNECT_TRANSACTION = 1;

export interface ClientSessionOptions {
  readonly app: string;
  readonly tcUrl: string;
  readonly flashVersion: string;
  readonly swfUrl: string | undefined;
  readonly pageUrl: string | undefined;
  readonly credentials: RtmpCredentials | undefined;
  /** Empty, or what the session before this one left in its state `reconnect`. */
  readonly authQuery: string;
  /** What carries the connection has done it already, as for RTMPE it must. */
  readonly isHandshakeDone?: boolean | undefined;
}

export type ClientSessionState =
  | { readonly at: 'handshake'; readonly handshake: ClientHandshake }
  | { readonly at: 'connecting' }
  | { readonly at: 'reconnect'; readonly authQuery: string }
  | { readonly at: 'connected' }
  | { readonly at: 'closed' };

/** What the publisher or the player makes of an accepted connection. */
export interface ClientDialogue {
  /** Properties of connect beyond those that everybody sends. */
  readonly connectProperties: Readonly<Record<string, Amf0Value>>;
  /** The server has accepted connect, and this was its answer. */
  connected(answer: RtmpCommand): void;
  /** Every other command. */
  command(command: RtmpCommand): void;
  /** Audio, video and data. The payload may be a view: copy what is needed later. */
  media(message: RtmpMessage): void;
  /** User control other than a ping. */
  userControl(event: number): void;
}

export class ClientSession {
  readonly #options: ClientSessionOptions;
  readonly #dialogue: ClientDialogue;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #reader = new ChunkReader();
  #state: ClientSessionState;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  /** The server wants nothing acknowledged before it has said so. */
  readonly #window = new ReceivedWindow(0);

  /** For the words that say why the server may have hung up. */
  lastHeard = 'nothing';
  /** Bytes the server says it has received, modulo 2^32. */
  peerAcknowledgedBytes = 0;

  constructor(
    options: ClientSessionOptions,
    dialogue: ClientDialogue,
    write: (bytes: Uint8Array) => void,
  ) {
    this.#options = options;
    this.#dialogue = dialogue;
    this.#write = write;
    this.#state = { at: 'handshake', handshake: new ClientHandshake() };
  }

  get state(): ClientSessionState {
    return this.#state;
  }

  open(): void {
    if (this.#state.at !== 'handshake') return;
    if (this.#options.isHandshakeDone) this.#connect();
    else this.#write(this.#state.handshake.hello());
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

  close(): void {
    this.#state = { at: 'closed' };
  }

  /** What it means that the server closes the connection before it has accepted it; undefined later. */
  closedEarly(): ProtocolError | undefined {
    switch (this.#state.at) {
      case 'handshake':
        return new ProtocolError(
          'RTMP_CLOSED',
          'it closed the connection during the handshake; is this an RTMP port?',
        );
      case 'connecting':
        return new ProtocolError(
          'RTMP_CONNECT_REJECTED',
          `it closed the connection when asked for the application "${appName(this.#options.app)}"; the last thing heard was ${this.lastHeard}`,
        );
      case 'reconnect':
      case 'connected':
      case 'closed':
        return undefined;
    }
  }

  setChunkSize(size: number): void {
    this.send(controlMessage(MessageType.setChunkSize, size));
    this.#chunkSize = size;
  }

  command(messageStreamId: number, name: string, id: number, ...values: Amf0Value[]): void {
    const message = commandMessage(messageStreamId, name, id, ...values);
    this.#write(serializeMessage(message, ChunkStreamId.command, this.#chunkSize));
  }

  /** A control message. */
  send(message: RtmpMessage): void {
    this.#write(serializeMessage(message, ChunkStreamId.control, this.#chunkSize));
  }

  #connect(): void {
    const { app, tcUrl, flashVersion, swfUrl, pageUrl, authQuery } = this.#options;
    this.#state = { at: 'connecting' };
    this.command(0, 'connect', CONNECT_TRANSACTION, {
      app: withQuery(app, authQuery),
      type: 'nonprivate',
      flashVer: flashVersion,
      ...(swfUrl === undefined ? {} : { swfUrl }),
      tcUrl: withQuery(tcUrl, authQuery),
      ...(pageUrl === undefined ? {} : { pageUrl }),
      ...this.#dialogue.connectProperties,
    });
  }

  #readMessages(chunk: Uint8Array): void {
    for (const message of this.#reader.push(chunk)) this.#read(message);
    const acknowledgement = this.#window.received(chunk.length);
    if (acknowledgement !== undefined) this.send(acknowledgement);
  }

  #read(message: RtmpMessage): void {
    switch (message.typeId) {
      case MessageType.acknowledgement:
        this.peerAcknowledgedBytes = parseControlValue(message.payload);
        return;
      case MessageType.windowAcknowledgementSize:
        this.#window.windowBytes = parseControlValue(message.payload);
        return;
      case MessageType.setPeerBandwidth:
        // §5.4.5: answered with a window size of our own.
        this.send(controlMessage(MessageType.windowAcknowledgementSize, WINDOW_BYTES));
        return;
      case MessageType.userControl:
        this.#readUserControl(message.payload);
        return;
      case MessageType.commandAmf0:
      case MessageType.commandAmf3: {
        const command = parseCommand(message);
        if (command !== undefined) this.#readCommand(command);
        return;
      }
      default:
        this.#dialogue.media(message);
    }
  }

  #readUserControl(payload: Uint8Array): void {
    const { event, data } = parseUserControl(payload);
    if (event === UserControlEvent.pingRequest) {
      this.send(userControlMessage(UserControlEvent.pingResponse, data.slice(0, 4)));
    } else {
      this.#dialogue.userControl(event);
    }
  }

  #readCommand(command: RtmpCommand): void {
    const { name, transactionId } = command;
    if (name === 'close') {
      this.lastHeard = 'close';
    } else if (transactionId !== CONNECT_TRANSACTION || !/^_(result|error)$/.test(name)) {
      this.#dialogue.command(command);
    } else if (name === '_error') {
      this.#connectRefused(command);
    } else if (this.#state.at === 'connecting') {
      this.#state = { at: 'connected' };
      this.lastHeard = 'the answer to connect';
      this.#dialogue.connected(command);
    }
  }

  #connectRefused(command: RtmpCommand): void {
    const { credentials, app, authQuery } = this.#options;
    const { words, text } = statusOf(command);
    if (isAuthenticationDemand(text)) {
      const next = nextAuthQuery(text, credentials, app, authQuery);
      this.#state = { at: 'reconnect', authQuery: next };
      return;
    }
    throw new ProtocolError('RTMP_CONNECT_REJECTED', `connect: ${words}`);
  }
}

/** The message stream that the server made: its answer to createStream, §7.2.1.3. */
export function createdStreamId({ values }: RtmpCommand): number {
  const id = values[1];
  if (typeof id !== 'number' || !isU32(id)) {
    throw new ProtocolError('RTMP_CREATE_STREAM', 'its answer to createStream has no stream id');
  }
  return id;
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
