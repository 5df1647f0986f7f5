/**
 * Opens what carries an RTMP session, as its URL says: TCP, TLS, RTMPE, HTTP, and what can be built of these. TCP and
 * TLS are the sockets themselves: nothing lies between them and the session.
 */

import { type RtmpScheme, rtmpVariant } from '../../protocols/rtmp/variants.ts';
import { SHARED_READ_BUFFER } from '../camera/shared-read-buffer.ts';
import { dial } from '../dial.ts';
import type { TlsTrust } from '../tls-trust.ts';
import { EncryptedSocket } from './encrypted-socket.ts';
import type { RtmpSocket } from './rtmp-socket.ts';
import { TunnelSocket } from './tunnel-socket.ts';

export interface RtmpDialOptions {
  readonly scheme: RtmpScheme;
  /** IPv6 addresses without brackets. */
  readonly host: string;
  readonly port: number;
  /** What is trusted where the scheme means TLS. */
  readonly tls: TlsTrust | undefined;
  /** What comes, valid until it returns. Not called before `dialRtmp` has settled. */
  readonly onData: (bytes: Uint8Array) => void;
}

/** Settles with what a session may speak over, or throws and leaves nothing open. */
export async function dialRtmp(options: RtmpDialOptions, signal: AbortSignal): Promise<RtmpSocket> {
  if (!rtmpVariant(options.scheme).isEncrypted) return await open(options, signal);
  const encrypted = new EncryptedSocket(options.onData);
  const onData = (bytes: Uint8Array) => encrypted.read(bytes);
  const carrier = await open({ ...options, onData }, signal);
  await encrypted.open(carrier, signal);
  return encrypted;
}

async function open(options: RtmpDialOptions, signal: AbortSignal): Promise<RtmpSocket> {
  const { scheme, host, port, onData } = options;
  const { isTls, isTunnelled } = rtmpVariant(scheme);
  const tls = isTls ? (options.tls ?? {}) : undefined;
  if (isTunnelled) {
    const tunnel = new TunnelSocket({ host, port, tls }, onData);
    await tunnel.open(signal);
    return tunnel;
  }
  const callback = (byteLength: number) => {
    onData(SHARED_READ_BUFFER.subarray(0, byteLength));
    return true;
  };
  return await dial({ host, port, tls, onread: { buffer: SHARED_READ_BUFFER, callback } }, signal);
}
