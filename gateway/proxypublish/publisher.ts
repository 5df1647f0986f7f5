/**
 * One stream → one RTMP session: dials, holds the dialogue, and feeds the session from the stream
 * until aborted or broken. The mirror image of a stream driver; retrying is the supervisor's.
 */
import type { Logger } from 'pino';
import { AuthenticationError, ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import type { Track } from '../../codecs/track.ts';
import { dialRtmp } from '../../drivers/rtmp/rtmp-dial.ts';
import type { RtmpSocket } from '../../drivers/rtmp/rtmp-socket.ts';
import type { TlsTrust } from '../../drivers/tls-trust.ts';
import {
  PUBLISH_CHUNK_SIZE,
  PublishSession,
  type PublishSessionOptions,
  type PublishSessionState,
  type PublishType,
} from '../../protocols/rtmp/publish-session.ts';
import { rtmpVariant } from '../../protocols/rtmp/variants.ts';
import {
  type Carriage,
  type CarriageWish,
  hasStood,
  type Learnt,
  learnFromEnd,
  NOTHING_LEARNT,
  offeredFourCcs,
  planCarriage,
} from './carriage.ts';
import { CarriedSink } from './carried-sink.ts';
import type { PublishSource } from './publish-link.ts';
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
  readonly videoCodecMode?: CarriageWish['videoCodecMode'] | undefined;
  readonly audio?: CarriageWish['audio'] | undefined;
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
  /** Told to the master, which refuses what has been there before; left out: nothing is told. */
  readonly gatewayId?: string | undefined;
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

export class RtmpPublisher {
  /** Set by the owner: called when the master has accepted the stream, and meant it. */
  onPublishing: () => void = () => undefined;
  /** Set by the owner: `leftOut` is another. */
  onLeftOut: () => void = () => undefined;
  /** What of the stream the master does not get, and why. */
  leftOut: readonly string[] = [];
  readonly #options: RtmpPublisherOptions;
  readonly #context: RtmpPublisherContext;
  readonly #target: TargetUrl;
  readonly #queue: SinkQueue;
  readonly #counters = { bytes: 0, unitsSent: 0 };
  readonly #wish: CarriageWish;
  #state: RtmpPublisherStats['state'] = 'idle';
  /** For as long as this publisher lives, which is as long as its link does. */
  #learnt: Learnt = NOTHING_LEARNT;

  constructor(options: RtmpPublisherOptions, context: RtmpPublisherContext) {
    this.#options = options;
    this.#context = context;
    this.#target = parseTargetUri(options.targetUri);
    const { videoCodecMode = 'auto', audio = 'passthrough' } = options;
    this.#wish = { videoCodecMode, audio };
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
  async run(source: PublishSource, signal: AbortSignal): Promise<void> {
    this.#state = 'connecting';
    try {
      this.#checkCarriage(source.tracks, undefined);
      let authQuery: string | undefined = '';
      for (let count = 0; count < MAX_CONNECTIONS; count += 1) {
        authQuery = await this.#connection(authQuery, source, signal);
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
    source: PublishSource,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { log } = this.#context;
    if (this.#options.insecure === true && rtmpVariant(this.#target.scheme).isTls) {
      log.warn('insecure: the certificate of the master is NOT checked');
    }
    const { scheme, host, port } = this.#target;
    const reading: Reading = { read: () => undefined };
    const onData = (bytes: Uint8Array) => reading.read(bytes);
    const socket = await dialRtmp({ scheme, host, port, tls: this.#options, onData }, signal);
    const session = new PublishSession(this.#sessionOptions(authQuery, source), (bytes) => {
      socket.write(bytes);
    });
    try {
      const next = await this.#converse(socket, reading, session, source, signal);
      await sayGoodbye(socket, session);
      return next;
    } catch (error) {
      // The master has done nothing wrong.
      if (isOurDecision(error)) await sayGoodbye(socket, session);
      throw error;
    } finally {
      socket.destroy();
      this.#queue.clear();
    }
  }

  /** Settles when the session is over, one way or another. */
  async #converse(
    socket: RtmpSocket,
    reading: Reading,
    session: PublishSession,
    source: PublishSource,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const ending = new Ending(signal);
    let sink: CarriedSink | undefined;
    let subscription: Disposable | undefined;
    let timer = setTimeout(() => {
      const at = session.state.at;
      ending.fail(new DOMException(`no answer in the state "${at}"`, 'TimeoutError'));
    }, DIALOGUE_TIMEOUT_MS);
    const changed = (state: PublishSessionState): void => {
      this.#context.log.debug({ state: state.at }, 'rtmp');
      if (state.at === 'reconnect') ending.resolve(state.authQuery);
      if (state.at === 'creatingStream') this.#checkCarriage(source.tracks, session);
      if (state.at !== 'publishing') return;
      clearTimeout(timer);
      timer = setTimeout(() => this.#confirm(), CONFIRM_MS);
      sink = this.#makeSink(socket, session, state.messageStreamId, ending);
      subscription = source.subscribe(sink);
    };
    reading.read = (chunk) => {
      if (ending.isOver) return;
      try {
        const before = session.state.at;
        session.push(chunk);
        if (session.state.at !== before) changed(session.state);
      } catch (error) {
        ending.fail(error);
      }
    };
    const hungUp = (): void => {
      if (!ending.isOver) ending.fail(this.#hungUp(session));
    };
    socket.on('error', (error) => (isHangUp(error) ? hungUp() : ending.fail(error)));
    // Not only 'close', which waits for what is still to be written.
    socket.on('end', hungUp);
    socket.on('close', hungUp);
    session.open();
    try {
      const authQuery = await ending.promise;
      if (sink !== undefined) this.#learnFromGoodbye(sink);
      return authQuery;
    } catch (error) {
      throw sink === undefined ? error : this.#learnFrom(error, sink, session);
    } finally {
      clearTimeout(timer);
      subscription?.[Symbol.dispose]();
      sink?.close();
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

  #makeSink(
    socket: RtmpSocket,
    session: PublishSession,
    messageStreamId: number,
    ending: Ending,
  ): CarriedSink {
    const { log, now } = this.#context;
    const onFailure = (error: unknown): void => ending.fail(error);
    const onTimesBack = (clampedUnits: number) =>
      log.warn({ clampedUnits }, 'times of the camera went backwards');
    return new CarriedSink({
      plan: (tracks) => this.#plan(tracks, session),
      open: ({ hevcForm }) =>
        new PublishSink(
          socket,
          this.#queue,
          { messageStreamId, chunkSize: PUBLISH_CHUNK_SIZE, hevcForm, encoder: ENCODER },
          { counters: this.#counters, now, onTimesBack, onFailure },
        ),
      onPlanned: ({ leftOut }) => this.#setLeftOut(leftOut),
      onFailure,
    });
  }

  #plan(tracks: readonly Track[], session: PublishSession | undefined): Carriage {
    return planCarriage(tracks, this.#wish, session?.accepted, this.#learnt);
  }

  /** Throws when nothing of the stream is to be published, before the master is bothered with it. */
  #checkCarriage(tracks: readonly Track[], session: PublishSession | undefined): void {
    const { refusal } = this.#plan(tracks, session);
    if (refusal !== undefined) throw new UnsupportedError(refusal);
  }

  #setLeftOut(leftOut: readonly string[]): void {
    if (leftOut.join() === this.leftOut.join()) return;
    this.leftOut = leftOut;
    this.onLeftOut();
  }

  /** The error that tells what the end of a session means. */
  #learnFrom(error: unknown, sink: CarriedSink, session: PublishSession): unknown {
    const { carriage } = sink;
    if (carriage === undefined || !isEndedByMaster(error)) return error;
    const age = sink.age();
    const lesson = learnFromEnd(carriage, this.#wish, session.accepted, this.#learnt, age);
    this.#learnt = lesson.learnt;
    if (lesson.verdict === undefined) return error;
    const { isFinal, words } = lesson.verdict;
    return isFinal ? new UnsupportedError(words) : new ProtocolError('RTMP_OTHER_WAY', words);
  }

  #learnFromGoodbye(sink: CarriedSink): void {
    const { carriage } = sink;
    if (carriage === undefined || !hasStood(carriage, sink.age())) return;
    this.#learnt = { ...this.#learnt, codecs: carriage.codecs, isProven: true };
  }

  #sessionOptions(authQuery: string, source: PublishSource): PublishSessionOptions {
    const { gatewayId } = this.#context;
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
      isHandshakeDone: rtmpVariant(this.#target.scheme).isEncrypted,
      offered: offeredFourCcs(source.tracks, this.#wish),
      via: gatewayId === undefined ? [] : [...source.via, gatewayId],
    };
  }
}

/** Where what the socket reads goes. */
interface Reading {
  read: (bytes: Uint8Array) => void;
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
async function sayGoodbye(socket: RtmpSocket, session: PublishSession): Promise<void> {
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

function isOurDecision(error: unknown): boolean {
  if (error instanceof UnsupportedError) return true;
  return error instanceof ProtocolError && error.code === 'RTMP_TRACKS_CHANGED';
}

/** By hanging up, or with a word. */
function isEndedByMaster(error: unknown): boolean {
  const codes = ['RTMP_CLOSED', 'RTMP_CLOSED_DURING_PUBLISH', 'RTMP_PUBLISH_REFUSED'];
  return error instanceof ProtocolError && codes.includes(error.code);
}

/** nginx closes with unread bytes in its buffer, which arrives as a reset. */
function isHangUp(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
