/**
 * A broker that refuses MQTT 5 in one of the ways old brokers do, and speaks just enough 3.1.1 to
 * take a client: CONNACK, PUBACK, SUBACK, PINGRESP (MQTT 3.1.1 §2.2.1, §2.2.3, §3.1.2.2).
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** How the CONNECT of an MQTT 5 client is answered. */
export type Refusal = 'code-1' | 'code-132' | 'close' | 'reset';

export class ScriptedBroker {
  /** The protocol level of every CONNECT that came. */
  readonly levels: number[] = [];
  /** Topic and payload of every QoS 1 PUBLISH that came. */
  readonly published: (readonly [topic: string, payload: string])[] = [];
  #isMute = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(refusal: Refusal) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      let pending = Buffer.alloc(0);
      socket.on('data', (chunk) => {
        pending = Buffer.concat([pending, chunk]);
        for (;;) {
          const packet = takePacket(pending);
          if (packet === undefined) return;
          pending = pending.subarray(packet.size);
          const { type, flags, body } = packet;
          if (!this.#isMute) this.#answer(socket, type, flags, body, refusal);
        }
      });
    });
  }

  static async start(refusal: Refusal): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(refusal);
    broker.#server.listen(0, '127.0.0.1');
    await once(broker.#server, 'listening');
    return broker;
  }

  get url(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('not listening');
    return `mqtt://127.0.0.1:${address.port}`;
  }

  /** Says nothing any more. */
  mute(): void {
    this.#isMute = true;
  }

  sendToAll(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  dropClients(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.dropClients();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(socket: Socket, type: number, flags: number, body: Buffer, refusal: Refusal): void {
    switch (type) {
      case 1: {
        const level = body[6] ?? 0;
        this.levels.push(level);
        if (level === 5) refuse(socket, refusal);
        else socket.write(Buffer.of(0x20, 2, 0, 0));
        return;
      }
      case 3: {
        const topicLength = body.readUInt16BE(0);
        const topic = body.toString('utf8', 2, 2 + topicLength);
        if ((flags & 0x06) === 0) return;
        const payload = body.toString('utf8', 4 + topicLength);
        this.published.push([topic, payload]);
        socket.write(Buffer.of(0x40, 2, body[2 + topicLength]!, body[3 + topicLength]!));
        return;
      }
      case 8:
        socket.write(Buffer.of(0x90, 3, body[0]!, body[1]!, 1));
        return;
      case 12:
        socket.write(Buffer.of(0xd0, 0));
        return;
      default:
    }
  }
}

function refuse(socket: Socket, refusal: Refusal): void {
  switch (refusal) {
    case 'code-1':
      socket.end(Buffer.of(0x20, 2, 0, 1));
      return;
    case 'code-132':
      socket.end(Buffer.of(0x20, 3, 0, 132, 0));
      return;
    case 'close':
      socket.end();
      return;
    case 'reset':
      socket.resetAndDestroy();
  }
}

function takePacket(
  bytes: Buffer,
): { type: number; flags: number; body: Buffer; size: number } | undefined {
  let length = 0;
  for (let index = 1; index <= 4; index += 1) {
    const byte = bytes[index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** (index - 1);
    if (byte >= 0x80) continue;
    const size = index + 1 + length;
    if (bytes.length < size) return undefined;
    return {
      type: bytes[0]! >> 4,
      flags: bytes[0]! & 0x0f,
      body: bytes.subarray(index + 1, size),
      size,
    };
  }
  throw new Error('remaining length of more than 4 bytes');
}
