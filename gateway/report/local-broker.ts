/**
 * A small MQTT 3.1.1 broker (aedes) inside this service, for its clients on this box (embedded-broker.ts) and for pages
 * (web-broker.ts). The reporter hands its messages over by plain calls: no client is loaded, and when this process dies
 * the broker goes with it, so no last will is needed.
 */
import type { Duplex } from 'node:stream';
import { Aedes, type AedesOptions, type AedesPublishPacket, type Client } from 'aedes';
import packets from 'mqtt-packet';
import type { Logger } from 'pino';
import type { BrokerLink, IncomingMessage, OutgoingMessage } from './broker-link.ts';
import { ClientsRetained } from './clients-retained.ts';
import { PacketBound } from './packet-bound.ts';
import { RateLimit } from './rate-limit.ts';
import { isHeardBy } from './topics.ts';

/** Of what clients publish; our own payloads are a few kilobytes. */
export const MAX_PACKET_BYTES = 256 * 1024;
/** From the connection to CONNECT. */
const MAX_CONNECT_MS = 10_000;
/** A client that lets as much wait does not read, and is closed: the state of 500 streams is less. */
const MAX_UNREAD_BYTES = 2 * 1024 * 1024;
/** So long may one that takes what the broker holds not read at all. */
const MAX_NOT_READING_MS = 30_000;
/** A page has a handful. */
const MAX_SUBSCRIPTIONS = 100;
/**
 * Each makes the broker gather what it holds, faster than a client takes it: thousands at once took 300 MB. Twice all that a
 * client may have, and then as often as somebody who clicks through a program.
 */
const SUBSCRIBE_BURST = 2 * MAX_SUBSCRIPTIONS;
const SUBSCRIBES_PER_S = 20;
/** MQTT 3.1.1 §3.9.3; aedes has it for a QoS. */
const SUBSCRIPTION_REFUSED = 128;
/** QoS 2 messages of one client between their two halves, each of them held. */
const MAX_HALF_PUBLISHED = 16;
/** What is on its way to clients at the end has so long. */
const CLOSE_MS = 500;

/** What a client may publish, in words when it may not; undefined: it may. */
export type PublishProblem = (packet: {
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
}) => string | undefined;

export interface LocalBrokerEvents {
  readonly message: (message: IncomingMessage) => void;
  /** What the broker does not hold and whoever subscribes is told besides. */
  readonly greeting: (isWanted: (topic: string) => boolean) => readonly OutgoingMessage[];
}

export class LocalBroker implements BrokerLink {
  readonly window = 64;
  readonly isWritable = true;
  readonly #aedes: Aedes;
  readonly #listener: (packet: AedesPublishPacket, done: () => void) => void;
  readonly #problems: WeakMap<object, PublishProblem>;
  #delivering = 0;
  #delivered = () => {};

