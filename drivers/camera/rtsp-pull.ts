/** One connection to an RTSP camera, from connect to teardown. */
import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { ProtocolError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { type SelectedMedia, selectMedias } from '../../protocols/rtp/media-selection.ts';
import { ReorderWindow } from '../../protocols/rtp/reorder-window.ts';
import { RtpPresentation } from '../../protocols/rtp/rtp-presentation.ts';
import { joinControl } from '../../protocols/rtsp/control-url.ts';
import { RtspSession } from '../../protocols/rtsp/rtsp-session.ts';
import type { RtpInfo, TransportAnswer } from '../../protocols/rtsp/transport.ts';
import type { SourceUrl } from '../../protocols/source-url.ts';
import { dial } from '../dial.ts';
import type { Credentials, DriverContext, SourceStats } from '../driver.ts';
import type { TlsTrust } from '../tls-trust.ts';
import { SHARED_READ_BUFFER } from './shared-read-buffer.ts';
import { UdpMedia } from './udp-media.ts';

/** After PLAY the first UDP packet comes at once, or a firewall drops them all. */
const UDP_SILENCE_MS = 3_000;
const RECEIVER_REPORT_MS = 5_000;
const UNSUPPORTED_TRANSPORT = 461;
const CHANNELS = 256;
const NO_TRACK = -1;
const INTERLEAVED_HEADER_BYTES = 4;

export interface RtspPullOptions {
  readonly source: SourceUrl;
  readonly credentials: Credentials | undefined;
  /** The one to ask for first. */
  readonly transport: 'tcp' | 'udp';
  /** Whether a camera that refuses it may be asked for the other. */
  readonly mayChangeTransport: boolean;
  /** Given: the connection is TLS. */
  readonly tls: TlsTrust | undefined;
  readonly stats: SourceStats;
}

/** The chosen transport does not work here; another may. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
}

interface PulledTrack {
  readonly media: SelectedMedia;
  readonly url: string;
  readonly udp: UdpMedia | undefined;
  readonly answer: TransportAnswer;
  readonly rtcpChannel: number;
}

export class RtspPull {
  readonly #options: RtspPullOptions;
  readonly #context: DriverContext;
  readonly #session: RtspSession;
  /** Aborted with the error that ended the connection. */
  readonly #ended = new AbortController();
  /** Per interleaved channel: twice the track's index, plus one for RTCP. */
  readonly #channelTracks = new Int16Array(CHANNELS).fill(NO_TRACK);
  readonly #udp: UdpMedia[] = [];
  readonly #notes = new Set<string>();
  #transport: 'tcp' | 'udp';
  #socket: Socket | undefined;
  #presentation: RtpPresentation | undefined;

  constructor(options: RtspPullOptions, context: DriverContext) {
    this.#options = options;
    this.#transport = options.transport;
    this.#context = context;
    this.#session = new RtspSession({
      url: options.source.url,
      credentials: options.credentials,
      write: (bytes) => this.#socket?.write(bytes),
      onFrame: (channel, bytes, start, end) => this.#frame(channel, bytes, start, end),
    });
  }

  /** Runs until aborted or broken; always throws. */
  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    const life = AbortSignal.any([signal, this.#ended.signal]);
    let base = this.#options.source.url;
    let reports: NodeJS.Timeout | undefined;
    try {
      await this.#connect(life);
      await this.#session.options(life);
      const description = await this.#session.describe(life);
      base = joinControl(description.base, description.sdp.control);
      const { selected, leftOut } = selectMedias(description.sdp);
      for (const { kind, codec, reason } of leftOut)
        this.#note(`Left out: ${kind} ${codec}, ${reason}.`);
      const tracks = await this.#setUp(selected, description.base, life);
      const presentation = new RtpPresentation(
        tracks.map((track) => track.media),
        sink,
        () => performance.now(),
        randomInt(2 ** 32),
      );
      this.#presentation = presentation;
      const onRtpInfo = (rtpInfo: readonly RtpInfo[]) =>
        presentation.setOrigins(originsOf(tracks, rtpInfo));
      await this.#session.play(base, onRtpInfo, life);
      reports = setInterval(() => this.#report(tracks), RECEIVER_REPORT_MS);
      if (tracks.some((track) => track.udp !== undefined)) this.#watchUdp();
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
  get transport(): 'tcp' | 'udp' {
    return this.#transport;
  }

  /** In plain words, each once. */
  get notes(): readonly string[] {
    return [...this.#notes, ...(this.#presentation?.notes ?? [])];
  }

  /** Brings `stats` up to date. */
  readCounters(): void {
    this.#presentation?.readCounters(this.#options.stats);
  }

  #note(words: string): void {
    if (this.#notes.has(words)) return;
    this.#notes.add(words);
    this.#context.log.info({ note: words }, 'noted');
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { source, tls } = this.#options;
    if (tls?.insecure === true) {
      this.#context.log.warn('insecure: the certificate of the camera is NOT checked');
      this.#note('The certificate of the camera is NOT checked (insecure).');
    }
    const onread = {
      buffer: SHARED_READ_BUFFER,
      callback: (byteLength: number) => this.#read(SHARED_READ_BUFFER.subarray(0, byteLength)),
    };
    const socket = await dial({ host: source.host, port: source.port, tls, onread }, signal);
    this.#socket = socket;
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(closedByCamera()));
    socket.on('end', () => this.#end(closedByCamera()));
  }

  /** Everything a peer can provoke ends this connection, and nothing else. */
  #read(bytes: Uint8Array): boolean {
    try {
      if (!this.#ended.signal.aborted) this.#session.push(bytes);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #frame(channel: number, bytes: Uint8Array, start: number, end: number): void {
    const track = this.#channelTracks[channel] ?? NO_TRACK;
    if (track === NO_TRACK) return;
    if ((track & 1) === 0) this.#presentation?.rtp(track >> 1, bytes, start, end);
    else this.#rtcp(track >> 1, bytes, start, end);
  }

  #rtcp(index: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#presentation?.rtcp(index, bytes, start, end) !== true) return;
    this.#end(new ProtocolError('RTSP_BYE', 'the camera ended the stream (RTCP BYE)'));
  }

  async #setUp(
    medias: readonly SelectedMedia[],
    base: string,
    signal: AbortSignal,
  ): Promise<PulledTrack[]> {
    const tracks: PulledTrack[] = [];
    for (const media of medias) {
      const url = joinControl(base, media.media.control);
      try {
        tracks.push(await this.#setUpByEither(tracks.length, media, url, signal));
      } catch (error) {
        if (!isAudioRefused(media, error) || medias.length === 1) throw error;
        this.#context.log.debug({ err: error }, 'audio refused');
        this.#note('Left out: audio, because the camera refuses it.');
      }
    }
    this.#options.stats.transport = this.#transport;
    return tracks;
  }

  /**
   * A camera that refuses the transport of the first track is asked for the other one, on the same
   * connection: some have no session to spare for a second.
   */
  async #setUpByEither(
    index: number,
    media: SelectedMedia,
    url: string,
    signal: AbortSignal,
  ): Promise<PulledTrack> {
    try {
      return await this.#setUpTrack(index, media, url, signal);
    } catch (err) {
      const isRefused = err instanceof ProtocolError && err.status === UNSUPPORTED_TRANSPORT;
      if (!isRefused || index > 0 || !this.#options.mayChangeTransport) throw err;
      this.#transport = this.#transport === 'tcp' ? 'udp' : 'tcp';
      this.#context.log.info({ transport: this.#transport, err }, 'changing transport');
      return await this.#setUpTrack(index, media, url, signal);
    }
  }

  async #setUpTrack(
    index: number,
    media: SelectedMedia,
    url: string,
    signal: AbortSignal,
  ): Promise<PulledTrack> {
    const channel = index * 2;
    if (this.#transport === 'tcp') {
      const answer = await this.#session.setup(url, { lower: 'tcp', channel }, signal);
      if (answer.lower !== 'tcp') {
        throw new TransportError('the camera answered the request for TCP with UDP');
      }
      const rtcpChannel = this.#mapChannels(index, answer, channel);
      return { media, url, udp: undefined, answer, rtcpChannel };
    }
    const udp = await this.#openUdp(index);
    const answer = await this.#session.setup(url, { lower: 'udp', port: udp.port }, signal);
    if (answer.lower === 'tcp') {
      throw new TransportError('the camera answered the request for UDP with TCP');
    }
    const address = this.#socket?.remoteAddress ?? this.#options.source.host;
    udp.open(address, answer.serverPort, answer.serverRtcpPort);
    return { media, url, udp, answer, rtcpChannel: NO_TRACK };
  }

  /** The camera's choice of channels counts, not ours. Returns the one for RTCP. */
  #mapChannels(index: number, answer: TransportAnswer, asked: number): number {
    // Some cameras answer every SETUP with 0-1, and then send on the channels that were asked for.
    const isTaken =
      answer.channel !== undefined && this.#channelTracks[answer.channel] !== NO_TRACK;
    const rtp = isTaken ? asked : (answer.channel ?? asked);
    const rtcp = isTaken ? asked + 1 : (answer.rtcpChannel ?? rtp + 1);
    this.#channelTracks[rtp] = index * 2;
    this.#channelTracks[rtcp] = index * 2 + 1;
    this.#session.expectChannels(rtp, rtcp);
    return rtcp;
  }

  async #openUdp(index: number): Promise<UdpMedia> {
    const window = new ReorderWindow((bytes, start, end) => {
      this.#presentation?.rtp(index, bytes, start, end);
    });
    const family = this.#socket?.remoteFamily === 'IPv6' ? 'udp6' : 'udp4';
    const udp = await UdpMedia.open(family, {
      rtp: (bytes, start, end) => window.push(bytes, start, end, performance.now()),
      rtcp: (bytes, start, end) => this.#rtcp(index, bytes, start, end),
      failed: (error) => this.#end(error),
    });
    this.#udp.push(udp);
    return udp;
  }

  #watchUdp(): void {
    const timer = setTimeout(() => {
      this.readCounters();
      if (this.#options.stats.receivedPackets > 0) return;
      this.#end(
        new TransportError(
          `no UDP packet within ${UDP_SILENCE_MS / 1000} s. A firewall may drop them; set transport: tcp`,
        ),
      );
    }, UDP_SILENCE_MS);
    this.#ended.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  #report(tracks: readonly PulledTrack[]): void {
    for (const [index, track] of tracks.entries()) {
      const headroom = track.udp === undefined ? INTERLEAVED_HEADER_BYTES : 0;
      const report = this.#presentation?.receiverReport(index, headroom);
      if (report === undefined) continue;
      const port = track.answer.serverRtcpPort;
      if (track.udp !== undefined) {
        if (port !== undefined) track.udp.sendRtcp(report, port);
        continue;
      }
      const length = report.length - INTERLEAVED_HEADER_BYTES;
      report.set([0x24, track.rtcpChannel, length >> 8, length & 0xff]);
      this.#socket?.write(report);
    }
  }

  #end(cause: Error): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(cause);
    this.#session.close(cause);
  }

  #close(): void {
    this.#end(new Error('closed'));
    this.#socket?.destroy();
    for (const udp of this.#udp) udp.close();
  }
}

/** Not what concerns the transport or the session as a whole: 461, 454. */
function isAudioRefused(media: SelectedMedia, error: unknown): boolean {
  const status = error instanceof ProtocolError ? error.status : undefined;
  return media.kind === 'audio' && status !== undefined && status !== 461 && status !== 454;
}

function closedByCamera(): Error {
  return Object.assign(new Error('the camera closed the connection'), { code: 'ECONNRESET' });
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
