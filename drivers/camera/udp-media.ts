/** The pair of UDP ports that takes one track's RTP and RTCP (RFC 3550 §11: even, and the next). */
import { openUdpReceiver, type UdpReceiver } from '../udp-receiver.ts';

const MAX_TRIES = 20;

export interface UdpMediaHandler {
  /** One packet, `bytes[start…end)`, valid during the call. What these two throw goes to `failed`. */
  rtp(bytes: Uint8Array, start: number, end: number): void;
  rtcp(bytes: Uint8Array, start: number, end: number): void;
  failed(error: Error): void;
}

export class UdpMedia {
  readonly port: number;
  readonly #rtp: UdpReceiver;
  readonly #rtcp: UdpReceiver;
  #peer: string | undefined;

  private constructor(rtp: UdpReceiver, rtcp: UdpReceiver) {
    this.port = rtp.port;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
  }

  static async open(family: 'udp4' | 'udp6', handler: UdpMediaHandler): Promise<UdpMedia> {
    const onError = (error: Error) => handler.failed(error);
    const onRtp: UdpMediaHandler['rtp'] = (bytes, start, end) => handler.rtp(bytes, start, end);
    const onRtcp: UdpMediaHandler['rtcp'] = (bytes, start, end) => handler.rtcp(bytes, start, end);
    const open = (port: number, onPacket: UdpMediaHandler['rtp']) =>
      openUdpReceiver({ family, port, accept: 'no-one', onPacket, onError });
    for (let n = 0; n < MAX_TRIES; n += 1) {
      const rtp = await open(0, onRtp);
      if (rtp.port % 2 === 0) {
        const rtcp = await open(rtp.port + 1, onRtcp).catch(() => undefined);
        if (rtcp !== undefined) return new UdpMedia(rtp, rtcp);
      }
      rtp.close();
    }
    throw new Error(`no pair of free UDP ports after ${MAX_TRIES} tries`);
  }

  /** From now on takes packets of this address only, and opens the way through a firewall or NAT. */
  open(address: string, rtpPort: number | undefined, rtcpPort: number | undefined): void {
    this.#peer = address;
    this.#rtp.acceptOnly(address);
    this.#rtcp.acceptOnly(address);
    // An empty receiver report (RFC 3550 §6.4.2) means nothing to the camera.
    const punch = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 0);
    if (rtpPort !== undefined) this.#rtp.send(punch, rtpPort, address);
    if (rtcpPort !== undefined) this.#rtcp.send(punch, rtcpPort, address);
  }

  sendRtcp(bytes: Uint8Array, port: number): void {
    if (this.#peer !== undefined) this.#rtcp.send(bytes, port, this.#peer);
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}
