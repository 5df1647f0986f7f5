/**
 * A small MQTT 3.1.1 broker (aedes) inside this service, for one box without a broker. It has no
 * login and so listens on loopback only. The reporter hands its messages over by plain calls: no
 * client is loaded, and when this process dies the broker goes with it, so no last will is needed.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Aedes, AedesPublishPacket } from 'aedes';
import type { Logger } from 'pino';
import { parseHostPort } from '../config/fields.ts';
import type { BrokerLink, IncomingMessage, OutgoingMessage } from './broker-link.ts';

/** A dashboard or two, a home automation, a command line. */
const MAX_CONNECTIONS = 64;
/** Of what local clients publish; our own payloads are a few kilobytes. */
const MAX_PAYLOAD_BYTES = 256 * 1024;
/** From the TCP connection to CONNECT. */
const MAX_CONNECT_MS = 10_000;

export class EmbeddedBroker implements BrokerLink {
  readonly window = 64;
  readonly isWritable = true;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #listener: (packet: AedesPublishPacket, done: () => void) => void;

  private constructor(aedes: Aedes, server: Server, onMessage: (message: IncomingMessage) => void) {
    this.#aedes = aedes;
    this.#server = server;
    this.#listener = ({ topic, payload, retain }, done) => {
      onMessage({ topic, payload: Buffer.from(payload), retain });
      done();
    };
  }

  /** undefined, with one warning, when the port is taken: the service goes on without MQTT. */
  static async start(
    listen: string,
    log: Logger,
    onMessage: (message: IncomingMessage) => void,
  ): Promise<EmbeddedBroker | undefined> {
    const address = parseHostPort(listen);
    if (address === undefined) throw new RangeError(`not a listen address: ${listen}`);
    const server = createServer();
    server.maxConnections = MAX_CONNECTIONS;
    try {
      server.listen(address);
      await once(server, 'listening');
    } catch (err) {
      log.warn(
        { err, listen },
        'cannot listen for MQTT: this port is in use, perhaps by another broker. MQTT is off. Set mqtt.url to use that broker, or mqtt.embedded.listen to another port',
      );
      return undefined;
    }
    const [{ Aedes }, { default: packets }] = await Promise.all([
      import('aedes'),
      import('mqtt-packet'),
    ]);
    // A table of all 65536 two-byte numbers, each a Buffer, made for the first client: 17 MB.
    packets.writeToStream.cacheNumbers = false;
    const aedes = await Aedes.createBroker({
      connectTimeout: MAX_CONNECT_MS,
      authorizePublish: (_client, packet, done) => done(publishProblem(packet)),
    });
    const bad = (err: unknown) =>
      log.debug({ err }, 'an MQTT client of the embedded broker broke off');
    aedes.on('clientError', (_client, err) => bad(err));
    aedes.on('connectionError', (_client, err) => bad(err));
    server.on('connection', (socket) => aedes.handle(socket));
    server.on('error', bad);
    return new EmbeddedBroker(aedes, server, onMessage);
  }

  /** What it really listens on: the configured port may be 0. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  publish(message: OutgoingMessage, done: (error?: Error | null) => void = () => {}): void {
    const { topic, payload, qos, retain } = message;
    this.#aedes.publish(
      { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false },
      (error) => done(error),
    );
  }

  subscribe(filter: string): void {
    this.#aedes.subscribe(filter, this.#listener, () => {});
  }

  unsubscribe(filter: string): void {
    this.#aedes.unsubscribe(filter, this.#listener, () => {});
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    await closed;
  }
}

function publishProblem(packet: {
  readonly topic: string;
  readonly payload: string | Uint8Array;
}): Error | null {
  if (packet.topic.startsWith('$SYS/')) return new Error('$SYS/ is the broker’s own');
  return packet.payload.length > MAX_PAYLOAD_BYTES ? new Error('payload too large') : null;
}
