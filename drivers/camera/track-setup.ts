/** SETUP of the tracks of one RTSP session: which transport, which ports, channels or groups. */
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import { ProtocolError } from '../../codecs/errors.ts';
import type { SelectedMedia } from '../../protocols/rtp/media-selection.ts';
import { joinControl } from '../../protocols/rtsp/control-url.ts';
import type { RtspSession } from '../../protocols/rtsp/rtsp-session.ts';
import {
  isMulticastAddress,
  type TransportAnswer,
  type TransportRequest,
} from '../../protocols/rtsp/transport.ts';
import { orderedUdp, type TrackReceiver, UdpMedia } from '../udp-media.ts';
import {
  type InterleavedChannels,
  interleavedPath,
  type MediaPath,
  udpPath,
} from './media-path.ts';
import type { RtspConnection } from './rtsp-connection.ts';

const UNSUPPORTED_TRANSPORT = 461;
const SESSION_NOT_FOUND = 454;

/** How RTP comes, as far as SETUP knows: through a tunnel it is interleaved. */
export type LowerTransport = TransportRequest['lower'];

/** What is asked for next when one does not work. */
export function nextTransport(transport: LowerTransport): LowerTransport {
  return transport === 'tcp' ? 'udp' : transport === 'udp' ? 'multicast' : 'tcp';
}

/** The chosen transport does not work here; another may. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
}

export interface PulledTrack {
  readonly media: SelectedMedia;
  readonly url: string;
  readonly path: MediaPath;
}

export interface TrackSetupOptions {
  readonly session: RtspSession;
  readonly connection: RtspConnection;
  readonly channels: InterleavedChannels;
  readonly receiver: TrackReceiver;
  /** The one to ask for first. */
  readonly transport: LowerTransport;
  /** Whether a camera that refuses it may be asked for the others. */
  readonly mayChangeTransport: boolean;
  /** For multicast. */
  readonly interface: string | undefined;
  readonly note: (words: string) => void;
  readonly log: Logger;
}

export class TrackSetup {
  readonly #options: TrackSetupOptions;
  readonly #udp: UdpMedia[] = [];
  #transport: LowerTransport;

  constructor(options: TrackSetupOptions) {
    this.#options = options;
    this.#transport = options.transport;
  }

  /** The transport in use, or last tried. */
  get transport(): LowerTransport {
    return this.#transport;
  }

  async setUp(
    medias: readonly SelectedMedia[],
    base: string,
    signal: AbortSignal,
  ): Promise<PulledTrack[]> {
    const tracks: PulledTrack[] = [];
    for (const media of medias) {
      const url = joinControl(base, media.media.control);
      try {
        const path = await this.#setUpByAny(tracks.length, media, url, signal);
        tracks.push({ media, url, path });
      } catch (error) {
        if (!isAudioRefused(media, error) || medias.length === 1) throw error;
        this.#options.log.debug({ err: error }, 'audio refused');
        this.#options.note('Left out: audio, because the camera refuses it.');
      }
    }
    return tracks;
  }

