/** One connection to an RTMP server as a player, from connect to goodbye. */
import { performance } from 'node:perf_hooks';
import { ProtocolError } from '../../codecs/errors.ts';
import { FlvDemuxer } from '../../codecs/flv/flv-demuxer.ts';
import { AUDIO_FOUR_CCS, type FourCc, VIDEO_FOUR_CCS } from '../../codecs/flv/four-cc.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { MediaReader } from '../../protocols/rtmp/media-reader.ts';
import { PlaySession } from '../../protocols/rtmp/play-session.ts';
import type { PlayUrl } from '../../protocols/rtmp/play-url.ts';
import { rtmpVariant } from '../../protocols/rtmp/variants.ts';
import { MAX_UNREAD_BYTES } from '../dial.ts';
import type { Credentials, DriverContext, SourceStats } from '../driver.ts';
import { dialRtmp } from '../rtmp/rtmp-dial.ts';
import type { RtmpSocket } from '../rtmp/rtmp-socket.ts';
import type { TlsTrust } from '../tls-trust.ts';

/** From connected to asking for the stream. Servers that ask a web service for every player take seconds. */
const DIALOGUE_TIMEOUT_MS = 15_000;
/** What players were called when servers began to look at it; ffmpeg and librtmp say so to this day. */
const FLASH_VERSION = 'LNX 9,0,124,2';
const FOUR_CCS: readonly FourCc[] = [
  ...Object.values(VIDEO_FOUR_CCS),
  ...Object.values(AUDIO_FOUR_CCS),
];

export interface RtmpPullOptions {
  readonly source: PlayUrl;
  readonly credentials: Credentials | undefined;
  readonly tls: TlsTrust | undefined;
  /** Empty, or what the connection before this one ended with. */
  readonly authQuery: string;
  /** The server has taken the login, if it wants one. */
  readonly onAccepted: () => void;
  readonly stats: SourceStats;
}

/** `reconnect`: the server wants another connection, with a step of its login. */
export type RtmpPullEnd =
  | { readonly at: 'ended' }
  | { readonly at: 'reconnect'; readonly authQuery: string };

export class RtmpPull {
  readonly #options: RtmpPullOptions;
  readonly #context: DriverContext;
  readonly #demuxer: FlvDemuxer;
  readonly #session: PlaySession;
  readonly #media: MediaReader;
  #socket: RtmpSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settle: ((end: RtmpPullEnd) => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;

  constructor(options: RtmpPullOptions, sink: StreamSink, context: DriverContext) {
    const { source, credentials, authQuery } = options;
    this.#options = options;
    this.#context = context;
    this.#demuxer = new FlvDemuxer(sink, () => performance.now());
    this.#media = new MediaReader(this.#demuxer);
    this.#session = new PlaySession(
      {
        app: source.app,
        tcUrl: source.tcUrl,
        streamName: source.streamName,
        flashVersion: FLASH_VERSION,
        swfUrl: undefined,
        pageUrl: undefined,
        credentials,
        authQuery,
        isHandshakeDone: rtmpVariant(source.scheme).isEncrypted,
        fourCcList: FOUR_CCS,
        onMedia: (message) => {
          options.stats.receivedPackets += this.#media.push(message);
        },
      },
      (bytes) => this.#write(bytes),
    );
  }

  get notes(): readonly string[] {
    return this.#demuxer.notes;
  }

  /** Brings `stats` up to date. */
  readCounters(): void {
    this.#demuxer.readCounters(this.#options.stats);
  }

  /** Runs until the stream ends, and throws when it breaks or `signal` aborts. */
  async run(signal: AbortSignal): Promise<RtmpPullEnd> {
    const { source, tls } = this.#options;
    const ended = new Promise<RtmpPullEnd>((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    ended.catch(() => undefined); // it may end before it is waited for
    const abort = () => this.#fail?.(signal.reason);
    const { scheme, host, port } = source;
    const onData = (bytes: Uint8Array) => this.#read(bytes);
    const socket = await dialRtmp({ scheme, host, port, tls, onData }, signal);
    try {
      signal.throwIfAborted();
      signal.addEventListener('abort', abort, { once: true });
      this.#socket = socket;
      this.#options.stats.transport = 'tcp';
      this.#listen(socket);
      this.#session.open();
      return await ended;
    } finally {
      signal.removeEventListener('abort', abort);
      clearTimeout(this.#timer);
      if (!socket.destroyed) this.#session.close();
      socket.destroy();
    }
  }

  /** Pings and window sizes are answered as fast as they come: a server that does not read is told off. */
  #write(bytes: Uint8Array): void {
    if (this.#socket === undefined) return;
    if (this.#socket.writableLength <= MAX_UNREAD_BYTES) this.#socket.write(bytes);
    else this.#fail?.(new ProtocolError('NOT_READING', 'it does not read what it is answered'));
  }

  #listen(socket: RtmpSocket): void {
    const hungUp = () => this.#fail?.(this.#session.closedByPeer());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') hungUp();
      else this.#fail?.(error);
    });
    socket.on('end', hungUp);
    socket.on('close', hungUp);
    this.#timer = setTimeout(() => {
      const words = `no answer in the state "${this.#session.state.at}"`;
      this.#fail?.(new DOMException(words, 'TimeoutError'));
    }, DIALOGUE_TIMEOUT_MS);
  }

  /** Everything a server can provoke ends this connection, and nothing else. */
  #read(bytes: Uint8Array): void {
    const before = this.#session.state.at;
    try {
      this.#options.stats.receivedBytes += bytes.length;
      this.#session.push(bytes);
      if (this.#session.state.at !== before) this.#changed();
    } catch (error) {
      this.#fail?.(error);
    }
  }

  #changed(): void {
    const { state } = this.#session;
    this.#context.log.debug({ state: state.at }, 'rtmp');
    switch (state.at) {
      case 'requesting':
      case 'playing':
        this.#options.onAccepted();
        // Some servers let players wait for the publisher: that is for the media watchdog to judge.
        clearTimeout(this.#timer);
        return;
      case 'reconnect':
        this.#settle?.({ at: 'reconnect', authQuery: state.authQuery });
        return;
      case 'ended':
        this.#context.log.info({ words: state.words }, 'the server ended the stream');
        this.#settle?.({ at: 'ended' });
        return;
      case 'handshake':
      case 'connecting':
      case 'creatingStream':
      case 'closed':
    }
  }
}
