/** UDP by Node's own sockets: one event per packet. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { UdpReceiver } from '../udp-receiver.ts';
import { type Membership, RECEIVE_BUFFER_BYTES, type UdpBinding } from './udp-binding.ts';

export async function openDgramReceiver(binding: UdpBinding): Promise<UdpReceiver> {
  const { family, port, address, membership } = binding;
  const socket = createSocket({
    type: family,
    reuseAddr: membership !== undefined,
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  try {
    socket.bind(port, address);
    await once(socket, 'listening');
    if (membership !== undefined) join(socket, family, membership);
  } catch (error) {
    socket.close();
    throw error;
  }
  return new DgramReceiver(socket, binding);
}

function join(socket: Socket, family: 'udp4' | 'udp6', membership: Membership): void {
  const { group, source, through } = membership;
  const link = family === 'udp6' && through !== undefined ? `::%${through.name}` : through?.address;
  if (source === undefined) socket.addMembership(group, link);
  else socket.addSourceSpecificMembership(source, group, link);
  // Reports to a group go out where its media comes in.
  if (link !== undefined) socket.setMulticastInterface(link);
}

class DgramReceiver implements UdpReceiver {
  readonly port: number;
  readonly #socket: Socket;
  #isClosed = false;
  #acceptsAnyone: boolean;
  #sender: string | undefined;

  constructor(socket: Socket, { acceptsAnyone, onPacket, onError }: UdpBinding) {
    this.#socket = socket;
    this.#acceptsAnyone = acceptsAnyone;
    this.port = socket.address().port;
    socket.on('message', (bytes, { address }) => {
      if (!this.#acceptsAnyone && address !== this.#sender) return;
      try {
        onPacket(bytes, 0, bytes.length);
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('error', onError);
  }

  acceptOnly(address: string): void {
    this.#acceptsAnyone = false;
    this.#sender = address;
  }

  send(bytes: Uint8Array, port: number, address: string): void {
    if (!this.#isClosed) this.#socket.send(bytes, port, address, ignore);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}

function ignore(): void {}
