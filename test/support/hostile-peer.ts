/** A TCP server that speaks no protocol, or half of one. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Past every limit on a message; a client that keeps all of it would be seen to grow. */
const FLOOD_BYTES = 32 * 1024 * 1024;
const NOISE_BYTES = 64 * 1024;

/** Says what it has to say, once, to a client that has connected or sent its first bytes. */
type Behaviour = (socket: Socket) => void;

export class HostilePeer {
  /** Connections so far. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(behave: Behaviour) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined); // clients that have heard enough reset the connection
      behave(socket);
    });
  }

  static async listen(behave: Behaviour): Promise<HostilePeer> {
    const peer = new HostilePeer(behave);
    peer.#server.listen(0, '127.0.0.1');
    await once(peer.#server, 'listening');
    return peer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Takes connections and says nothing, ever. */
export function mute(socket: Socket): void {
  socket.resume();
}

export function hangUp(socket: Socket): void {
  socket.destroy();
}

export function webServer(socket: Socket): void {
  socket.once('data', () => {
    socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry');
  });
}

export function noise(socket: Socket): void {
  socket.resume();
  socket.write(noiseBytes());
}

/** An answer whose header never ends. */
export function endlessHeader(socket: Socket): void {
  socket.once('data', () => {
    socket.resume();
    socket.write('RTSP/1.0 200 OK\r\nCSeq: 1\r\nX: ');
    flood(socket, Buffer.alloc(NOISE_BYTES, 'x'));
  });
}

/** An answer that announces a body as large as memory, and begins to send it. */
export function endlessBody(socket: Socket): void {
  socket.once('data', () => {
    socket.resume();
    socket.write('RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 99999999999\r\n\r\n');
    flood(socket, Buffer.alloc(NOISE_BYTES, 'x'));
  });
}

/** An RTMP handshake (version 3, S1, S2), then noise in place of chunks. */
export function noiseAfterHandshake(socket: Socket): void {
  socket.once('data', () => {
    socket.resume();
    socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536), noiseBytes()]));
  });
}

/** An RTMP handshake, then 16 MB messages of no known type, on one chunk stream after the other. */
export function hugeMessages(socket: Socket): void {
  socket.once('data', () => {
    socket.resume();
    socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536)]));
    const chunks = Array.from({ length: 60 }, (_, index) =>
      Buffer.concat([
        Buffer.of(3 + index, 0, 0, 0, 0xff, 0xff, 0xff, 99, 0, 0, 0, 0),
        Buffer.alloc(128),
      ]),
    );
    flood(socket, Buffer.concat(chunks));
  });
}

function flood(socket: Socket, block: Buffer): void {
  let left = FLOOD_BYTES;
  const write = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= block.length;
      if (!socket.write(block)) return;
    }
  };
  socket.on('drain', write);
  write();
}

/** The same each time, so that a failure can be seen again: a linear congruential generator's high bytes. */
function noiseBytes(): Buffer {
  let state = 20_260_101;
  return Buffer.from(
    Array.from({ length: NOISE_BYTES }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}
