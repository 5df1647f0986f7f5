/**
 * A loopback port that was free a moment ago: for programs that must be told one, and come back to it. None of those that the
 * kernel gives to clients (net.ipv4.ip_local_port_range): they would be taken while a program is away. Nor one that this process
 * has asked for lately, or that another test file may ask for.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST_PORT = 10_000;
const PORTS_OF_ONE_PROCESS = 100;
const PROCESSES = 200;

let asked = 0;

export async function freePort(): Promise<number> {
  const first = FIRST_PORT + (process.pid % PROCESSES) * PORTS_OF_ONE_PROCESS;
  for (;;) {
    const port = first + (asked % PORTS_OF_ONE_PROCESS);
    asked += 1;
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
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
