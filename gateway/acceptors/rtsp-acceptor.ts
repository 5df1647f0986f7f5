/** The RTSP port: others publish here (ANNOUNCE, RECORD) and play from here (DESCRIBE, PLAY). With a certificate it is rtsps. */
import { randomBytes, randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { PacketBlock } from '../../protocols/rtp/packetize/packet-block.ts';
import { StreamPacketizer } from '../../protocols/rtp/packetize/stream-packetizer.ts';
import type { AcceptorConfig } from '../config/schema.ts';
import { FanOut } from '../viewers/fan-out.ts';
import type { Acceptor, AcceptorContext } from './acceptor.ts';
import { Access } from './access.ts';
import { RtspClient, type RtspClientContext } from './rtsp-client.ts';
import { TcpListener } from './tcp-listener.ts';
import { UdpPorts } from './udp-ports.ts';

type RtspAcceptorContext = Pick<
  AcceptorContext,
  'hub' | 'publications' | 'viewers' | 'log' | 'now'
>;

const LOOK_MS = 1_000;
/** RFC 3550 §6.2: receiver reports to publishers. */
const LOOKS_PER_REPORT = 5;

export class RtspAcceptor implements Acceptor {
  readonly #listener: TcpListener;
  readonly #clients = new Set<RtspClient>();
  readonly #now: () => number;
  #looking: NodeJS.Timeout | undefined;
  #looks = 0;

  constructor(config: AcceptorConfig, context: RtspAcceptorContext) {
    const { log, now } = context;
    this.#now = now;
    const clientContext = this.#clientContext(config, context);
    const { listen, certFile, keyFile, limits } = config;
    const tls = certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
    this.#listener = new TcpListener(
      {
        listen,
        tls: tls && (async () => tls),
        maxConnections: limits.connections,
        maxConnectionsPerAddress: limits.connectionsPerAddress,
        log,
      },
      (socket, address) => {
        const client = new RtspClient(socket, address, {
          ...clientContext,
          log: log.child({ peer: address }),
        });
        this.#clients.add(client);
      },
    );
  }

  get port(): number | undefined {
    return this.#listener.port;
  }

  async start(): Promise<void> {
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking);
    for (const client of this.#clients) client.close('this gateway is stopping');
    await this.#listener.stop();
  }

  #look(): void {
    this.#looks += 1;
    const nowMs = this.#now();
    for (const client of this.#clients) {
      client.look(nowMs);
      if (this.#looks % LOOKS_PER_REPORT === 0) client.report();
    }
  }

  #clientContext(config: AcceptorConfig, context: RtspAcceptorContext): RtspClientContext {
    const { hub, publications, viewers, log, now } = context;
    const cname = `sluice-${randomBytes(6).toString('hex')}`;
    const block = new PacketBlock();
    const makeFramer = (streamName: string) =>
      new StreamPacketizer({
        block,
        cname,
        wallMs: () => performance.timeOrigin + performance.now(),
        newestUs: () => hub.get(streamName)?.lastDtsUs,
        random: () => randomInt(2 ** 32),
      });
    return {
      config,
      hub,
      publications,
      fanOut: new FanOut(hub, makeFramer, viewers),
      ports: new UdpPorts(Math.random()),
      access: {
        play: new Access(config.play, now),
        publish: new Access(config.publish, now),
      },
      cname,
      isEncrypted: config.certFile !== undefined,
      log,
      now,
      closed: (client) => this.#clients.delete(client),
    };
  }
}
