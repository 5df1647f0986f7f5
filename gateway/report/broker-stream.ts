/** The connection that MQTT is spoken on: TCP or TLS, and WebSocket in it where the URL says so. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { dial } from '../../drivers/dial.ts';
import type { TlsTrust } from '../../drivers/tls-trust.ts';

const PORTS: Readonly<Record<string, number>> = {
  'mqtt:': 1883,
  'mqtts:': 8883,
  'ws:': 80,
  'wss:': 443,
};
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Settles with an open connection, or throws and leaves nothing open. */
export async function openBrokerStream(
  url: string,
  trust: TlsTrust,
  maxMessageBytes: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const { protocol, hostname, port } = new URL(url);
  const socket = await dial(
    {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (PORTS[protocol] ?? 0) : Number(port),
      tls: protocol === 'mqtts:' || protocol === 'wss:' ? trust : undefined,
    },
    signal,
  );
  if (protocol === 'mqtt:' || protocol === 'mqtts:') return socket;
  return await upgrade(socket, url, maxMessageBytes, signal);
}

async function upgrade(
  socket: Socket,
  url: string,
  maxMessageBytes: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const [{ WebSocket }, { streamOn }] = await Promise.all([
    import('ws'),
    import('./websocket-stream.ts'),
  ]);
  const { host, pathname, search } = new URL(url);
  // TLS is spoken below already, and the login is for CONNECT.
  const webSocket = new WebSocket(`ws://${host}${pathname}${search}`, 'mqtt', {
    createConnection: () => socket,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  try {
    await once(webSocket, 'open', { signal });
  } catch (error) {
    webSocket.on('error', () => undefined); // what one that is given up still has to say
    webSocket.terminate();
    signal.throwIfAborted();
    throw error;
  }
  return streamOn(webSocket);
}
