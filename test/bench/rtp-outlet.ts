/** Where the packets of one track go: interleaved into the RTSP connection, or to the viewer's UDP ports. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { INTERLEAVED_HEADER } from './rtp-burst.ts';

const MAX_PORT_TRIES = 50;

/** What is sent has interleaved headers; over UDP they are left out. */
export interface RtpOutlet {
  /** The header of the answer to SETUP. */
  readonly transport: string;
  /** What the viewer has not taken yet. While it is not 0, the memory last sent is being read. */
  readonly behindBytes: number;
  sendPackets(bytes: Buffer, offsets: readonly number[]): void;
  sendReport(bytes: Buffer): void;
  close(): void;
}

export class InterleavedOutlet implements RtpOutlet {
  readonly transport: string;
  readonly #socket: Socket;
  readonly #channel: number;

  constructor(socket: Socket, channel: number) {
    this.#socket = socket;
    this.#channel = channel;
    this.transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
  }

  get behindBytes(): number {
    return this.#socket.writableLength;
  }

  sendPackets(bytes: Buffer, offsets: readonly number[]): void {
    for (const offset of offsets) bytes[offset + 1] = this.#channel;
    this.#socket.write(bytes);
  }

  sendReport(bytes: Buffer): void {
    bytes[1] = this.#channel + 1;
    this.#socket.write(bytes);
  }

  close(): void {}
}

export class UdpOutlet implements RtpOutlet {
  readonly transport: string;
  readonly #rtp: UdpSocket;
  readonly #rtcp: UdpSocket;

  private constructor(rtp: UdpSocket, rtcp: UdpSocket, clientPorts: string) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    const serverPorts = `${rtp.address().port}-${rtcp.address().port}`;
    this.transport = `RTP/AVP;unicast;client_port=${clientPorts};server_port=${serverPorts}`;
  }

  static async open(rtpPort: number, rtcpPort: number): Promise<UdpOutlet> {
    for (let n = 0; n < MAX_PORT_TRIES; n += 1) {
      const rtp = await bind(0);
      const port = rtp.address().port;
      const rtcp = port % 2 === 0 ? await bind(port + 1).catch(() => undefined) : undefined;
      if (rtcp === undefined) {
        rtp.close();
        continue;
      }
      await connectTo(rtp, rtpPort);
      await connectTo(rtcp, rtcpPort);
      return new UdpOutlet(rtp, rtcp, `${rtpPort}-${rtcpPort}`);
    }
    throw new Error('no pair of free ports');
  }

  get behindBytes(): number {
    return this.#rtp.getSendQueueSize();
  }

  sendPackets(bytes: Buffer, offsets: readonly number[]): void {
    for (const [index, offset] of offsets.entries()) {
      const end = offsets[index + 1] ?? bytes.length;
      this.#rtp.send(bytes, offset + INTERLEAVED_HEADER, end - offset - INTERLEAVED_HEADER);
    }
  }

  sendReport(bytes: Buffer): void {
    this.#rtcp.send(bytes.subarray(INTERLEAVED_HEADER));
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}

async function bind(port: number): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** A connected socket sends at once; any other looks the address up first, in a turn of its own. */
async function connectTo(socket: UdpSocket, port: number): Promise<void> {
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined); // The viewer has gone, says ICMP.
}
