/**
 * TLS for accepted sockets. Clients that name the server they want get what both can do; those that do not get TLS 1.2 at most.
 *
 * librtmp with GnuTLS (rtmpdump 2.4 and GStreamer's rtmpsink in Debian) takes the session tickets, which OpenSSL sends behind a
 * handshake of TLS 1.3, for an error of the first read; Node cannot be told to send none. It names no server, nearly everybody
 * else does. TLS 1.2 as Node speaks it is no weakness.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { namesNoServer } from '../../protocols/tls/client-hello.ts';
import type { CertificatePem } from '../certificate.ts';

const HANDSHAKE_MS = 10_000;

export class TlsEntrance {
  readonly #current: Server;
  readonly #old: Server;

  /** `onSecure`: a handshake is done. `onFailure`: one was not; its socket is closed. */
  constructor(
    certificate: CertificatePem,
    onSecure: (socket: TLSSocket) => void,
    onFailure: (error: Error) => void,
  ) {
    this.#current = createServer({ ...certificate, handshakeTimeout: HANDSHAKE_MS });
    this.#old = createServer({ ...old(certificate), handshakeTimeout: HANDSHAKE_MS });
    for (const server of [this.#current, this.#old]) {
      server.on('secureConnection', onSecure);
      server.on('tlsClientError', onFailure);
    }
  }

  /** For connections from now on. */
  set certificate(certificate: CertificatePem) {
    this.#current.setSecureContext(certificate);
    this.#old.setSecureContext(old(certificate));
  }

  accept(socket: Socket): void {
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.once('readable', () => {
      clearTimeout(timer);
      const first: unknown = socket.read();
      if (!(first instanceof Uint8Array)) return; // it has gone
      socket.unshift(first);
      // Neither of the servers listens: this is their way in.
      (namesNoServer(first) ? this.#old : this.#current).emit('connection', socket);
    });
  }
}

function old(certificate: CertificatePem) {
  return { ...certificate, maxVersion: 'TLSv1.2' as const };
}
