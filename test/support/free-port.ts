/** A loopback port that was free a moment ago: for programs that must be told one. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** The even one of two UDP ports (RFC 3550 §11); the two behind them, for a second track, are free as well. */
export async function freeUdpPair(): Promise<number> {
  for (;;) {
    const first = await bindUdp(0);
    const { port } = first.address();
    const others = await Promise.allSettled([1, 2, 3].map((offset) => bindUdp(port + offset)));
    first.close();
    for (const other of others) if (other.status === 'fulfilled') other.value.close();
    const areFree = others.every(({ status }) => status === 'fulfilled');
    if (port % 2 === 0 && areFree) return port;
  }
}

async function bindUdp(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
