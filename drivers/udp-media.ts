/**
 * The pair of UDP ports that takes one track's RTP and RTCP (RFC 3550 §11: even, and the next): ours alone,
 * or those of a group.
 */
import { performance } from 'node:perf_hooks';
import { ReorderWindow } from '../protocols/rtp/reorder-window.ts';
import { type MulticastGroup, openUdpReceiver, type UdpReceiver } from './udp-receiver.ts';

const MAX_TRIES = 20;

/** Who takes the packets of several tracks, `bytes[start…end)`, in order; they are valid during the call. */
export interface TrackReceiver {
  rtp(track: number, bytes: Uint8Array, start: number, end: number): void;
  rtcp(track: number, bytes: Uint8Array, start: number, end: number): void;
  failed(error: Error): void;
}

/** One of these tracks over UDP: its packets are put back into order on their way. */
export function orderedUdp(
  receiver: TrackReceiver,
  track: number,
  kind: 'video' | 'audio',
): UdpMediaHandler {
  const window = new ReorderWindow((bytes, start, end) => receiver.rtp(track, bytes, start, end));
  return {
    // Audio waits for a picture to ride with in any case (protocols/rtmp/media-writer.ts).
    rtpMayWait: kind === 'audio',
    rtp: (bytes, start, end) => window.push(bytes, start, end, performance.now()),
    rtcp: (bytes, start, end) => receiver.rtcp(track, bytes, start, end),
    failed: (error) => receiver.failed(error),
  };
}

export interface UdpMediaHandler {
  /** As `mayWait` in udp-receiver.ts; RTCP always may. */
  readonly rtpMayWait: boolean;
  /** One packet, `bytes[start…end)`, valid during the call. What these two throw goes to `failed`. */
  rtp(bytes: Uint8Array, start: number, end: number): void;
  rtcp(bytes: Uint8Array, start: number, end: number): void;
  failed(error: Error): void;
}

export interface MediaPorts {
  readonly family: 'udp4' | 'udp6';
  readonly port: number;
  readonly rtcpPort: number;
  /** The only sender; undefined: anyone. */
  readonly source: string | undefined;
}

export interface MediaGroup extends MediaPorts {
  readonly group: string;
  /** Its name or one of our addresses; undefined: as the kernel routes. */
  readonly interface: string | undefined;
}

export class UdpMedia {
  readonly port: number;
  readonly #rtp: UdpReceiver;
  readonly #rtcp: UdpReceiver;
  #peer: string | undefined;
  #peerRtpPort = 0;
  #rtcpPeer: { readonly address: string; readonly port: number } | undefined;

  private constructor(rtp: UdpReceiver, rtcp: UdpReceiver) {
    this.port = rtp.port;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
  }

  /** Takes nothing before `open`. */
  static async bind(family: 'udp4' | 'udp6', handler: UdpMediaHandler): Promise<UdpMedia> {
    const onError = (error: Error) => handler.failed(error);
    const onRtp: UdpMediaHandler['rtp'] = (bytes, start, end) => handler.rtp(bytes, start, end);
    const onRtcp: UdpMediaHandler['rtcp'] = (bytes, start, end) => handler.rtcp(bytes, start, end);
    const open = (port: number, mayWait: boolean, onPacket: UdpMediaHandler['rtp']) =>
      openUdpReceiver({ family, port, mayWait, accept: 'no-one', onPacket, onError });
    for (let n = 0; n < MAX_TRIES; n += 1) {
      const rtp = await open(0, handler.rtpMayWait, onRtp);
      if (rtp.port % 2 === 0) {
        const rtcp = await open(rtp.port + 1, true, onRtcp).catch(() => undefined);
        if (rtcp !== undefined) return new UdpMedia(rtp, rtcp);
      }
      rtp.close();
    }
    throw new Error(`no pair of free UDP ports after ${MAX_TRIES} tries`);
  }

  /** Takes what is sent to these ports of ours. */
  static async listen(ports: MediaPorts, handler: UdpMediaHandler): Promise<UdpMedia> {
    const media = await UdpMedia.#openBoth(ports, undefined, handler);
    try {
      if (ports.source !== undefined) media.open(ports.source, undefined, undefined);
      return media;
    } catch (error) {
      media.close();
      throw error;
    }
  }

  /** Joins a group; reports go to it, as RFC 3550 §6 has it. */
  static async join(joined: MediaGroup, handler: UdpMediaHandler): Promise<UdpMedia> {
    const { group, source, rtcpPort } = joined;
    const multicast = { group, source, interface: joined.interface };
    const media = await UdpMedia.#openBoth(joined, multicast, handler);
    media.#rtcpPeer = { address: group, port: rtcpPort };
    return media;
  }

  static async #openBoth(
    { family, port, rtcpPort }: MediaPorts,
    multicast: MulticastGroup | undefined,
    handler: UdpMediaHandler,
  ): Promise<UdpMedia> {
    const onError = (error: Error) => handler.failed(error);
    const rtp = await openUdpReceiver({
      ...{ family, port, multicast, onError, mayWait: handler.rtpMayWait },
      onPacket: (bytes, start, end) => handler.rtp(bytes, start, end),
    });
    try {
      const rtcp = await openUdpReceiver({
        ...{ family, port: rtcpPort, multicast, onError, mayWait: true },
        onPacket: (bytes, start, end) => handler.rtcp(bytes, start, end),
      });
      return new UdpMedia(rtp, rtcp);
    } catch (error) {
      rtp.close();
      throw error;
    }
  }

  /** From now on takes packets of this address only, and opens the way through a firewall or NAT. */
  open(address: string, rtpPort: number | undefined, rtcpPort: number | undefined): void {
    this.#rtp.acceptOnly(address);
    this.#rtcp.acceptOnly(address);
    // An empty receiver report (RFC 3550 §6.4.2) means nothing to the camera.
    const punch = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 0);
    if (rtpPort !== undefined) this.#rtp.send(punch, rtpPort, address);
    if (rtcpPort === undefined) return;
    this.#rtcpPeer = { address, port: rtcpPort };
    this.#rtcp.send(punch, rtcpPort, address);
  }

  /** From now on takes packets of this address only, and sends to these ports of it. */
  sendTo(address: string, rtpPort: number, rtcpPort: number): void {
    this.#rtp.acceptOnly(address);
    this.#rtcp.acceptOnly(address);
    this.#peer = address;
    this.#peerRtpPort = rtpPort;
    this.#rtcpPeer = { address, port: rtcpPort };
  }

  sendRtp(bytes: Uint8Array): void {
    if (this.#peer !== undefined) this.#rtp.send(bytes, this.#peerRtpPort, this.#peer);
  }

  sendRtcp(bytes: Uint8Array): void {
    if (this.#rtcpPeer === undefined) return;
    const { address, port } = this.#rtcpPeer;
    this.#rtcp.send(bytes, port, address);
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}
