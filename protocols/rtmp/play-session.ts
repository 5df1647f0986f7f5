/**
 * The dialogue of a player with an RTMP server, from the handshake to deleteStream.
 * RTMP 1.0 §7.2 and §7.1.7; FCSubscribe as Flash Media Live Encoder's edge servers want it: not
 * in the specification, and ignored by the others.
 *
 *   handshake → connecting → creatingStream → requesting → playing → ended
 *                    └→ reconnect                              (client-session.ts)
 */

import { ByteWriter } from '../../codecs/byte-writer.ts';
import { ProtocolError } from '../../codecs/errors.ts';
import type { Amf0Value } from '../../codecs/flv/amf0.ts';
import type { FourCc } from '../../codecs/flv/four-cc.ts';
import {
  type ClientDialogue,
  ClientSession,
  type ClientSessionOptions,
  type ClientSessionState,
  createdStreamId,
} from './client-session.ts';
import { type RtmpCommand, statusOf } from './command.ts';
import { controlMessage, UserControlEvent, userControlMessage } from './control.ts';
import { MessageType, type RtmpMessage } from './message.ts';
import { WINDOW_BYTES } from './received-window.ts';

const TRANSACTION = { createStream: 2, fcSubscribe: 3, play: 4 };
/** §7.2.2.1, in milliseconds as Flash Player sends it: live only, and wait for a publisher. */
const LIVE = -1000;
/** How far ahead the server may send. Enough for what is live; more than a second is for recordings. */
const BUFFER_LENGTH_MS = 1000;
const NOT_FOUND = 404;

export interface PlaySessionOptions extends ClientSessionOptions {
  readonly streamName: string;
  /** Enhanced RTMP: the codecs we take in its form. */
  readonly fourCcList: readonly FourCc[];
  /** Audio, video, data and aggregates. The payload may be a view: copy what is needed later. */
  readonly onMedia: (message: RtmpMessage) => void;
}

/** Once the connection is accepted. */
type PlayingState =
  | { readonly at: 'creatingStream' }
  | { readonly at: 'requesting'; readonly messageStreamId: number }
  | { readonly at: 'playing'; readonly messageStreamId: number }
  /** The stream is over: its publisher has left. The connection would stay. */
  | { readonly at: 'ended'; readonly messageStreamId: number; readonly words: string };

export type PlaySessionState =
  | Exclude<ClientSessionState, { readonly at: 'connected' }>
  | PlayingState;

export class PlaySession implements ClientDialogue {
  readonly connectProperties: Readonly<Record<string, Amf0Value>>;
  readonly #options: PlaySessionOptions;
  readonly #client: ClientSession;
  #state: PlayingState = { at: 'creatingStream' };

  constructor(options: PlaySessionOptions, write: (bytes: Uint8Array) => void) {
    this.#options = options;
    // §7.2.1.1: every codec of the table, so that no server thinks it must leave one out.
    this.connectProperties = {
      fpad: false,
      capabilities: 15,
      audioCodecs: 0x0fff,
      videoCodecs: 0x00ff,
      videoFunction: 1,
      fourCcList: options.fourCcList,
    };
    this.#client = new ClientSession(options, this, write);
  }

  get state(): PlaySessionState {
    const { state } = this.#client;
    return state.at === 'connected' ? this.#state : state;
  }

  open(): void {
    this.#client.open();
  }

  push(chunk: Uint8Array): void {
    this.#client.push(chunk);
  }

  /** Says goodbye, as far as there is something to say goodbye to. */
  close(): void {
    const { state } = this;
    this.#client.close();
    if (!('messageStreamId' in state)) return;
    this.#client.command(0, 'deleteStream', 0, null, state.messageStreamId);
  }

  /** What it means that the server has closed the connection now. */
  closedByPeer(): ProtocolError {
    const early = this.#client.closedEarly();
    if (early !== undefined) return early;
    const heard = `the last thing heard was ${this.#client.lastHeard}`;
    const { at } = this.state;
    return at === 'creatingStream' || at === 'requesting'
      ? new ProtocolError(
          'RTMP_CLOSED_DURING_PLAY',
          `it closed the connection when asked for the stream; ${heard}`,
        )
      : new ProtocolError('RTMP_CLOSED', `it closed the connection; ${heard}`);
  }

  connected(): void {
    const { createStream, fcSubscribe } = TRANSACTION;
    this.#client.send(controlMessage(MessageType.windowAcknowledgementSize, WINDOW_BYTES));
    this.#client.command(0, 'createStream', createStream, null);
    this.#client.command(0, 'FCSubscribe', fcSubscribe, null, this.#options.streamName);
  }

  command(command: RtmpCommand): void {
    switch (command.name) {
      case '_result':
        if (this.state.at !== 'creatingStream') return;
        if (command.transactionId === TRANSACTION.createStream) this.#play(command);
        return;
      case '_error':
        // An error to FCSubscribe is of servers that do not know it.
        if (command.transactionId === TRANSACTION.fcSubscribe) return;
        throw refusal(command);
      case 'onStatus':
      case 'onFCSubscribe':
        this.#readStatus(command);
        return;
      default: // onBWDone and others that only inform
    }
  }

  media(message: RtmpMessage): void {
    this.#begin();
    if (this.#state.at === 'playing') this.#options.onMedia(message);
  }

  userControl(event: number): void {
    if (event === UserControlEvent.streamEof) this.#end('StreamEOF');
  }

  #play(answer: RtmpCommand): void {
    const messageStreamId = createdStreamId(answer);
    this.#state = { at: 'requesting', messageStreamId };
    this.#client.lastHeard = 'the answer to createStream';
    const { streamName } = this.#options;
    this.#client.command(messageStreamId, 'play', TRANSACTION.play, null, streamName, LIVE);
    const data = new ByteWriter().u32(messageStreamId).u32(BUFFER_LENGTH_MS).toBytes();
    this.#client.send(userControlMessage(UserControlEvent.setBufferLength, data));
  }

  #readStatus(command: RtmpCommand): void {
    const { code, level, words } = statusOf(command);
    this.#client.lastHeard = words;
    switch (code) {
      case 'NetStream.Play.Start':
        if (command.name === 'onStatus') this.#begin();
        return;
      case 'NetStream.Play.UnpublishNotify':
      case 'NetStream.Play.Stop':
      case 'NetStream.Play.Complete':
        this.#end(words);
        return;
      default:
        if (level === 'error' || isRefusal(code)) throw refusal(command);
    }
  }

  /** Some servers send media and never a Play.Start. */
  #begin(): void {
    if (this.#state.at !== 'requesting') return;
    const { messageStreamId } = this.#state;
    this.#state = { at: 'playing', messageStreamId };
  }

  /** nginx-rtmp says StreamEOF to players who come before the publisher, too: they wait. */
  #end(words: string): void {
    if (this.#state.at !== 'playing') return;
    const { messageStreamId } = this.#state;
    this.#state = { at: 'ended', messageStreamId, words };
  }
}

function refusal(command: RtmpCommand): ProtocolError {
  const { code, words } = statusOf(command);
  return /NotFound$/.test(code)
    ? new ProtocolError('RTMP_STREAM_NOT_FOUND', `play: ${words}`, NOT_FOUND)
    : new ProtocolError('RTMP_PLAY_REFUSED', `play: ${words}`);
}

/** Some servers send these without a level. */
function isRefusal(code: string): boolean {
  return /^NetStream\.(Play\.(StreamNotFound|FileNotFound|Failed|Denied|Rejected)|Failed)$/.test(
    code,
  );
}
