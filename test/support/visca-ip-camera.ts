/** A camera that is told VISCA over IP, and answers as a script has it. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { hex, toHex } from './hex.ts';
import { ScriptedVisca, type ViscaScript } from './scripted-visca.ts';

/** One of our own, so that the port is nobody else's. */
export const BARE_HOST = '127.52.12.59';

/** Called before a datagram is looked at; its datagrams are sent in place of the usual answers. */
export type DatagramScript = (datagram: string) => readonly Uint8Array[] | undefined;

export class ViscaIpCamera {
  /** All datagrams, in hex. */
  readonly datagrams: string[] = [];
  readonly head: ScriptedVisca;
  script: DatagramScript | undefined;
  readonly #socket: Socket;
  readonly #isBare: boolean;

  private constructor(socket: Socket, script: ViscaScript | undefined, isBare: boolean) {
    this.#isBare = isBare;
    this.#socket = socket;
    this.head = new ScriptedVisca(1, script);
    socket.on('message', (datagram, { port, address }) => {
      for (const answer of this.#answers(datagram)) socket.send(answer, port, address);
    });
  }

  /** `isBare`: on port 1259, where there are no headers. */
  static async listen(script?: ViscaScript, isBare = false): Promise<ViscaIpCamera> {
    const socket = createSocket('udp4');
    if (isBare) socket.bind(1259, BARE_HOST);
    else socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new ViscaIpCamera(socket, script, isBare);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Numbers of the messages that were no resets. */
  get sequences(): number[] {
    return this.datagrams
      .filter((datagram) => datagram.startsWith('01'))
      .map((datagram) => Number.parseInt(datagram.slice(8, 16), 16));
  }

  close(): void {
    this.#socket.close();
  }

  #answers(datagram: Uint8Array): readonly Uint8Array[] {
    const text = toHex(datagram);
    this.datagrams.push(text);
    const scripted = this.script?.(text);
    if (scripted !== undefined) return scripted;
    if (this.#isBare) return this.head.hear(datagram);
    const sequence = text.slice(8, 16);
    if (text.startsWith('0200')) return [hex`0201 0001 ${sequence} 01`];
    return this.head.hear(datagram.subarray(8)).map((packet) => viscaIpReply(sequence, packet));
  }
}

/** `sequence`: eight hex digits. */
export function viscaIpReply(sequence: string, packet: Uint8Array): Uint8Array {
  return hex`0111 00${packet.length.toString(16).padStart(2, '0')} ${sequence} ${toHex(packet)}`;
}
