/** One session with an RTSP camera, from connect to teardown. */
import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { ProtocolError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { selectMedias } from '../../protocols/rtp/media-selection.ts';
import { RtpPresentation } from '../../protocols/rtp/rtp-presentation.ts';
import { joinControl } from '../../protocols/rtsp/control-url.ts';
import type { SessionEnd } from '../../protocols/rtsp/keepalive.ts';
import { RtspSession } from '../../protocols/rtsp/rtsp-session.ts';
import type { RtpInfo } from '../../protocols/rtsp/transport.ts';
import type { SourceUrl } from '../../protocols/source-url.ts';
import type { Credentials, DriverContext, SourceStats } from '../driver.ts';
import type { TlsTrust } from '../tls-trust.ts';
import { connectThroughHttp } from './http-tunnel.ts';
import { InterleavedChannels } from './media-path.ts';
import { connectRtsp, type RtspConnection } from './rtsp-connection.ts';
import {
  type LowerTransport,
  nameOf,
  type PulledTrack,
  TrackSetup,
  TransportError,
} from './track-setup.ts';

/** After PLAY the first UDP packet comes at once, or a firewall drops them all. */
const UDP_SILENCE_MS = 3_000;
const RECEIVER_REPORT_MS = 5_000;
/** Without a packet for so long a session that is given up had ended by itself. */
const SILENCE_MS = 3_000;

export interface RtspPullOptions {
  readonly source: SourceUrl;
  readonly credentials: Credentials | undefined;
  /** The one to ask for first. */
  readonly transport: LowerTransport;
  /** Whether a camera that refuses it may be asked for the others. */
  readonly mayChangeTransport: boolean;
  /** RTSP goes through HTTP. */
  readonly isTunnelled: boolean;
  /** For multicast: the name of an interface, or one of our addresses. */
  readonly interface: string | undefined;
  /** Given: the connection is TLS. */
  readonly tls: TlsTrust | undefined;
  readonly keepaliveMethod: string | undefined;
  readonly stats: SourceStats;
  /** Takes what people are to know, in plain words. */
  readonly note: (words: string) => void;
  /** The camera has taken the login and begun to play. */
  readonly played: () => void;
}

export class RtspPull {
  readonly #options: RtspPullOptions;
  readonly #context: DriverContext;
  readonly #session: RtspSession;
  readonly #channels: InterleavedChannels;
  /** Aborted with the error that ended the session. */
  readonly #ended = new AbortController();
  #connection: RtspConnection | undefined;
  #setup: TrackSetup | undefined;
  #presentation: RtpPresentation | undefined;
  #playedAtMs: number | undefined;

  constructor(options: RtspPullOptions, context: DriverContext) {
    this.#options = options;
    this.#context = context;
    this.#channels = new InterleavedChannels(this);
    this.#session = new RtspSession({
      url: options.source.url,
      credentials: options.credentials,
      write: (bytes) => this.#connection?.write(bytes),
      onFrame: (channel, bytes, start, end) => this.#channels.frame(channel, bytes, start, end),
      keepaliveMethod: options.keepaliveMethod,
      now: () => performance.now(),
    });
  }

  /** Runs until aborted or broken; always throws. */
  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    const life = AbortSignal.any([signal, this.#ended.signal]);
    let base = this.#options.source.url;
    let reports: NodeJS.Timeout | undefined;
    try {
      this.#connection = await this.#connect(life);
      await this.#session.options(life);
      const description = await this.#session.describe(life);
      base = joinControl(description.base, description.sdp.control);
      const { selected, leftOut } = selectMedias(description.sdp);
      for (const { kind, codec, reason } of leftOut)
        this.#options.note(`Left out: ${kind} ${codec}, ${reason}.`);
      this.#setup = this.#newSetup(this.#connection);
      const tracks = await this.#setup.setUp(selected, description.base, life);
      this.#options.stats.transport = this.#options.isTunnelled ? 'http' : this.#setup.transport;
      await this.#play(tracks, base, sink, life);
      reports = setInterval(() => this.#report(tracks), RECEIVER_REPORT_MS);
      if (this.#setup.transport !== 'tcp') this.#watchUdp(this.#setup.transport);
      await this.#session.keepAlive(base, life);
      life.throwIfAborted();
    } catch (error) {
      throw life.aborted ? life.reason : error;
    } finally {
      clearInterval(reports);
      if (!this.#ended.signal.aborted) await this.#session.teardown(base);
      this.#close();
      sink.stop();
    }
  }

  /** The transport in use, or last tried. */
  get transport(): LowerTransport {
    return this.#setup?.transport ?? this.#options.transport;
  }

  /** What is wrong with the media, in plain words. */
  get notes(): readonly string[] {
    return this.#presentation?.notes ?? [];
  }

  /** Brings `stats` up to date. */
  readCounters(): void {
    this.#presentation?.readCounters(this.#options.stats);
  }

  /** How the session ended; undefined when it never played, or was ended by us while packets came. */
  sessionEnd(wasAborted: boolean): SessionEnd | undefined {
    if (this.#playedAtMs === undefined) return undefined;
    const nowMs = performance.now();
    const lastPacketMs = this.#presentation?.lastArrivalMs ?? this.#playedAtMs;
    if (wasAborted && nowMs - lastPacketMs < SILENCE_MS) return undefined;
    const { method, timeoutMs, sentAtMs, isAnswered } = this.#session.keepalive;
    const endedAtMs = wasAborted ? lastPacketMs : nowMs;
    return {
      ...{ method, timeoutMs, isAnswered },
      ageMs: endedAtMs - this.#playedAtMs,
      sinceKeepaliveMs: sentAtMs === undefined ? undefined : endedAtMs - sentAtMs,
    };
  }

  rtp(track: number, bytes: Uint8Array, start: number, end: number): void {
    this.#presentation?.rtp(track, bytes, start, end);
  }

  rtcp(track: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#presentation?.rtcp(track, bytes, start, end) !== true) return;
    this.failed(new ProtocolError('RTSP_BYE', 'the camera ended the stream (RTCP BYE)'));
  }

  /** Everything a peer can provoke ends this session, and nothing else. */
  failed(cause: Error): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(cause);
    this.#session.close(cause);
  }

  async #connect(signal: AbortSignal): Promise<RtspConnection> {
    const { source, tls, credentials, isTunnelled, note } = this.#options;
    if (tls?.insecure === true) {
      this.#context.log.warn('insecure: the certificate of the camera is NOT checked');
      note('The certificate of the camera is NOT checked (insecure).');
    }
    const handler = {
      read: (bytes: Uint8Array) => this.#read(bytes),
      ended: (error: Error) => this.failed(error),
    };
    return isTunnelled
      ? await connectThroughHttp({ source, tls, credentials }, handler, signal)
      : await connectRtsp({ source, tls }, handler, signal);
  }

  #read(bytes: Uint8Array): void {
    try {
      if (!this.#ended.signal.aborted) this.#session.push(bytes);
    } catch (error) {
      this.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #newSetup(connection: RtspConnection): TrackSetup {
    const { transport, mayChangeTransport, note } = this.#options;
    return new TrackSetup({
      ...{ connection, transport, mayChangeTransport, note },
      session: this.#session,
      channels: this.#channels,
      receiver: this,
      interface: this.#options.interface,
      log: this.#context.log,
    });
  }

  async #play(
    tracks: readonly PulledTrack[],
    base: string,
    sink: StreamSink,
    signal: AbortSignal,
  ): Promise<void> {
    const presentation = new RtpPresentation(
      tracks.map((track) => track.media),
      sink,
      () => performance.now(),
      randomInt(2 ** 32),
    );
    this.#presentation = presentation;
    const onRtpInfo = (rtpInfo: readonly RtpInfo[]) =>
      presentation.setOrigins(originsOf(tracks, rtpInfo));
    await this.#session.play(base, onRtpInfo, signal);
    this.#playedAtMs = performance.now();
    this.#options.played();
  }

  #watchUdp(transport: LowerTransport): void {
    const timer = setTimeout(() => {
      this.readCounters();
      if (this.#options.stats.receivedPackets > 0) return;
      this.failed(
        new TransportError(
          `no ${nameOf(transport)} packet within ${UDP_SILENCE_MS / 1000} s. A firewall may drop them; set transport: tcp`,
        ),
      );
    }, UDP_SILENCE_MS);
    this.#ended.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  #report(tracks: readonly PulledTrack[]): void {
    for (const [index, { path }] of tracks.entries()) {
      const report = this.#presentation?.receiverReport(index, path.headroom);
      if (report !== undefined) path.sendReport(report);
    }
  }

  #close(): void {
    this.failed(new Error('closed'));
    this.#connection?.close();
    this.#setup?.close();
  }
}

/** RTP-Info names tracks by URL; some cameras give relative or foreign ones, then order decides. */
function originsOf(
  tracks: readonly PulledTrack[],
  rtpInfo: readonly RtpInfo[],
): (number | undefined)[] {
  return tracks.map(({ url }, index) => {
    const named = rtpInfo.find(
      (info) => info.url === url || (info.url !== '' && url.endsWith(info.url)),
    );
    return (named ?? (rtpInfo.length === tracks.length ? rtpInfo[index] : undefined))?.rtpTimestamp;
  });
}