  private constructor(
    aedes: Aedes,
    problems: WeakMap<object, PublishProblem>,
    onMessage: (message: IncomingMessage) => void,
  ) {
    this.#aedes = aedes;
    this.#problems = problems;
    this.#listener = ({ topic, payload, retain }, done) => {
      onMessage({ topic, payload: Buffer.from(payload), retain });
      done();
    };
  }

  static async open(log: Logger, { message, greeting }: LocalBrokerEvents): Promise<LocalBroker> {
    // A table of all 65536 two-byte numbers, each a Buffer, made for the first client: 17 MB.
    packets.writeToStream.cacheNumbers = false;
    const problems = new WeakMap<object, PublishProblem>();
    const aedes = await Aedes.createBroker({ ...OPTIONS, ...rules(problems) });
    const bad = (_client: Client, err: Error) =>
      log.debug({ err }, 'an MQTT client of the local broker broke off');
    aedes.on('clientError', bad);
    aedes.on('connectionError', bad);
    aedes.on('subscribe', (subscriptions, { conn }) => {
      const filters = subscriptions.filter(({ qos }) => Number(qos) !== SUBSCRIPTION_REFUSED);
      const isWanted = (topic: string) => filters.some((filter) => isHeardBy(filter.topic, topic));
      for (const one of greeting(isWanted)) tellAlone(conn, one);
    });
    return new LocalBroker(aedes, problems, message);
  }

  /** A client, at the other end of `connection`. */
  take(connection: Duplex, problem: PublishProblem): void {
    this.#problems.set(connection, problem);
    this.#aedes.handle(connection);
    const bound = new PacketBound(MAX_PACKET_BYTES);
    connection.on('data', (chunk: Uint8Array) => {
      if (!bound.accepts(chunk)) connection.destroy(new Error('MQTT packet too large'));
    });
  }

  /** It is there once it is kept; that a client is slow to take it is between the two of them. */
  publish(message: OutgoingMessage, done: (error?: Error | null) => void = () => {}): void {
    const { topic, payload, qos, retain } = message;
    this.#delivering += 1;
    this.#aedes.publish(
      { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false },
      () => {
        this.#delivering -= 1;
        if (this.#delivering === 0) this.#delivered();
      },
    );
    setImmediate(done);
  }

  subscribe(filter: string): void {
    this.#aedes.subscribe(filter, this.#listener, () => {});
  }

  unsubscribe(filter: string): void {
    this.#aedes.unsubscribe(filter, this.#listener, () => {});
  }

  async close(): Promise<void> {
    if (this.#delivering > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_MS);
        this.#delivered = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
  }
}

/** By the broker's own way, state that is just on its way to that client would pass for told. */
function tellAlone(connection: Duplex, { topic, payload }: OutgoingMessage): void {
  if (connection.destroyed || connection.writableLength >= MAX_UNREAD_BYTES) return;
  const packet = {
    topic,
    payload: Buffer.from(payload),
    qos: 0,
    retain: false,
    dup: false,
  } as const;
  connection.write(packets.generate({ cmd: 'publish', ...packet }));
}

const OPTIONS: AedesOptions = {
  connectTimeout: MAX_CONNECT_MS,
  drainTimeout: MAX_NOT_READING_MS,
  // No limit, or one client that does not read holds up all others.
  concurrency: 0,
  maxInflightInbound: MAX_HALF_PUBLISHED,
};

function rules(problems: WeakMap<object, PublishProblem>): AedesOptions {
  const retained = new ClientsRetained();
  const rates = new WeakMap<object, RateLimit>();
  const rateOf = (connection: object) => {
    const now = () => performance.now();
    const rate = rates.get(connection) ?? new RateLimit(SUBSCRIBES_PER_S, SUBSCRIBE_BURST, now);
    rates.set(connection, rate);
    return rate;
  };
  return {
    preConnect: (_client, packet, done) => {
      // What is kept for clients that have gone would have no bound.
      packet.clean = true;
      done(null, true);
    },
    authorizePublish: (client, packet, done) => {
      const { topic, payload, retain } = packet;
      const isTooMuch = () => retain && !retained.accepts(topic, Buffer.byteLength(payload));
      const problem =
        (client && problems.get(client.conn)?.(packet)) ??
        (isTooMuch() ? 'no room for more retained messages of clients' : undefined);
      done(problem ? new Error(problem) : null);
    },
    authorizeSubscribe: (client, subscription, done) => {
      const { conn, subscriptions } = client as Client & { readonly subscriptions: object };
      if (rateOf(conn).take() === undefined) {
        conn.destroy(new Error('the client subscribes too often'));
        done(null, null);
        return;
      }
      const isOne = !subscription.topic.startsWith('$');
      done(
        null,
        isOne && Object.keys(subscriptions).length < MAX_SUBSCRIPTIONS ? subscription : null,
      );
    },
    authorizeForward: ({ conn }, packet) => {
      // What the broker holds is sent at the client's own pace; what happens now is not waited with.
      if (packet.retain || conn.writableLength < MAX_UNREAD_BYTES) return packet;
      conn.destroy(new Error('the client does not read'));
      return null;
    },
  };
}
