/**
 * One connection to a broker, from connect to close; the supervisor above it tries again. MQTT 5
 * first; a broker that refuses it is asked once more with 3.1.1, and so from then on. Each attempt
 * is a new client, so nothing queues up while the broker is away.
 */
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { IClientOptions, IClientSubscribeOptions, IPublishPacket, MqttClient } from 'mqtt';
import type { TlsTrust } from '../../drivers/tls-trust.ts';
import type { MqttConfig } from '../config/schema.ts';
import {
  type BrokerLink,
  type IncomingMessage,
  type OutgoingMessage,
  RefusedError,
} from './broker-link.ts';
import { openBrokerStream } from './broker-stream.ts';
import { MAX_REQUEST_BYTES } from './commands.ts';
import { PacketBound } from './packet-bound.ts';

/** Two missed pings and the will is out: within half a minute a dead gateway shows as offline. */
const KEEPALIVE_S = 20;
/** MQTT 5: whoever is back within so long was never away. */
const WILL_DELAY_S = 5;
const CONNECT_TIMEOUT_MS = 10_000;
/** A DISCONNECT that takes longer is not awaited. */
const CLOSE_TIMEOUT_MS = 500;
/** Mosquitto's own default window; a broker may ask for less (MQTT-3.3.4-9). */
const MAX_WINDOW = 20;
/** What may wait in the socket before stats are skipped. */
const MAX_WAITING_BYTES = 256 * 1024;
/** Topic and properties beside the largest command. */
const MAX_PACKET_BYTES = MAX_REQUEST_BYTES + 4096;
/**
 * MQTT 3.1.1 knows no such word, and brokers pass on packets of 256 MB. What is ours there has less; in one message of a
 * WebSocket there may be several packets.
 */
const MAX_RECEIVED_BYTES = 256 * 1024;

/** Of what we send: fixed header, lengths, packet identifier, expiry (MQTT 5 §2.1.4, §3.3). */
const MAX_HEADER_BYTES = 32;

/** Reason codes: 3.1.1 "unacceptable protocol version" and 5 "unsupported protocol version". */
const VERSION_REFUSED = [1, 132];

/** The broker said no, or took the connection away; `reasonCode` as in CONNACK or DISCONNECT. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly reasonCode: number | undefined;

  constructor(message: string, reasonCode?: number) {
    super(message);
    this.reasonCode = reasonCode;
  }
}

export interface MqttSessionOptions {
  readonly url: string;
  readonly config: MqttConfig;
  readonly clientId: string;
  readonly will: { readonly topic: string; readonly payload: string };
}

export interface MqttSessionEvents {
  up(link: BrokerLink, protocolVersion: 4 | 5): void;
  message(message: IncomingMessage): void;
  /** It stays, and does not take what is published or subscribed there. */
  refused(topic: string, why: string): void;
}

export class MqttSession {
  readonly #options: MqttSessionOptions;
  #protocolVersion: 4 | 5 = 5;

  constructor(options: MqttSessionOptions) {
    this.#options = options;
  }

