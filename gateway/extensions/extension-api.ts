/**
 * What a module of your own sees of Sluice: version 1 of the interface. Types only; `dist/extension.d.ts` is a copy
 * of this file, to be named in JSDoc or imported as types. deploy/examples/raw-h264.mjs is a worked example.
 *
 *   extensions:
 *     - { module: ./my-protocol.mjs, options: { listen: "0.0.0.0:7000" } }
 *
 * The module exports an `Extension` as `extension`. It runs in Sluice's own process and thread: what it does in a
 * call holds up everything else. What it throws costs it the call's purpose and no more: a sink is unsubscribed, a client
 * sent away, a source tried again; what it throws anywhere else ends the extension. Sluice and the others go on.
 */

export interface Extension {
  /** The version of this interface that it was written for. */
  readonly apiVersion: 1;
  /** For people. */
  readonly name: string;
  /** Once, at the start; `options` is what the configuration says. It has 10 s to settle. */
  activate(host: Host, options: Readonly<Record<string, unknown>>): void | Promise<void>;
  /** At the end, or when it failed: what it opened by itself is closed. It has half a second. */
  deactivate?(): void | Promise<void>;
}

export interface Host {
  readonly apiVersion: 1;
  readonly gatewayId: string;
  readonly log: Log;
  /** A stream handler: called for every stream that is there, and each new one; the result, when it is gone. */
  onStream(listener: (stream: Stream) => (() => void) | undefined): void;
  /** A protocol of its own over TCP, of clients that push. Sluice listens, bounds, and cleans up. */
  listen(acceptor: Acceptor): void;
  /** Sources of a scheme of its own, `x-NAME:`: `streams: { a: { source: "x-NAME://…" } }`. */
  addSource(scheme: `x-${string}`, open: (source: Source) => Driver): void;
  /** A stream from anything else. Throws where the name cannot be had; then `code` says why. */
  publish(publisher: Publisher): Publication;
}

export interface Log {
  debug(words: string): void;
  info(words: string): void;
  warn(words: string): void;
  error(words: string): void;
}

export interface Stream {
  readonly name: string;
  readonly isOnline: boolean;
  /** Empty while it is offline. */
  readonly tracks: readonly Track[];
  /**
   * The sink gets the tracks at once when it is online. What comes first need not be where decoding can start: wait for
   * `randomAccess`. The result unsubscribes it.
   */
  subscribe(sink: Sink): () => void;
}

/** What takes a stream. The methods are called one after the other and must not wait. */
export interface Sink {
  /** The tracks that will come; again after each `stop`. */
  start(tracks: readonly Track[]): void;
  /** `unit.data` is valid during the call: copy what is to be kept, and change nothing. */
  write(unit: Unit): void;
  /** The source is gone; it may come back. */
  stop(): void;
}

/** One coded picture, or one frame of sound. */
export interface Unit {
  /** One of those of `start`, or a new one in its place: parameter sets have changed, or sound has begun. */
  readonly track: Track;
  /** Microseconds on the stream's own clock. */
  readonly ptsUs: number;
  readonly dtsUs: number;
  /** Decoding may start here; always true for sound. */
  readonly randomAccess: boolean;
  /** H.264 and H.265: NAL units, each behind its length in 4 bytes; else as it is in the stream. */
  readonly data: Uint8Array;
}

export type Track =
  | {
      readonly kind: 'video';
      readonly codec: 'h264';
      /** NAL units, without start code or length. */
      readonly sps: Uint8Array;
      readonly pps: Uint8Array;
    }
  | {
      readonly kind: 'video';
      readonly codec: 'h265';
      readonly vps: Uint8Array;
      readonly sps: Uint8Array;
      readonly pps: Uint8Array;
    }
  | {
      readonly kind: 'video';
      readonly codec: 'av1' | 'vp9';
      /** AV1CodecConfigurationRecord or VPCodecConfigurationRecord. */
      readonly config: Uint8Array;
    }
  | {
      readonly kind: 'audio';
      readonly codec: 'aac';
      /** AudioSpecificConfig. */
      readonly config: Uint8Array;
      readonly sampleRate: number;
      readonly channels: number;
    }
  | {
      readonly kind: 'audio';
      readonly codec: 'opus';
      /** The identification header, RFC 7845 §5.1. */
      readonly config: Uint8Array;
      readonly sampleRate: 48_000;
      readonly channels: number;
    }
  | {
      readonly kind: 'audio';
      readonly codec: 'pcma' | 'pcmu' | 'mp3' | 'ac3' | 'eac3';
      readonly sampleRate: number;
      readonly channels: number;
    };

export interface Acceptor {
  /** For people: "raw H.264". */
  readonly protocol: string;
  /** Address and port: "0.0.0.0:7000". */
  readonly listen: string;
  /** What happens when a name is being published already; "reject" when left out. */
  readonly duplicatePublisher?: 'reject' | 'replace';
  /** From where clients may come: addresses, or ranges such as "10.0.0.0/24"; left out: from everywhere. */
  readonly addresses?: readonly string[];
  /** As those of acceptors in the configuration. */
  readonly limits?: {
    readonly connections?: number;
    readonly connectionsPerAddress?: number;
    readonly handshakeMs?: number;
    readonly bytesBeforeLogin?: number;
  };
  /** The parser for one client. */
  accept(client: Client): Feed;
}

/** One client of an acceptor. */
export interface Client {
  readonly address: string;
  /** Address and port, as a name for its stream where it has none. */
  readonly placeName: string;
  /** It may publish: until then its bytes are counted, and it is sent away with too many. */
  admit(): void;
  /** What the parser writes to. When it is started, the stream is published under the name that is known by then. */
  sink(name: () => string): Sink;
  /** Sends it away: `words` say why, for people. */
  refuse(words: string): void;
}

export interface Feed {
  /** The client's bytes, cut anywhere; the feed's to keep. */
  push(chunk: Uint8Array): void;
  /** The client has closed its side: what is held back is whole. */
  flush(): void;
}

export interface Source {
  /** As the configuration has it. */
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export interface Driver {
  /**
   * One attempt: returns when the source ends, throws when it fails or `signal` aborts, and leaves nothing open. Sluice
   * tries again by itself, and tells people the error's message.
   */
  run(sink: Sink, signal: AbortSignal): Promise<void>;
}

export interface Publisher {
  /** Lower-case letters, digits and hyphens; anything else is replaced. */
  readonly name: string;
  /** For people. */
  readonly protocol: string;
  /** Where it comes from, for people. */
  readonly peer: string;
  /** "reject" when left out. */
  readonly duplicatePublisher?: 'reject' | 'replace';
  /** Another took the name, nothing came for 30 s, or Sluice stops: nothing is taken any more. */
  ended(words: string): void;
}

export interface Publication extends Sink {
  /** What the stream is called here. */
  readonly name: string;
  /** The publisher is gone; `words` say why, for people. */
  close(words: string): void;
}
