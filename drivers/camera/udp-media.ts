/** The pair of UDP ports that takes one track's RTP and RTCP (RFC 3550 §11: even, and the next). */
import { createSocket, type Socket } from 'node:dgram';

const MAX_TRIES = 20;
/** A burst of an IDR picture waits here while the process is busy elsewhere. */
const RECEIVE_BUFFER_BYTES = 1024 * 1024;

export interface UdpMediaHandler {
  rtp(bytes: Uint8Array): void;
  rtcp(bytes: Uint8Array): void;
  failed(error: Error): void;
}

export class UdpMedia {
  readonly port: number;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  #peer: string | undefined;

  private constructor(rtp: Socket, rtcp: Socket, port: number, handler: UdpMediaHandler) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.port = port;
    rtp.on('message', (bytes, { address }) => {
      if (address === this.#peer) handler.rtp(bytes);
    });
    rtcp.on('message', (bytes, { address }) => {
      if (address === this.#peer) handler.rtcp(bytes);
    });
    rtp.on('error', (error) => handler.failed(error));
    rtcp.on('error', (error) => handler.failed(error));
  }

  static async open(family: 'udp4' | 'udp6', handler: UdpMediaHandler): Promise<UdpMedia> {
    for (let n = 0; n < MAX_TRIES; n += 1) {
      const rtp = await bind(family, 0);
      const port = rtp?.address().port ?? 1;
      const rtcp = port % 2 === 0 ? await bind(family, port + 1) : undefined;
      if (rtp !== undefined && rtcp !== undefined) return new UdpMedia(rtp, rtcp, port, handler);
      rtp?.close();
    }
    throw new Error(`no pair of free UDP ports after ${MAX_TRIES} tries`);
  }

  /** From now on takes packets of this address only, and opens the way through a firewall or NAT. */
  open(address: string, rtpPort: number | undefined, rtcpPort: number | undefined): void {
    this.#peer = address;
    // An empty receiver report (RFC 3550 §6.4.2) means nothing to the camera.
    const punch = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 0);
    if (rtpPort !== undefined) this.#rtp.send(punch, rtpPort, address, ignore);
    if (rtcpPort !== undefined) this.#rtcp.send(punch, rtcpPort, address, ignore);
  }

  sendRtcp(bytes: Uint8Array, port: number): void {
    if (this.#peer !== undefined) this.#rtcp.send(bytes, port, this.#peer, ignore);
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}

/** A report that cannot be sent is made good by the next one. */
function ignore(): void {}

/** Undefined when the port is taken. */
function bind(type: 'udp4' | 'udp6', port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind(port, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
