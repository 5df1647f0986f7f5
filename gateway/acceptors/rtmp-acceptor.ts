/**
 * The RTMP server: `rtmp`, `rtmps` and `rtmpt`. A client's bytes are read here and handed to its RtmpConnection, or, when they
 * begin as HTTP does, to the tunnels: each of the three takes both.
 */
import type { Socket } from 'node:net';
import { canBeSentTo } from '../../drivers/send-to-all.ts';
import { isHttp } from '../../protocols/rtmp/tunnel-request.ts';
import type { CertificateFiles } from '../certificate.ts';
import type { AcceptorConfig } from '../config/schema.ts';
import type { Acceptor, AcceptorContext } from './acceptor.ts';
import { RtmpConnection, type RtmpService, type RtmpTransport } from './rtmp-connection.ts';
import { RtmpLogin } from './rtmp-login.ts';
import { TcpListener } from './tcp-listener.ts';
import type { TunnelEnd } from './tunnel-session.ts';
import { Tunnels } from './tunnels.ts';

/** For the last words to go out to a client that is sent away; a stop of the whole service may take 2 s. */
const LAST_WORDS_MS = 500;

export class RtmpAcceptor implements Acceptor {
  readonly #service: RtmpService;
  readonly #listener: TcpListener;
  readonly #tunnels: Tunnels;
  readonly #connections = new Set<RtmpConnection>();

  constructor(config: AcceptorConfig, context: AcceptorContext) {
    const { connections, connectionsPerAddress, handshakeMs } = config.limits;
    const isTls = config.protocol === 'rtmps' || config.certFile !== undefined;
    const { hub, publications, rtmpFanOuts, vod, log, now } = context;
    this.#service = {
      protocol: isTls ? 'RTMPS' : 'RTMP',
      config,
      login: new RtmpLogin(config.publish, config.play, now),
      publications,
      fanOuts: rtmpFanOuts,
      vod,
      isLive: (name) => hub.get(name)?.isOnline === true,
      log,
      now,
    };
    this.#listener = new TcpListener(
      {
        listen: config.listen,
        maxConnections: connections,
        maxConnectionsPerAddress: connectionsPerAddress,
        tls: isTls ? () => certificateOf(config, context) : undefined,
        log,
      },
      (socket, address) => this.#accept(socket, address),
    );
    const tunnelService = { ...this.#service, protocol: isTls ? 'RTMPTS' : 'RTMPT' };
    this.#tunnels = new Tunnels({
      maxSessions: connections,
      maxSessionsPerAddress: connectionsPerAddress,
      handshakeMs,
      log,
      now,
      open: (session, address) => this.#open(session, address, tunnelService),
    });
  }

  get port(): number | undefined {
    return this.#listener.port;
  }

  async start(): Promise<void> {
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.end('this gateway is stopping');
    this.#tunnels.stop();
    await this.#listener.stop();
  }

  #accept(socket: Socket, address: string): void {
    // Before its first byte, too: it bounds how long that is waited for.
    let side: ClientSide = this.#open(new SocketTransport(socket), address, this.#service);
    let isFirst = true;
    socket.on('data', (chunk: Uint8Array) => {
      if (isFirst && isHttp(chunk[0])) {
        side.closed();
        side = this.#tunnels.connect(socket, address);
      }
      isFirst = false;
      side.push(chunk);
    });
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => side.closed());
  }

  #open(transport: RtmpTransport, address: string, service: RtmpService): TunnelEnd {
    const connection = new RtmpConnection(transport, address, service);
    this.#connections.add(connection);
    return {
      push: (chunk) => connection.push(chunk),
      end: (words) => connection.end(words),
      closed: () => {
        this.#connections.delete(connection);
        connection.closed();
      },
    };
  }
}

/** What takes the bytes of a socket. */
type ClientSide = Omit<TunnelEnd, 'end'>;

async function certificateOf(
  { certFile, keyFile }: AcceptorConfig,
  { dataDir, gatewayId, log }: AcceptorContext,
): Promise<CertificateFiles> {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  const { ownCertificate } = await import('./own-certificate.ts');
  return await ownCertificate(dataDir, gatewayId, log);
}

class SocketTransport implements RtmpTransport {
  readonly socket: Socket | undefined;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.socket = canBeSentTo(socket) ? socket : undefined;
  }

  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS).unref();
  }
}
