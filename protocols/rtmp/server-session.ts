/**
 * A server's side of one RTMP connection: handshake, chunks, acknowledgements, pings, connect, and the commands of its message
 * streams. RTMP 1.0 §5.2, §5.4, §7.2; enhanced RTMP v2. What Flash Media Live Encoder, ffmpeg, librtmp and OBS say beyond
 * the specification is answered as Flash Media Server did.
 *
 * Bytes of the client go into `push()`, bytes for it come out of `write`. What ends the session is thrown out of
 * `push()`, or leaves the state `closed` behind; nothing may be pushed after that.
 *
 *   handshake → connecting → connected → closed
 */
import { ByteReader } from '../../codecs/byte-reader.ts';
import type { Amf0Value } from '../../codecs/flv/amf0.ts';
import { RequestBudget } from '../request-budget.ts';
import { ChunkReader, DEFAULT_CHUNK_SIZE } from './chunk-reader.ts';
import { ChunkStreamId, onMessageStream, serializeMessage } from './chunk-writer.ts';
import { commandMessage, parseCommand, type RtmpCommand } from './command.ts';
import { peerBandwidth, rejection, welcome } from './connect-answer.ts';
import { type ConnectRequest, parseConnect } from './connect-request.ts';
import {
  controlMessage,
  parseControlValue,
  parseUserControl,
  UserControlEvent,
  userControlMessage,
} from './control.ts';
import { MAX_MESSAGE_BYTES, MessageType, type RtmpMessage } from './message.ts';
import { ReceivedWindow, WINDOW_BYTES } from './received-window.ts';
import type { RtmpCiphers } from './rtmpe.ts';
import { ServerHandshake } from './server-handshake.ts';
import type { ServerStream, ServerStreamCarrier, StreamUse } from './server-stream.ts';
import { ServerStreams } from './server-streams.ts';
import {
  type PlayRequest,
  type PublishRequest,
  parsePlay,
  parsePublish,
  parseStreamName,
  type StreamName,
} from './stream-request.ts';

/** Makes nearly every picture one chunk; every client known takes it. */
export const SERVER_CHUNK_SIZE = 65_536;
/**
 * What may come in one message of who has not published. Commands are smaller; the first picture may come right behind publish,
 * before it was answered.
 */
const MAX_WISH_BYTES = 1024 * 1024;
/** §7.2.1.1: always 1, also where the client forgot it. */
const CONNECT_TRANSACTION = 1;
const MAX_QUOTED_CHARACTERS = 64;
export type ServerSessionState =
  | { readonly at: 'handshake'; readonly handshake: ServerHandshake }
  | { readonly at: 'connecting' }
  | { readonly at: 'connected'; readonly request: ConnectRequest }
  | { readonly at: 'closed' };

/** What the server makes of a client's wishes. */
export interface ServerDialogue {
  /** undefined: welcome; else why not, as the client's library may read it (authentication). The session ends then. */
  connect(request: ConnectRequest): string | undefined;
  /** undefined: refused; the client has been told on the stream, and stays. */
  publish(stream: ServerStream, request: PublishRequest): StreamUse | undefined;
  play(stream: ServerStream, request: PlayRequest): StreamUse | undefined;
  /** Seconds; 0 for what is live. `answer` may be called later, or never. */
  streamLength(name: StreamName, answer: (seconds: number) => void): void;
}

export class ServerSession implements ServerStreamCarrier {
  readonly #dialogue: ServerDialogue;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #budget: RequestBudget;
  readonly #reader = new ChunkReader();
  readonly #window = new ReceivedWindow(WINDOW_BYTES);
  readonly #streams: ServerStreams;
  #state: ServerSessionState = { at: 'handshake', handshake: new ServerHandshake() };
  #ciphers: RtmpCiphers | undefined;
  #chunkSize = DEFAULT_CHUNK_SIZE;

  /** `now`: milliseconds on a clock that never goes back. */
  constructor(
    dialogue: ServerDialogue,
    maxStreams: number,
    write: (bytes: Uint8Array) => void,
    now: () => number,
  ) {
    this.#dialogue = dialogue;
    this.#budget = new RequestBudget(now);
    this.#reader.maxMessageBytes = MAX_WISH_BYTES;
    this.#streams = new ServerStreams(this, maxStreams);
    this.#write = write;
  }

  get state(): ServerSessionState {
    return this.#state;
  }

  get isEncrypted(): boolean {
    return this.#ciphers !== undefined;
  }

