/** Two ends of a TCP connection on loopback, closed with the test. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { until } from './until.ts';

export interface SocketPair {
  /** As a server has it. */
  readonly near: Socket;
  readonly far: Socket;
}

export async function socketPair(t: TestContext): Promise<SocketPair> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const far = connect(address.port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  server.close();
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  return { near, far };
}

export interface ReadBytes {
  readonly byteLength: number;
  concat(): Buffer;
}

/** All that comes from now on. A socket that nobody reads holds what it is sent back. */
export function readBytes(socket: Socket): ReadBytes {
  const chunks: Buffer[] = [];
  let byteLength = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    byteLength += chunk.length;
  });
  return {
    get byteLength() {
      return byteLength;
    },
    concat: () => Buffer.concat(chunks),
  };
}

export async function readUntil(socket: Socket, byteLength: number): Promise<Buffer> {
  const bytes = readBytes(socket);
  await until(() => bytes.byteLength >= byteLength);
  return bytes.concat();
}