  /** Settles when the connection is over; returns only after `signal` has aborted. */
  async run(events: MqttSessionEvents, signal: AbortSignal): Promise<void> {
    const connected = await this.#open(signal);
    const { client } = connected;
    const closed = untilClosed(connected, signal);
    client.on('message', (topic, payload, packet) => {
      events.message(toIncoming(topic, payload, packet));
    });
    try {
      const refused = (topic: string, why: string) => events.refused(topic, why);
      events.up(new MqttLink(connected, refused), this.#protocolVersion);
      await closed;
    } finally {
      await close(client, signal.aborted);
    }
  }

  async #open(signal: AbortSignal): Promise<Connected> {
    try {
      return await this.#connect(this.#protocolVersion, signal);
    } catch (error) {
      if (this.#protocolVersion !== 5 || signal.aborted || !isVersionRefusal(error)) throw error;
    }
    const connected = await this.#connect(4, signal);
    this.#protocolVersion = 4;
    return connected;
  }

  async #connect(protocolVersion: 4 | 5, signal: AbortSignal): Promise<Connected> {
    // Once bundled, a CommonJS package has its names on `default` only.
    const { default: mqtt } = await import('mqtt');
    const { url, config } = this.#options;
    const stream = await openBrokerStream(url, await trustOf(config), MAX_RECEIVED_BYTES, signal);
    const client = new mqtt.MqttClient(
      () => stream,
      connectOptions(this.#options, protocolVersion),
    );
    boundPackets(stream);
    try {
      return { client, stream, ...(await untilConnected(client, signal)) };
    } catch (error) {
      await close(client, false);
      throw error;
    }
  }
}

interface Bounds {
  /** QoS 1 messages the broker takes at a time. */
  readonly receiveMaximum: number;
  readonly maximumPacketBytes: number;
}

interface Connected extends Bounds {
  readonly client: MqttClient;
  readonly stream: Duplex;
}

/** Read anew each time: certificates are renewed. */
async function trustOf({ caFile, fingerprint, certFile, keyFile }: MqttConfig): Promise<TlsTrust> {
  const own =
    certFile === undefined || keyFile === undefined
      ? undefined
      : { cert: await readFile(certFile), key: await readFile(keyFile) };
  return { ca: caFile === undefined ? undefined : await readFile(caFile), fingerprint, own };
}

function connectOptions(options: MqttSessionOptions, protocolVersion: 4 | 5): IClientOptions {
  const { url, config, clientId, will } = options;
  const { username, password } = new URL(url);
  const login = {
    username: config.username ?? decodeURIComponent(username),
    password: config.password ?? decodeURIComponent(password),
  };
  return {
    ...(login.username === '' ? {} : login),
    clientId,
    protocolVersion,
    clean: true,
    keepalive: KEEPALIVE_S,
    // Ours says it in words.
    connectTimeout: 2 * CONNECT_TIMEOUT_MS,
    // Without this, everything said while the broker is away is kept in memory.
    queueQoSZero: false,
    reconnectPeriod: 0,
    // A table of all 65536 two-byte numbers, each a Buffer: 17 MB.
    writeCache: false,
    resubscribe: false,
    // A will waits no longer than its session lasts (MQTT 5 §3.1.3.2.2); a clean start keeps no other use for that.
    properties: { maximumPacketSize: MAX_PACKET_BYTES, sessionExpiryInterval: WILL_DELAY_S },
    will: {
      ...{ ...will, payload: Buffer.from(will.payload), qos: 1, retain: true },
      ...(protocolVersion === 5 ? { properties: { willDelayInterval: WILL_DELAY_S } } : {}),
    },
  };
}

async function untilConnected(client: MqttClient, signal: AbortSignal): Promise<Bounds> {
  return await new Promise<Bounds>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new BrokerError('it does not answer in time')),
      CONNECT_TIMEOUT_MS,
    );
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const settle = (done: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      done();
    };
    client.once('connect', ({ properties }) =>
      settle(() =>
        resolve({
          // MQTT 5 §3.2.2.3.3 and §3.2.2.3.6; 3.1.1 has no such words.
          receiveMaximum: properties?.receiveMaximum ?? 65_535,
          maximumPacketBytes: properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY,
        }),
      ),
    );
    // Stays for the client's life: an 'error' without a listener would end the process.
    client.on('error', (error) => settle(() => reject(toBrokerError(error))));
    client.once('close', () =>
      settle(() => reject(new BrokerError('it closed the connection before the login was over'))),
    );
  });
}

/** While the client reads it, too. */
function boundPackets(stream: Duplex): void {
  const bound = new PacketBound(MAX_RECEIVED_BYTES);
  stream.on('data', (chunk: Uint8Array) => {
    if (bound.accepts(chunk)) return;
    const words = `it sent a packet of more than ${MAX_RECEIVED_BYTES} bytes; is a message retained under cmd/?`;
    stream.destroy(new BrokerError(words));
  });
}

async function untilClosed({ client, stream }: Connected, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let cause = new BrokerError('it closed the connection');
    client.on('disconnect', ({ reasonCode }) => {
      cause = new BrokerError('it ended the connection', reasonCode);
    });
    client.on('error', (error) => {
      cause = toBrokerError(error);
    });
    // The client keeps some of them to itself.
    stream.on('error', (error) => {
      cause = toBrokerError(error);
    });
    client.once('close', () => reject(cause));
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}

