/** Opens the connection to a peer: TCP, or TLS with the peer's name sent and its certificate checked. */
import { once } from 'node:events';
import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { checkPin, type TlsTrust, tlsOptions } from './tls-trust.ts';

/** A peer far away over a bad link answers within 3 s; a retransmitted SYN needs 7. */
const CONNECT_TIMEOUT_MS = 10_000;

/** What a peer has not read may wait here: an hour of a player's or viewer's side of a dialogue is less. */
export const MAX_UNREAD_BYTES = 64 * 1024;

export interface DialOptions {
  /** IPv6 addresses without brackets. */
  readonly host: string;
  readonly port: number;
  /** Given: TLS, and what is trusted. */
  readonly tls?: TlsTrust | undefined;
  /** Where to read into; left out: the socket emits `data`. */
  readonly onread?: OnReadOpts | undefined;
}

/** Settles with a connected socket, or throws and leaves nothing open. */
export async function dial(options: DialOptions, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const { tls } = options;
  const timeout = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  const socket = open(options);
  const event = tls === undefined ? 'connect' : 'secureConnect';
  try {
    await once(socket, event, { signal: AbortSignal.any([signal, timeout]) });
    if (socket instanceof TLSSocket && tls !== undefined) checkPin(socket, tls);
    return socket;
  } catch (error) {
    socket.on('error', () => undefined); // what a socket that is given up still has to say
    socket.destroy();
    signal.throwIfAborted();
    timeout.throwIfAborted();
    throw error;
  }
}

function open({ host, port, tls, onread }: DialOptions): Socket {
  const options = { host, port, noDelay: true, ...(onread === undefined ? {} : { onread }) };
  if (tls === undefined) return connectTcp(options);
  const socket = connectTls({ ...options, ...tlsOptions(host, tls) });
  socket.setNoDelay(true);
  return socket;
}
