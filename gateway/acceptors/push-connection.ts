/**
 * One client of a protocol that does nothing but push: its bytes go to a feed, and the stream that the feed finds in
 * them is published. Bounded until then in time, and in bytes while it has still to say who it is.
 */
import type { Socket } from 'node:net';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { ParseError, ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import type { Track } from '../../codecs/track.ts';
import type { AcceptorConfig } from '../config/schema.ts';
import { PublicationRefused, type Publications } from './publications.ts';
import type { Publication } from './pushed-stream.ts';

/** The protocol's parser for one client. What it throws ends the connection. */
export interface PushFeed {
  push(chunk: Uint8Array): void;
  /** The client has closed its side: what is held back is whole. */
  flush(): void;
}

/** What a feed needs of its client. */
export interface PushClient {
  readonly address: string;
  /** `address` and port, as a name. */
  readonly placeName: string;
  /** It has said who it is; before this, its bytes are counted. */
  admit(): void;
  /** Publishes when it is started, under the name that is known by then. */
  sink(name: () => string): StreamSink;
  /** Sends it away; `words` say why, for people. */
  refuse(words: string): void;
}

/** Of the keys of an acceptor. */
export type PushConfig = Pick<
  AcceptorConfig,
  'listen' | 'duplicatePublisher' | 'publish' | 'limits'
>;

export interface PushConnectionOptions {
  /** For people: "LiveFLV". */
  readonly protocol: string;
  readonly config: PushConfig;
  readonly publications: Publications;
  readonly makeFeed: (client: PushClient) => PushFeed;
  /** `error`: what ended it; undefined when it ended by itself. */
  readonly onClose: (words: string, error: unknown) => void;
}

export class PushConnection implements PushClient {
  readonly address: string;
  readonly placeName: string;
  readonly #socket: Socket;
  readonly #options: PushConnectionOptions;
  #feed: PushFeed | undefined;
  #timer: NodeJS.Timeout | undefined;
  #publication: Publication | undefined;
  #bytesBeforeLogin = 0;
  #isAdmitted = false;
  #isClosed = false;

  constructor(socket: Socket, address: string, options: PushConnectionOptions) {
    this.address = address;
    this.placeName = `${address}-${socket.remotePort}`;
    this.#socket = socket;
    this.#options = options;
  }

  start(): void {
    const { makeFeed, config } = this.#options;
    const { handshakeMs } = config.limits;
    this.#timer = setTimeout(() => {
      const seconds = Math.round(handshakeMs / 100) / 10;
      this.#fail(
        new ProtocolError('NO_STREAM', `it sent no stream to publish within ${seconds} s`),
      );
    }, handshakeMs);
    const socket = this.#socket;
    socket.on('error', (error) => this.close(error.message));
    socket.on('close', () => this.close('the connection was lost'));
    this.#guard(() => {
      this.#feed = makeFeed(this);
    });
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('end', () => {
      this.#guard(() => this.#feed?.flush());
      this.close('it closed the connection');
    });
  }

  admit(): void {
    this.#isAdmitted = true;
  }

  sink(name: () => string): StreamSink {
    return {
      start: (tracks: readonly Track[]) => {
        this.#publication ??= this.#publish(name());
        this.#publication.start(tracks);
      },
      write: (unit: AccessUnit) => this.#publication?.write(unit),
      stop: () => this.#publication?.stop(),
    };
  }

  refuse(words: string): void {
    this.#fail(new ProtocolError('REFUSED', words));
  }

  /** From here, or from there. */
  close(words: string, error?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#publication?.close(words);
    this.#socket.destroy();
    this.#options.onClose(words, error);
  }

  #read(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    const { bytesBeforeLogin } = this.#options.config.limits;
    if (!this.#isAdmitted) this.#bytesBeforeLogin += chunk.length;
    if (this.#bytesBeforeLogin > bytesBeforeLogin) {
      this.#fail(new ProtocolError('NO_LOGIN', `no login came in ${bytesBeforeLogin} bytes`));
      return;
    }
    this.#publication?.received(chunk.length);
    this.#guard(() => this.#feed?.push(chunk));
  }

  #publish(name: string): Publication {
    const { config, protocol, publications } = this.#options;
    const publication = publications.open({
      name,
      protocol,
      peer: this.address,
      via: [],
      publishType: 'live',
      duplicate: config.duplicatePublisher,
      end: (words) => this.close(words),
    });
    clearTimeout(this.#timer);
    return publication;
  }

  /** Everything a client can provoke ends its connection, and nothing else. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.close(error instanceof Error ? error.message : String(error), error);
  }
}

/** What clients bring about; anything else is a fault of ours. */
export function isOfClient(error: unknown): error is Error {
  return (
    error instanceof ParseError ||
    error instanceof ProtocolError ||
    error instanceof UnsupportedError ||
    error instanceof PublicationRefused
  );
}