  /** `chunk` may be changed: it is decrypted where it lies. */
  push(chunk: Uint8Array): void {
    if (this.#state.at === 'closed') return;
    if (this.#state.at !== 'handshake') {
      this.#ciphers?.decrypt(chunk);
      this.#readMessages(chunk);
      return;
    }
    const { reply, rest, ciphers } = this.#state.handshake.push(chunk);
    if (reply !== undefined) this.#write(reply);
    if (rest === undefined) return;
    this.#ciphers = ciphers;
    this.#state = { at: 'connecting' };
    this.#readMessages(rest);
  }

  /** Ends what the streams are used for; `words` say why, for people. */
  close(words: string): void {
    if (this.#state.at === 'closed') return;
    this.#state = { at: 'closed' };
    this.#streams.clear(words);
  }

  command(messageStreamId: number, name: string, id: number, ...values: Amf0Value[]): void {
    const message = commandMessage(messageStreamId, name, id, ...values);
    this.#send(serializeMessage(message, ChunkStreamId.command, this.#chunkSize));
  }

  control(message: RtmpMessage): void {
    this.#send(serializeMessage(message, ChunkStreamId.control, this.#chunkSize));
  }

  sendShared(bytes: Uint8Array, messageStreamId: number): void {
    if (messageStreamId !== 1) {
      this.#send(onMessageStream(bytes, messageStreamId, this.#chunkSize));
    } else if (this.#ciphers !== undefined) {
      this.#send(Buffer.from(bytes));
    } else {
      this.#write(bytes);
    }
  }

  /** `bytes` are our own: they may be changed. */
  #send(bytes: Uint8Array): void {
    this.#ciphers?.encrypt(bytes);
    this.#write(bytes);
  }

  #readMessages(chunk: Uint8Array): void {
    for (const message of this.#reader.push(chunk)) {
      this.#read(message);
      if (this.#isClosed()) return;
    }
    const acknowledgement = this.#window.received(chunk.length);
    if (acknowledgement !== undefined) this.control(acknowledgement);
  }

  /** A function, because the compiler does not see that reading may change it. */
  #isClosed(): boolean {
    return this.#state.at === 'closed';
  }

