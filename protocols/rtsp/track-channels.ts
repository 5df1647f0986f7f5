/** Which interleaved channel carries what: RFC 2326 §10.12. */
import { RtspError } from './rtsp-error.ts';
import type { TrackTransport } from './server-host.ts';
import type { TransportOffer } from './transport.ts';

const CHANNELS = 256;
const NO_TRACK = -1;

export class TrackChannels {
  /** Per channel: twice the track's index, plus one for RTCP. */
  readonly #tracks = new Int16Array(CHANNELS).fill(NO_TRACK);

  /** In place of those that the track had. */
  set(track: number, channel: number, rtcpChannel: number): void {
    for (const [at, of] of this.#tracks.entries()) {
      if (of >> 1 === track) this.#tracks[at] = NO_TRACK;
    }
    this.#tracks[channel] = track * 2;
    this.#tracks[rtcpChannel] = track * 2 + 1;
  }

  clear(): void {
    this.#tracks.fill(NO_TRACK);
  }

  /** Whose packets come on it; undefined: nobody's. */
  rtpTrack(channel: number): number | undefined {
    const of = this.#tracks[channel] ?? NO_TRACK;
    return of === NO_TRACK || (of & 1) !== 0 ? undefined : of >> 1;
  }

  rtcpTrack(channel: number): number | undefined {
    const of = this.#tracks[channel] ?? NO_TRACK;
    return of === NO_TRACK || (of & 1) === 0 ? undefined : of >> 1;
  }
}

/** The client's channels count, if they are free; without any it gets the next two. `transports`: those there are, by track. */
export function transportFor(
  offer: TransportOffer,
  transports: ReadonlyMap<number, TrackTransport>,
  track: number,
): TrackTransport {
  if (offer.lower === 'udp') {
    const [port, rtcpPort] = offer.ports;
    return { lower: 'udp', port, rtcpPort };
  }
  const others = [...transports].filter(([other]) => other !== track).map(([, each]) => each);
  const taken = new Set(
    others.flatMap((each) => (each.lower === 'tcp' ? [each.channel, each.rtcpChannel] : [])),
  );
  let [channel, rtcpChannel] = offer.channels ?? [0, 1];
  while (offer.channels === undefined && taken.has(channel)) {
    channel += 2;
    rtcpChannel += 2;
  }
  if (taken.has(channel) || taken.has(rtcpChannel) || channel === rtcpChannel) {
    throw new RtspError(400);
  }
  return { lower: 'tcp', channel, rtcpChannel };
}
