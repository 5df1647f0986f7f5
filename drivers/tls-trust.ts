/**
 * Which certificate of a peer is trusted: one of the system's authorities (the default), one of a file,
 * exactly one by its fingerprint, or any. The same for cameras, servers and masters.
 */
import { isIP } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

export interface TlsTrust {
  /** Certificate authorities in PEM, instead of the system's. */
  readonly ca?: Uint8Array | string | undefined;
  /** SHA-256 of the one certificate that is trusted, whatever its name, issuer and dates. */
  readonly fingerprint?: string | undefined;
  /** No check at all. */
  readonly insecure?: boolean | undefined;
  /** Who we are, for a peer that asks: certificate and key in PEM. */
  readonly own?: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined;
}

/** For `tls.connect`; a pinned certificate is checked by `checkPin` once connected. */
export function tlsOptions(host: string, trust: TlsTrust): ConnectionOptions {
  const isPinned = trust.fingerprint !== undefined;
  return {
    // RFC 6066 §3: no addresses in server_name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(trust.ca === undefined ? {} : { ca: Buffer.from(trust.ca) }),
    ...(trust.own === undefined
      ? {}
      : { cert: Buffer.from(trust.own.cert), key: Buffer.from(trust.own.key) }),
    rejectUnauthorized: !isPinned && trust.insecure !== true,
  };
}

/** Throws when a certificate is pinned and the peer has another. */
export function checkPin(socket: TLSSocket, { fingerprint }: TlsTrust): void {
  if (fingerprint === undefined) return;
  const seen = socket.getPeerX509Certificate()?.fingerprint256 ?? '(none)';
  if (plainHex(seen) === plainHex(fingerprint)) return;
  throw Object.assign(new Error(`the certificate has the SHA-256 fingerprint ${seen}`), {
    code: 'ERR_TLS_FINGERPRINT',
  });
}

function plainHex(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
