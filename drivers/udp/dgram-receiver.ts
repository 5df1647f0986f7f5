/** UDP by Node's own sockets: one event per packet. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { UdpReceiver, UdpReceiverOptions } from '../udp-receiver.ts';

/**
 * An IDR picture at 4K waits here while the process is busy elsewhere. Linux doubles the figure for its own
 * overhead and gives no more than net.core.rmem_max, which is often 208 KiB.
 */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;

/** `multicast.interface` is an address of ours, or `::%name`. */
export async function openDgramReceiver(options: UdpReceiverOptions): Promise<UdpReceiver> {
  const { family, port, address, multicast } = options;
  const socket = createSocket({
    type: family,
    reuseAddr: multicast !== undefined,
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  try {
    socket.bind(port, address);
    await once(socket, 'listening');
    if (multicast?.source !== undefined) {
      const { source, group } = multicast;
      socket.addSourceSpecificMembership(source, group, multicast.interface);
    } else if (multicast !== undefined) {
      socket.addMembership(multicast.group, multicast.interface);
    }
  } catch (error) {
    socket.close();
    throw error;
  }
  return new DgramReceiver(socket, options);
}

class DgramReceiver implements UdpReceiver {
  readonly port: number;
  readonly #socket: Socket;
  #acceptsAnyone: boolean;
  #sender: string | undefined;

  constructor(socket: Socket, { accept, onPacket, onError }: UdpReceiverOptions) {
    this.#socket = socket;
    this.#acceptsAnyone = accept !== 'no-one';
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
    this.#socket.send(bytes, port, address, ignore);
  }

  close(): void {
    this.#socket.close();
  }
}

function ignore(): void {}
