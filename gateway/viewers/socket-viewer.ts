/** A viewer at the other end of a socket, which all frames are written to as they are. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { canBeSentTo } from '../../drivers/send-to-all.ts';
import type { Viewer } from './fan-out.ts';

/** As long as proxypublish holds its sessions: a camera that is rebooted, an encoder that is restarted. */
const HOLD_OFFLINE_MS = 15_000;

export class SocketViewer implements Viewer {
  readonly holdsCopies: boolean;
  readonly socket: Socket | undefined;
  readonly #socket: Socket;
  readonly #endOfStream: () => void;
  #offline: NodeJS.Timeout | undefined;

  /** `endOfStream`: the source has been away for long; ends the connection in the transport's own way. */
  constructor(socket: Socket, endOfStream: () => void) {
    this.#socket = socket;
    this.#endOfStream = endOfStream;
    this.holdsCopies = socket instanceof TLSSocket;
    this.socket = canBeSentTo(socket) ? socket : undefined;
    socket.once('close', () => clearTimeout(this.#offline));
  }

  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  sourceChanged(isOnline: boolean): void {
    clearTimeout(this.#offline);
    if (isOnline || this.#socket.destroyed) return;
    this.#offline = setTimeout(this.#endOfStream, HOLD_OFFLINE_MS);
  }

  /** What waits in the socket would keep it open: nobody takes it. */
  close(): void {
    this.#socket.destroy();
  }
}
