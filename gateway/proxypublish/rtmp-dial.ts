/** Opens the connection to a master: TCP, or TLS with the server's name sent and checked. */
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import type { TargetUrl } from './target-url.ts';

/** A master far away over a bad link answers within 3 s; a retransmitted SYN needs 7. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface TlsTrust {
  /** Certificate authorities in PEM, instead of the system's. */
  readonly ca?: Uint8Array | string | undefined;
  /** SHA-256 of the one certificate that is trusted, whatever its name, issuer and dates. */
  readonly fingerprint?: string | undefined;
  /** No check at all. */
  readonly insecure?: boolean | undefined;
}

/** Settles with a connected socket, or throws and leaves nothing open. */
export async function dialRtmp(
  target: TargetUrl,
  trust: TlsTrust,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  const socket = target.scheme === 'rtmps' ? openTls(target, trust) : openTcp(target);
  const event = target.scheme === 'rtmps' ? 'secureConnect' : 'connect';
  try {
    await once(socket, event, { signal: AbortSignal.any([signal, timeout]) });
    if (socket instanceof TLSSocket && trust.fingerprint !== undefined) {
      checkPin(socket, trust.fingerprint);
    }
    return socket;
  } catch (error) {
    socket.on('error', () => undefined); // what a socket that is given up still has to say
    socket.destroy();
    signal.throwIfAborted();
    timeout.throwIfAborted();
    throw error;
  }
}

function openTcp({ host, port }: TargetUrl): Socket {
  return connectTcp({ host, port, noDelay: true });
}

function openTls({ host, port }: TargetUrl, trust: TlsTrust): TLSSocket {
  const isPinned = trust.fingerprint !== undefined;
  const socket = connectTls({
    host,
    port,
    // RFC 6066 §3: no addresses in server_name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(trust.ca === undefined ? {} : { ca: Buffer.from(trust.ca) }),
    rejectUnauthorized: !isPinned && trust.insecure !== true,
  });
  socket.setNoDelay(true);
  return socket;
}

function checkPin(socket: TLSSocket, fingerprint: string): void {
  const seen = socket.getPeerX509Certificate()?.fingerprint256 ?? '(none)';
  if (plainHex(seen) === plainHex(fingerprint)) return;
  throw Object.assign(new Error(`the certificate has the SHA-256 fingerprint ${seen}`), {
    code: 'ERR_TLS_FINGERPRINT',
  });
}

function plainHex(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
