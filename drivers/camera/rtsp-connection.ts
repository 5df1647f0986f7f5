/** The connection that carries an RTSP dialogue: TCP or TLS. The other kind is `http-tunnel.ts`. */
import type { Socket } from 'node:net';
import type { SourceUrl } from '../../protocols/source-url.ts';
import { dial, MAX_UNREAD_BYTES } from '../dial.ts';
import type { TlsTrust } from '../tls-trust.ts';
import { SHARED_READ_BUFFER } from './shared-read-buffer.ts';

export interface ConnectionHandler {
  /** What came, valid during the call. */
  read(bytes: Uint8Array): void;
  /** The connection is over; told once or more. */
  ended(cause: Error): void;
}

export interface RtspConnection {
  /** Of the camera. */
  readonly address: string;
  readonly family: 'udp4' | 'udp6';
  write(bytes: Uint8Array): void;
  close(): void;
}

export interface ConnectOptions {
  readonly source: SourceUrl;
  /** Given: TLS. */
  readonly tls: TlsTrust | undefined;
}

/** Settles when connected, or throws and leaves nothing open. */
export async function connectRtsp(
  options: ConnectOptions,
  handler: ConnectionHandler,
  signal: AbortSignal,
): Promise<RtspConnection> {
  const socket = await openSocket(options, handler, signal);
  return {
    address: socket.remoteAddress ?? options.source.host,
    family: socket.remoteFamily === 'IPv6' ? 'udp6' : 'udp4',
    write: (bytes) => writeBounded(socket, bytes),
    close: () => socket.destroy(),
  };
}

/** A socket that reads into the shared buffer. */
export async function openSocket(
  { source, tls }: ConnectOptions,
  handler: ConnectionHandler,
  signal: AbortSignal,
): Promise<Socket> {
  const onread = {
    buffer: SHARED_READ_BUFFER,
    callback: (byteLength: number) => {
      handler.read(SHARED_READ_BUFFER.subarray(0, byteLength));
      return true;
    },
  };
  const socket = await dial({ host: source.host, port: source.port, tls, onread }, signal);
  socket.on('error', (error) => handler.ended(error));
  socket.on('end', () => handler.ended(closedByCamera()));
  socket.on('close', () => handler.ended(closedByCamera()));
  return socket;
}

/**
 * One whole message or frame. Cameras that never read our reports go on sending pictures for all that, and one that
 * asks without end must not fill the memory with answers: what would have to wait behind much else is left out.
 */
export function writeBounded(socket: Socket, bytes: Uint8Array | string): void {
  if (socket.writableLength <= MAX_UNREAD_BYTES) socket.write(bytes);
}

function closedByCamera(): Error {
  return Object.assign(new Error('the camera closed the connection'), { code: 'ECONNRESET' });
}
