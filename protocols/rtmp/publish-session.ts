/**
 * The dialogue of a publisher with an RTMP server, from the handshake to deleteStream.
 * RTMP 1.0 §7.2; releaseStream, FCPublish and FCUnpublish as Flash Media Live Encoder sent
 * them: not in the specification, and expected by many servers.
 *
 *   handshake → connecting → creatingStream → requesting → publishing
 *                    └→ reconnect                              (client-session.ts)
 */
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
import { VIA_PROPERTY } from './connect-request.ts';
import { AcceptedFourCcs, offerOf } from './enhanced-connect.ts';

/** Makes nearly every picture one chunk; every server known takes it. */
export const PUBLISH_CHUNK_SIZE = 65_536;
/** Ours: the stream has been at that server before. */
export const LOOP_CODE = 'NetStream.Publish.Loop';
const TRANSACTION = { releaseStream: 2, fcPublish: 3, createStream: 4, publish: 5 };

export type PublishType = 'live' | 'record' | 'append';

export interface PublishSessionOptions extends ClientSessionOptions {
  readonly streamName: string;
  readonly publishType: PublishType;
  /** Codecs of the stream that only enhanced RTMP knows. */
  readonly offered: readonly FourCc[];
  /** The gateways that the stream came through, this one last: no gateway takes it a second time. */
  readonly via: readonly string[];
}

/** Once the connection is accepted. */
type PublishingState =
  | { readonly at: 'creatingStream' }
  | { readonly at: 'requesting'; readonly messageStreamId: number }
  | { readonly at: 'publishing'; readonly messageStreamId: number };

export type PublishSessionState =
  | Exclude<ClientSessionState, { readonly at: 'connected' }>
  | PublishingState;

export class PublishSession implements ClientDialogue {
  readonly connectProperties: Readonly<Record<string, Amf0Value>>;
  readonly #options: PublishSessionOptions;
  readonly #client: ClientSession;
  #state: PublishingState = { at: 'creatingStream' };
  #accepted: AcceptedFourCcs | undefined;

  constructor(options: PublishSessionOptions, write: (bytes: Uint8Array) => void) {
    this.#options = options;
    const { offered, via } = options;
    this.connectProperties = {
      ...offerOf(offered),
      ...(via.length === 0 ? {} : { [VIA_PROPERTY]: via.join() }),
    };
    this.#client = new ClientSession(options, this, write);
  }

  get state(): PublishSessionState {
    const { state } = this.#client;
    return state.at === 'connected' ? this.#state : state;
  }

  /** Of the codecs that only enhanced RTMP knows; undefined until connect is answered. */
  get accepted(): AcceptedFourCcs | undefined {
    return this.#accepted;
  }

  /** Bytes the server says it has received, modulo 2^32. */
  get peerAcknowledgedBytes(): number {
    return this.#client.peerAcknowledgedBytes;
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
    if (state.at !== 'requesting' && state.at !== 'publishing') return;
    this.#client.command(0, 'FCUnpublish', 6, null, this.#options.streamName);
    this.#client.command(0, 'deleteStream', 7, null, state.messageStreamId);
  }

  /** What it means that the server has closed the connection now. */
  closedByPeer(): ProtocolError {
    const early = this.#client.closedEarly();
    if (early !== undefined) return early;
    const heard = `the last thing heard was ${this.#client.lastHeard}`;
    const { at } = this.state;
    // nginx-rtmp says nothing when it denies a publisher.
    return at === 'creatingStream' || at === 'requesting'
      ? new ProtocolError(
          'RTMP_CLOSED_DURING_PUBLISH',
          `it closed the connection when asked to publish; ${heard}`,
        )
      : new ProtocolError('RTMP_CLOSED', `it closed the connection; ${heard}`);
  }

  connected(answer: RtmpCommand): void {
    const { streamName } = this.#options;
    this.#accepted = new AcceptedFourCcs(answer);
    this.#client.setChunkSize(PUBLISH_CHUNK_SIZE);
    this.#client.command(0, 'releaseStream', TRANSACTION.releaseStream, null, streamName);
    this.#client.command(0, 'FCPublish', TRANSACTION.fcPublish, null, streamName);
    this.#client.command(0, 'createStream', TRANSACTION.createStream, null);
  }

  command(command: RtmpCommand): void {
    switch (command.name) {
      case '_result':
        if (this.state.at !== 'creatingStream') return;
        if (command.transactionId === TRANSACTION.createStream) this.#publish(command);
        return;
      case '_error':
        this.#readError(command);
        return;
      case 'onStatus':
        this.#readStatus(command);
        return;
      default: // onBWDone, onFCPublish and others that only inform
    }
  }

  /** Servers send publishers nothing that we need. */
  media(): void {}

  userControl(): void {}

  #publish(answer: RtmpCommand): void {
    const messageStreamId = createdStreamId(answer);
    const { streamName, publishType } = this.#options;
    this.#state = { at: 'requesting', messageStreamId };
    this.#client.lastHeard = 'the answer to createStream';
    const { publish } = TRANSACTION;
    this.#client.command(messageStreamId, 'publish', publish, null, streamName, publishType);
  }

  #readError(command: RtmpCommand): void {
    switch (command.transactionId) {
      case TRANSACTION.createStream:
      case TRANSACTION.publish:
        throw refusal(command);
      // SRS and crtmpserver answer releaseStream with an error when there is nothing to release.
      default:
    }
  }

  #readStatus(command: RtmpCommand): void {
    const { code, level, words } = statusOf(command);
    this.#client.lastHeard = words;
    if (code === 'NetStream.Publish.Start') {
      if (this.#state.at !== 'requesting') return;
      const { messageStreamId } = this.#state;
      this.#state = { at: 'publishing', messageStreamId };
    } else if (level === 'error' || isRefusal(code)) {
      throw refusal(command);
    }
  }
}

function refusal(command: RtmpCommand): ProtocolError {
  const { code, words } = statusOf(command);
  return new ProtocolError(REFUSALS[code] ?? 'RTMP_PUBLISH_REFUSED', `publish: ${words}`);
}

const REFUSALS: Readonly<Record<string, string>> = {
  'NetStream.Publish.BadName': 'RTMP_NAME_TAKEN',
  [LOOP_CODE]: 'RTMP_LOOP',
};

/** Some servers send these without a level. */
function isRefusal(code: string): boolean {
  return /^NetStream\.Publish\.(BadName|Denied|Rejected|Failed)$/.test(code);
}
