/**
 * One stream → one RTMP session: dials, holds the dialogue, and feeds the session from the stream
 * until aborted or broken. The mirror image of a stream driver; retrying is the supervisor's.
 */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { AuthenticationError, ProtocolError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { dial } from '../../drivers/dial.ts';
import type { TlsTrust } from '../../drivers/tls-trust.ts';
import {
  PUBLISH_CHUNK_SIZE,
  PublishSession,
  type PublishSessionOptions,
  type PublishSessionState,
  type PublishType,
} from '../../protocols/rtmp/publish-session.ts';
import { PublishSink } from './publish-sink.ts';
import { SinkQueue } from './sink-queue.ts';
import { parseTargetUri, type TargetUrl } from './target-url.ts';

/** From connected to publishing. Masters that ask a web service for every publisher take seconds. */
const DIALOGUE_TIMEOUT_MS = 15_000;
/** nginx-rtmp says Publish.Start to publishers it denies, too, and hangs up in the same breath. */
const CONFIRM_MS = 250;
/** For the goodbye to go out; a stop of the whole service may take 2 s. */
const GOODBYE_TIMEOUT_MS = 800;
/** Asked for a login, told how, logged in. */
const MAX_CONNECTIONS = 3;
const DEFAULT_FLASH_VERSION = 'FMLE/3.0 (compatible; Sluice)';
const ENCODER = 'Sluice';

export interface RtmpPublisherOptions extends TlsTrust {
  /** Its whole path is the RTMP application. */
  readonly targetUri: string;
  readonly targetStreamName: string;
  readonly targetStreamType?: PublishType | undefined;
  /** Sent as flashVer. */
  readonly emulateUserAgent?: string | undefined;
  readonly tcUrl?: string | undefined;
  readonly swfUrl?: string | undefined;
  readonly pageUrl?: string | undefined;
  readonly queueMaxBytes?: number | undefined;
  readonly queueMaxMs?: number | undefined;
}

export interface RtmpPublisherContext {
  readonly log: Logger;
  /** Milliseconds. */
  readonly now: () => number;
}

export interface RtmpPublisherStats {
  readonly state: 'idle' | 'connecting' | 'publishing';
  readonly queueMs: number;
  readonly queueBytes: number;
  readonly droppedGops: number;
  readonly droppedUnits: number;
  readonly bytes: number;
  readonly unitsSent: number;
}

type Subscribe = (sink: StreamSink) => Disposable;

export class RtmpPublisher {
  /** Set by the owner: called when the master has accepted the stream, and meant it. */
  onPublishing: () => void = () => undefined;
  readonly #options: RtmpPublisherOptions;
  readonly #context: RtmpPublisherContext;
  readonly #target: TargetUrl;
  readonly #queue: SinkQueue;
  readonly #counters = { bytes: 0, unitsSent: 0 };
  #state: RtmpPublisherStats['state'] = 'idle';

  constructor(options: RtmpPublisherOptions, context: RtmpPublisherContext) {
    this.#options = options;
    this.#context = context;
    this.#target = parseTargetUri(options.targetUri);
    this.#queue = new SinkQueue(options.queueMaxBytes, options.queueMaxMs);
  }

  /** The counters are of all sessions together. */
  get stats(): RtmpPublisherStats {
    const { ms, byteLength, droppedGops, droppedUnits } = this.#queue;
    return {
      state: this.#state,
      queueMs: Math.round(ms),
      queueBytes: byteLength,
      droppedGops,
      droppedUnits,
      ...this.#counters,
    };
  }

  /** Returns when `signal` aborts, throws when the session fails or the master ends it; nothing stays open. */
  async run(subscribe: Subscribe, signal: AbortSignal): Promise<void> {
    this.#state = 'connecting';
    try {
      let authQuery: string | undefined = '';
      for (let count = 0; count < MAX_CONNECTIONS; count += 1) {
        authQuery = await this.#connection(authQuery, subscribe, signal);
        if (authQuery === undefined) return;
      }
      throw new AuthenticationError('the master asks for the login again and again', true);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#state = 'idle';
    }
  }

  /** One connection from dial to close; the query to come back with, if the master wants that. */
  async #connection(
    authQuery: string,
    subscribe: Subscribe,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { log } = this.#context;
    if (this.#options.insecure === true && this.#target.scheme === 'rtmps') {
      log.warn('insecure: the certificate of the master is NOT checked');
    }
    const { scheme, host, port } = this.#target;
    const tls = scheme === 'rtmps' ? this.#options : undefined;
    const socket = await dial({ host, port, tls }, signal);
    const session = new PublishSession(this.#sessionOptions(authQuery), (bytes) => {
      socket.write(bytes);
    });
    try {
      const next = await this.#converse(socket, session, subscribe, signal);
      await sayGoodbye(socket, session);
      return next;
    } finally {
      socket.destroy();
      this.#queue.clear();
    }
  }

  /** Settles when the session is over, one way or another. */
  async #converse(
    socket: Socket,
    session: PublishSession,
    subscribe: Subscribe,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const ending = new Ending(signal);
    let stopFeeding: (() => void) | undefined;
    let timer = setTimeout(() => {
      const at = session.state.at;
      ending.fail(new DOMException(`no answer in the state "${at}"`, 'TimeoutError'));
    }, DIALOGUE_TIMEOUT_MS);
    const changed = (state: PublishSessionState): void => {
      this.#context.log.debug({ state: state.at }, 'rtmp');
      if (state.at === 'reconnect') ending.resolve(state.authQuery);
      if (state.at !== 'publishing') return;
      clearTimeout(timer);
      timer = setTimeout(() => this.#confirm(), CONFIRM_MS);
      stopFeeding = this.#feed(socket, state.messageStreamId, subscribe, ending);
    };
    socket.on('data', (chunk: Uint8Array) => {
      if (ending.isOver) return;
      try {
        const before = session.state.at;
        session.push(chunk);
        if (session.state.at !== before) changed(session.state);
      } catch (error) {
        ending.fail(error);
      }
    });
    const hungUp = (): void => ending.fail(this.#hungUp(session));
    socket.on('error', (error) => (isHangUp(error) ? hungUp() : ending.fail(error)));
    // Not only 'close', which waits for what is still to be written.
    socket.on('end', hungUp);
    socket.on('close', hungUp);
    session.open();
    try {
      return await ending.promise;
    } finally {
      clearTimeout(timer);
      stopFeeding?.();
      ending.dispose();
    }
  }

  #confirm(): void {
    this.#state = 'publishing';
    this.onPublishing();
  }

  #hungUp(session: PublishSession): ProtocolError {
    if (session.state.at !== 'publishing' || this.#state === 'publishing') {
      return session.closedByPeer();
    }
    return new ProtocolError(
      'RTMP_CLOSED_DURING_PUBLISH',
      'it accepted the stream and closed the connection at once, as nginx-rtmp does to deny it',
    );
  }

  /** Connects the stream with the session; the result takes them apart again. */
  #feed(socket: Socket, messageStreamId: number, subscribe: Subscribe, ending: Ending): () => void {
    const sink = new PublishSink(
      socket,
      this.#queue,
      { messageStreamId, chunkSize: PUBLISH_CHUNK_SIZE, hevcForm: 'enhanced', encoder: ENCODER },
      {
        counters: this.#counters,
        now: this.#context.now,
        onFailure: (error) => ending.fail(error),
      },
    );
    const subscription = subscribe(sink);
    return () => {
      subscription[Symbol.dispose]();
      sink.close();
      const { clampedUnits } = sink;
      if (clampedUnits > 0) this.#context.log.warn({ clampedUnits }, 'times went backwards');
    };
  }

  #sessionOptions(authQuery: string): PublishSessionOptions {
    const { targetStreamName, targetStreamType, emulateUserAgent } = this.#options;
    const tcUrl = this.#options.tcUrl ?? this.#target.tcUrl;
    return {
      app: this.#target.app,
      tcUrl,
      streamName: targetStreamName,
      publishType: targetStreamType ?? 'live',
      flashVersion: emulateUserAgent ?? DEFAULT_FLASH_VERSION,
      swfUrl: this.#options.swfUrl ?? tcUrl,
      pageUrl: this.#options.pageUrl,
      credentials: this.#target.credentials,
      authQuery,
    };
  }
}

/** How a conversation ends: the first reason counts. An abort is an end like any other. */
class Ending {
  readonly promise: Promise<string | undefined>;
  isOver = false;
  readonly #signal: AbortSignal;
  #settle: (authQuery: string | undefined, error?: unknown) => void = () => undefined;
  readonly #onAbort = (): void => this.resolve(undefined);

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.#settle = (authQuery, error) =>
        error === undefined ? resolve(authQuery) : reject(error);
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.resolve(undefined);
  }

  resolve(authQuery: string | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#settle(authQuery);
  }

  fail(error: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#settle(undefined, error);
  }

  dispose(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

/** Unpublishes and closes, and waits a moment for the master to read it. */
async function sayGoodbye(socket: Socket, session: PublishSession): Promise<void> {
  if (socket.destroyed) return;
  session.close();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, GOODBYE_TIMEOUT_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.end();
  });
}

/** nginx closes with unread bytes in its buffer, which arrives as a reset. */
function isHangUp(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