  close(): void {
    for (const udp of this.#udp) udp.close();
  }

  /**
   * A camera that refuses the transport of the first track is asked for the others, on the same
   * connection: some have no session to spare for a second.
   */
  async #setUpByAny(
    index: number,
    media: SelectedMedia,
    url: string,
    signal: AbortSignal,
  ): Promise<MediaPath> {
    const first = this.#transport;
    for (;;) {
      try {
        return await this.#setUpTrack(index, media, url, signal);
      } catch (err) {
        const isRefused = err instanceof ProtocolError && err.status === UNSUPPORTED_TRANSPORT;
        if (!isRefused || index > 0 || !this.#options.mayChangeTransport) throw err;
        const refused = this.#transport;
        this.#transport = nextTransport(refused);
        if (this.#transport === first) throw err;
        this.#options.log.info({ transport: this.#transport, err }, 'changing transport');
        this.#options.note(`The camera refuses ${nameOf(refused)}.`);
      }
    }
  }

  async #setUpTrack(
    index: number,
    media: SelectedMedia,
    url: string,
    signal: AbortSignal,
  ): Promise<MediaPath> {
    const { session, connection, receiver } = this.#options;
    const channel = index * 2;
    const asked = this.#transport;
    const udp =
      asked === 'udp'
        ? this.#keep(
            await UdpMedia.bind(connection.family, orderedUdp(receiver, index, media.kind)),
          )
        : undefined;
    const answer = await session.setup(url, requestOf(asked, channel, udp), signal);
    if (answer.lower !== asked) this.#takeOther(answer, index);
    switch (answer.lower) {
      case 'tcp':
        return this.#interleaved(index, answer, channel);
      case 'udp':
        // Only what was asked for has ports of ours.
        if (udp === undefined) throw answeredOther(asked, 'udp');
        udp.open(connection.address, answer.serverPort, answer.serverRtcpPort);
        return udpPath(udp);
      case 'multicast':
        return await this.#join(index, media, answer);
    }
  }

  #keep(udp: UdpMedia): UdpMedia {
    this.#udp.push(udp);
    return udp;
  }

  /** Some cameras answer with another transport than was asked for, and mean it. */
  #takeOther({ lower }: TransportAnswer, index: number): void {
    const asked = this.#transport;
    if (index > 0 || !this.#options.mayChangeTransport) throw answeredOther(asked, lower);
    if (lower === 'udp') throw answeredOther(asked, lower);
    this.#transport = lower;
    this.#options.note(`The camera answers ${nameOf(lower)} to the request for ${nameOf(asked)}.`);
  }

  #interleaved(index: number, answer: TransportAnswer, asked: number): MediaPath {
    const [rtp, rtcp] = this.#options.channels.assign(index, answer, asked);
    this.#options.session.expectChannels(rtp, rtcp);
    return interleavedPath(this.#options.connection, rtcp);
  }

  /** Where the answer is silent, the description tells (RFC 2326 §C.1.7). */
  async #join(
    index: number,
    { media, kind }: SelectedMedia,
    answer: TransportAnswer,
  ): Promise<MediaPath> {
    const group = [answer.destination, media.address].find(isMulticastAddress);
    const port = answer.port ?? answer.serverPort ?? media.port;
    if (group === undefined || port === 0) {
      throw new TransportError('the camera names no group to join for multicast');
    }
    const udp = await UdpMedia.join(
      {
        family: group.includes(':') ? 'udp6' : 'udp4',
        group,
        port,
        rtcpPort: answer.rtcpPort ?? port + 1,
        interface: this.#options.interface,
        source: senderOf(answer) ?? media.sources[0],
      },
      orderedUdp(this.#options.receiver, index, kind),
    );
    return udpPath(this.#keep(udp));
  }
}

/** Cameras write names and 0.0.0.0 there, too. */
function senderOf({ source = '' }: TransportAnswer): string | undefined {
  return isIP(source) === 0 || /^[0:.]*$/.test(source) ? undefined : source;
}

function requestOf(
  lower: LowerTransport,
  channel: number,
  udp: UdpMedia | undefined,
): TransportRequest {
  if (udp !== undefined) return { lower: 'udp', port: udp.port };
  return lower === 'multicast' ? { lower } : { lower: 'tcp', channel };
}

function answeredOther(asked: LowerTransport, answered: LowerTransport): TransportError {
  return new TransportError(
    `the camera answered the request for ${nameOf(asked)} with ${nameOf(answered)}`,
  );
}

export function nameOf(transport: LowerTransport): string {
  return transport === 'multicast' ? 'multicast' : transport.toUpperCase();
}

/** Not what concerns the transport or the session as a whole. */
function isAudioRefused(media: SelectedMedia, error: unknown): boolean {
  const status = error instanceof ProtocolError ? error.status : undefined;
  return (
    media.kind === 'audio' &&
    status !== undefined &&
    status !== UNSUPPORTED_TRANSPORT &&
    status !== SESSION_NOT_FOUND
  );
}