/** Gracefully the broker is told that the will is not wanted. */
async function close(client: MqttClient, gracefully: boolean): Promise<void> {
  if (gracefully && client.connected) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      client.end(false, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  client.end(true);
}

function toBrokerError(error: Error): BrokerError {
  if (error instanceof BrokerError) return error;
  if (error.message === 'Keepalive timeout') {
    return new BrokerError('it does not answer any more, and the connection was given up');
  }
  // A refusal carries the reason code as a number where system errors carry a word.
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return new BrokerError(error.message, code);
  const wrapped = new BrokerError(error.message);
  wrapped.cause = error;
  return wrapped;
}

/** Old brokers answer with a 3.1.1 refusal, with nonsense, or by closing. */
function isVersionRefusal(error: unknown): boolean {
  if (!(error instanceof BrokerError)) return false;
  if (error.reasonCode !== undefined) return VERSION_REFUSED.includes(error.reasonCode);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message.includes('closed');
  return !('code' in cause) || cause.code === 'ECONNRESET' || cause.code === 'EPIPE';
}

class MqttLink implements BrokerLink {
  readonly window: number;
  readonly #connected: Connected;
  readonly #refused: MqttSessionEvents['refused'];
  readonly #isV5: boolean;
  /** QoS 1: on their way, and those the broker does not take yet. State, events and replies are each bounded. */
  #unacknowledged = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(connected: Connected, refused: MqttSessionEvents['refused']) {
    this.#connected = connected;
    this.#refused = refused;
    this.#isV5 = connected.client.options.protocolVersion === 5;
    this.window = Math.min(MAX_WINDOW, connected.receiveMaximum);
  }

  get isWritable(): boolean {
    const { client, stream } = this.#connected;
    return client.connected && stream.writableLength < MAX_WAITING_BYTES;
  }

  publish(message: OutgoingMessage, done: (error?: Error | null) => void = () => {}): void {
    const { receiveMaximum, maximumPacketBytes } = this.#connected;
    const bytes = packetBytes(message);
    if (bytes > maximumPacketBytes) {
      const words = `it takes ${maximumPacketBytes} bytes at most, and this has ${bytes}`;
      this.#refused(message.topic, words);
      setImmediate(done, new RefusedError(words));
      return;
    }
    if (message.qos === 0) this.#send(message, done);
    else if (this.#unacknowledged < receiveMaximum) this.#sendCounted(message, done);
    else this.#waiting.push(() => this.#sendCounted(message, done));
  }

  #sendCounted(message: OutgoingMessage, done: (error?: Error | null) => void): void {
    this.#unacknowledged += 1;
    this.#send(message, (error) => {
      this.#unacknowledged -= 1;
      this.#waiting.shift()?.();
      done(error);
    });
  }

  #send(message: OutgoingMessage, done: (error?: Error | null) => void): void {
    const { topic, payload, qos, retain, expiryS, correlationData } = message;
    const properties = {
      ...(expiryS === undefined ? {} : { messageExpiryInterval: expiryS }),
      ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
    };
    this.#connected.client.publish(
      topic,
      typeof payload === 'string' ? payload : Buffer.from(payload),
      { qos, retain, ...(this.#isV5 ? { properties } : {}) },
      (error) => {
        if (isAnswer(error)) this.#refused(topic, error.message);
        done(isAnswer(error) ? new RefusedError(error.message) : error);
      },
    );
  }

  subscribe(filter: string, withRetained: boolean): void {
    const options: IClientSubscribeOptions = this.#isV5
      ? { qos: 1, rap: true, rh: withRetained ? 0 : 2 }
      : { qos: 1 };
    this.#connected.client.subscribe(filter, options, (error) => {
      // It leaves state without commands: still worth having.
      if (isAnswer(error)) this.#refused(filter, error.message);
    });
  }

  unsubscribe(filter: string): void {
    this.#connected.client.unsubscribe(filter, () => {});
  }
}

/** The broker's, with a reason code or the packet that it came in; errors of the connection have neither. */
function isAnswer(error: Error | null | undefined): error is Error {
  if (!(error instanceof Error)) return false;
  return ('code' in error && typeof error.code === 'number') || Object(error).packet !== undefined;
}

function packetBytes({ topic, payload, correlationData }: OutgoingMessage): number {
  const given = Buffer.byteLength(topic) + Buffer.byteLength(payload);
  return MAX_HEADER_BYTES + given + (correlationData?.length ?? 0);
}

function toIncoming(topic: string, payload: Uint8Array, packet: IPublishPacket): IncomingMessage {
  return {
    topic,
    payload,
    retain: packet.retain,
    responseTopic: packet.properties?.responseTopic,
    correlationData: packet.properties?.correlationData,
  };
}