  #read(message: RtmpMessage): void {
    switch (message.typeId) {
      case MessageType.windowAcknowledgementSize:
        this.#window.windowBytes = parseControlValue(message.payload);
        return;
      case MessageType.setPeerBandwidth:
        this.control(controlMessage(MessageType.windowAcknowledgementSize, WINDOW_BYTES));
        return;
      case MessageType.userControl:
        this.#readUserControl(message.payload);
        return;
      case MessageType.commandAmf0:
      case MessageType.commandAmf3: {
        const command = parseCommand(message);
        if (command !== undefined) this.#readCommand(command, message.messageStreamId);
        return;
      }
      case MessageType.dataAmf3:
        this.#readMedia(asAmf0Data(message));
        return;
      case MessageType.audio:
      case MessageType.video:
      case MessageType.dataAmf0:
      case MessageType.aggregate:
        this.#readMedia(message);
        return;
      default: // acknowledgements, shared objects
    }
  }

  #readUserControl(payload: Uint8Array): void {
    const { event, data } = parseUserControl(payload);
    if (event === UserControlEvent.setBufferLength) this.#setBufferLength(data);
    if (event !== UserControlEvent.pingRequest) return;
    this.control(userControlMessage(UserControlEvent.pingResponse, data.slice(0, 4)));
  }

  /** §7.1.7: stream and milliseconds. */
  #setBufferLength(data: Uint8Array): void {
    const reader = new ByteReader(data);
    const stream = this.#streams.find(reader.u32());
    if (stream !== undefined) stream.bufferMs = reader.u32();
  }

  #readMedia(message: RtmpMessage): void {
    this.#streams.find(message.messageStreamId)?.use?.media(message);
  }

  #readCommand(command: RtmpCommand, messageStreamId: number): void {
    this.#budget.take();
    if (this.#state.at === 'connecting') {
      if (command.name === 'connect') this.#connect(command);
      return;
    }
    const { name, transactionId, values } = command;
    switch (name) {
      case 'createStream':
        this.#createStream(transactionId);
        return;
      case 'deleteStream':
        this.#streams.delete(numberIn(values) ?? messageStreamId, 'it ended the stream');
        return;
      case 'closeStream':
        this.#streams.find(messageStreamId)?.release('it ended the stream');
        return;
      case 'publish':
        this.#publish(command, messageStreamId);
        return;
      case 'play':
        this.#play(command, messageStreamId);
        return;
      case 'pause':
      case 'pauseRaw':
        this.#pause(command, messageStreamId);
        return;
      case 'seek':
        this.#streams.find(messageStreamId)?.use?.seek(milliseconds(values));
        return;
      case 'releaseStream':
      case 'checkBandwidth':
      case '_checkbw':
        this.#result(transactionId);
        return;
      case 'FCPublish':
      case 'FCUnpublish':
      case 'FCSubscribe':
      case 'FCUnsubscribe':
        this.#answerFlashMediaCommand(command);
        return;
      case 'getStreamLength':
        this.#getStreamLength(command);
        return;
      case 'close':
        this.close('it closed the connection');
        return;
      // Of players, to a server that may send what it wants to; we send what there is.
      case 'receiveAudio':
      case 'receiveVideo':
      case '_result':
      case '_error':
      case 'onStatus':
        return;
      default:
        this.#refuseCall(transactionId, `no such method: ${name.slice(0, MAX_QUOTED_CHARACTERS)}`);
    }
  }

  #connect(command: RtmpCommand): void {
    const request = parseConnect(command);
    const refusal =
      request === undefined ? '[ connect names no application ]' : this.#dialogue.connect(request);
    if (request === undefined || refusal !== undefined) {
      this.command(0, '_error', CONNECT_TRANSACTION, null, rejection(refusal ?? ''));
      this.close('it was refused');
      return;
    }
    this.#state = { at: 'connected', request };
    this.control(controlMessage(MessageType.windowAcknowledgementSize, WINDOW_BYTES));
    this.control(peerBandwidth());
    this.control(controlMessage(MessageType.setChunkSize, SERVER_CHUNK_SIZE));
    this.#chunkSize = SERVER_CHUNK_SIZE;
    this.command(0, '_result', CONNECT_TRANSACTION, ...welcome(request));
  }

  #createStream(transactionId: number): void {
    const stream = this.#streams.make();
    if (stream === undefined) this.#refuseCall(transactionId, 'too many streams');
    else this.#result(transactionId, stream.id);
  }

  #publish(command: RtmpCommand, messageStreamId: number): void {
    const stream = this.#unused(messageStreamId, 'it began another stream in its place');
    if (stream === undefined) return;
    const request = parsePublish(command);
    if (request === undefined) {
      stream.status('error', 'Publish.BadName', 'a stream needs a name, and no endless one');
      return;
    }
    const use = this.#dialogue.publish(stream, request);
    if (use !== undefined) this.#reader.maxMessageBytes = MAX_MESSAGE_BYTES;
    this.#occupy(stream, use);
  }

  #play(command: RtmpCommand, messageStreamId: number): void {
    const stream = this.#unused(messageStreamId, 'it plays another stream in its place');
    if (stream === undefined) return;
    const request = parsePlay(command);
    if (request === undefined) {
      stream.status('error', 'Play.StreamNotFound', 'a stream needs a name, and no endless one');
      return;
    }
    this.#occupy(stream, this.#dialogue.play(stream, request));
  }

  /** The connection may have ended over it. */
  #occupy(stream: ServerStream, use: StreamUse | undefined): void {
    if (this.#isClosed()) use?.close('it closed the connection');
    else stream.use = use;
  }

  /** Clients that skip createStream get a stream all the same. */
  #unused(messageStreamId: number, words: string): ServerStream | undefined {
    const stream = this.#streams.find(messageStreamId) ?? this.#streams.make();
    stream?.release(words);
    return stream;
  }

  #pause({ values }: RtmpCommand, messageStreamId: number): void {
    const isPaused = values.find((value) => typeof value === 'boolean') ?? true;
    this.#streams.find(messageStreamId)?.use?.pause(isPaused, milliseconds(values));
  }

  #answerFlashMediaCommand(command: RtmpCommand): void {
    const { name, transactionId } = command;
    this.#result(transactionId);
    const code = FLASH_MEDIA_CODES[name];
    const description = parseStreamName(command)?.name;
    if (code === undefined || description === undefined) return;
    this.command(0, `on${name}`, 0, null, { level: 'status', code, description });
  }

  #getStreamLength(command: RtmpCommand): void {
    const { transactionId } = command;
    const name = parseStreamName(command);
    if (name === undefined) {
      this.#refuseCall(transactionId, 'of which stream?');
      return;
    }
    this.#dialogue.streamLength(name, (seconds) => {
      if (this.#state.at !== 'closed') this.#result(transactionId, seconds);
    });
  }

  /** 0: the client wants no answer, or forgot that it does; one that is too many harms nobody. */
  #result(transactionId: number, ...values: Amf0Value[]): void {
    this.command(0, '_result', transactionId, null, ...values);
  }

  #refuseCall(transactionId: number, description: string): void {
    if (transactionId === 0) return;
    const info = { level: 'error', code: 'NetConnection.Call.Failed', description };
    this.command(0, '_error', transactionId, null, info);
  }
}

const FLASH_MEDIA_CODES: Readonly<Record<string, string>> = {
  FCPublish: 'NetStream.Publish.Start',
  FCUnpublish: 'NetStream.Unpublish.Success',
  FCSubscribe: 'NetStream.Play.Start',
};

/** Data messages of AMF3 begin with a zero byte; what follows is AMF0 all the same. */
function asAmf0Data(message: RtmpMessage): RtmpMessage {
  const { payload } = message;
  return {
    ...message,
    typeId: MessageType.dataAmf0,
    payload: payload.subarray(payload[0] === 0 ? 1 : 0),
  };
}

function milliseconds(values: readonly Amf0Value[]): number {
  const timeMs = numberIn(values) ?? 0;
  return Number.isFinite(timeMs) && timeMs > 0 ? timeMs : 0;
}

function numberIn(values: readonly Amf0Value[]): number | undefined {
  return values.find((value) => typeof value === 'number');
}
