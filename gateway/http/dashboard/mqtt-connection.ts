/**
 * The page's connection to a broker: keeps one open, writes what is said into the model, and asks for what people click. MQTT 5 where
 * the broker has it (response topic and correlation data of §4.10), else 3.1.1, where replies come by `B/res/<verb>` with their `id`.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import { connectionWords } from './connection-words.ts';
import { CommandFailure, type Connection, type Fleet, type GatewayModel } from './model.ts';
import type { MqttModel } from './mqtt-model.ts';
import { pause } from './pause.ts';
import { PendingCommands } from './pending-commands.ts';
import { RetryPace } from './retry-pace.ts';
import { SilenceWatch } from './silence-watch.ts';

/** Browsers let timers of hidden pages run once a minute: a shorter one would end their connections. */
const KEEPALIVE_S = 120;
const CONNECT_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 5_000;
/** By then a broker has told all that it keeps. */
const RETELLING_MS = 5_000;
/** A command that a broker holds back longer is not wanted any more. */
const COMMAND_EXPIRY_S = 10;
/** Of cameras whose snapshots come; a wall shows fewer at a time. */
const MAX_SNAPSHOT_TOPICS = 128;
/** A snapshot and its topic. */
const MAX_PACKET_BYTES = 9 * 1024 * 1024;
/** CONNACK of 3.1.1: bad user name or password, not authorized; of MQTT 5 likewise, and bad authentication method. */
const LOGIN_REFUSED: readonly unknown[] = [4, 5, 134, 135, 140];
/** Unacceptable protocol version, in both. */
const VERSION_REFUSED: readonly unknown[] = [1, 132];

interface Mqtt {
  connect(address: string, options: IClientOptions): MqttClient;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface MqttConnectionOptions {
  /** ws:// or wss:// */
  readonly url: string;
  readonly baseTopic: string;
  /** Local view: the one that is shown; undefined: all. */
  readonly gateway: string | undefined;
  readonly login: Login | undefined;
  /** Fleet view: where streams play. */
  readonly playUrl?: string | undefined;
  readonly model: MqttModel;
  /** Browsers do not tell a page why a WebSocket was refused: whether it was for want of a login. */
  readonly needsLogin: () => Promise<boolean>;
  /** Loaded when it is needed: it is most of the page. */
  readonly loadMqtt: () => Promise<Mqtt>;
}

interface Ending {
  readonly why: 'login' | 'version' | 'lost';
  readonly words: string;
}

export class MqttConnection implements Fleet {
  readonly isLocal: boolean;
  readonly playUrl: string | undefined;
  readonly #options: MqttConnectionOptions;
  readonly #connection = signal<Connection>({ at: 'connecting' });
  readonly #commands = new PendingCommands();
  readonly #clientId = `page-${randomHex()}`;
  readonly #snapshotTopics = new Set<string>();
  readonly #stopping = new AbortController();
  #protocolVersion: 4 | 5;
  #client: MqttClient | undefined;

  constructor(options: MqttConnectionOptions) {
    this.#options = options;
    this.isLocal = options.gateway !== undefined;
    this.playUrl = options.playUrl;
    // A gateway's own `/mqtt` speaks 3.1.1.
    this.#protocolVersion = this.isLocal ? 4 : 5;
  }

  get connection(): ReadonlySignal<Connection> {
    return this.#connection;
  }

  get gateways(): ReadonlySignal<readonly GatewayModel[]> {
    return this.#options.model.gateways;
  }

  /** Until `stop`, or until a login is needed. */
  async run(): Promise<void> {
    const pace = new RetryPace();
    let isVersionKnown = this.isLocal;
    while (!this.#stopping.signal.aborted) {
      let connectedAtMs: number | undefined;
      const ending = await this.#session(() => {
        connectedAtMs = performance.now();
        isVersionKnown = true;
      });
      const heldMs = connectedAtMs === undefined ? 0 : performance.now() - connectedAtMs;
      this.#commands.failAll('offline', connectionWords('offline'));
      if (this.#stopping.signal.aborted) return;
      if (ending.why === 'version') {
        this.#protocolVersion = 4;
        isVersionKnown = true;
        continue;
      }
      // At once: asking whether a login is needed may take a while.
      if (ending.why === 'lost') this.#connection.value = { at: 'waiting', reason: ending.words };
      if (ending.why === 'login' || (await this.#options.needsLogin())) {
        this.#connection.value = { at: 'login-needed' };
        return;
      }
      // Brokers of old just close where they do not know the version.
      if (!isVersionKnown) this.#protocolVersion = this.#protocolVersion === 5 ? 4 : 5;
      await pause(pace.next(heldMs), this.#stopping.signal);
    }
  }

  stop(): void {
    this.#stopping.abort();
    this.#client?.end(true);
    this.#options.model.clear();
  }

  async command(
    gateway: string,
    verb: string,
    args: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    const client = this.#client;
    if (client === undefined || this.#connection.value.at !== 'connected') {
      throw new CommandFailure('offline', connectionWords('offline'));
    }
    const base = `${this.#options.baseTopic}/${gateway}`;
    if (verb === 'snapshot') this.#hearSnapshots(client, `${base}/stream/${args['name']}/snapshot`);
    const { id, reply } = this.#commands.add(gateway, verb);
    const properties = {
      messageExpiryInterval: COMMAND_EXPIRY_S,
      responseTopic: `${base}/res/${this.#clientId}`,
      // What it has for Buffer in browsers is its own; bytes are all that it needs.
      correlationData: new TextEncoder().encode(id) as Buffer,
    };
    client.publish(
      `${base}/cmd/${verb}`,
      JSON.stringify({ ...args, id }),
      { qos: 1, ...(this.#protocolVersion === 5 ? { properties } : {}) },
      (error) => {
        if (error) this.#commands.fail(id, 'offline', error.message);
      },
    );
    return await reply;
  }

  /** One connection, from beginning to end. Never rejects. */
  async #session(connected: () => void): Promise<Ending> {
    this.#connection.value = { at: 'connecting' };
    const { signal: stopping } = this.#stopping;
    let client: MqttClient;
    try {
      const mqtt = await this.#options.loadMqtt();
      if (stopping.aborted) return { why: 'lost', words: '' };
      client = mqtt.connect(this.#options.url, this.#clientOptions());
    } catch (error) {
      return { why: 'lost', words: connectionWords('failed', { message: wordsOfError(error) }) };
    }
    this.#client = client;
    const retelling = new AbortController();
    const silence = new SilenceWatch(Date.now());
    let looking: ReturnType<typeof setInterval> | undefined;
    const ending = await new Promise<Ending>((resolve) => {
      let isUp = false;
      client.on('packetreceive', () => silence.heard(Date.now()));
      client.on('connect', () => {
        isUp = true;
        this.#subscribe(client, (refused) => {
          if (refused !== undefined) {
            resolve({ why: 'lost', words: refused });
            return;
          }
          connected();
          looking = setInterval(() => {
            const said = silence.look(Date.now());
            if (said === 'ask') client.sendPing();
            else if (said === 'gone') resolve({ why: 'lost', words: connectionWords('lost') });
          }, LOOK_EVERY_MS);
          this.#connection.value = { at: 'connected' };
          void this.#settle(retelling.signal);
        });
      });
      client.on('message', (topic, payload, packet) => this.#receive(topic, payload, packet));
      client.on('error', (error) => resolve(this.#endingOf(error, isUp)));
      client.on('close', () => resolve(this.#closed(isUp)));
    });
    retelling.abort();
    clearInterval(looking);
    this.#client = undefined;
    this.#snapshotTopics.clear();
    client.end(true);
    return ending;
  }

  #clientOptions(): IClientOptions {
    const { login } = this.#options;
    return {
      clientId: this.#clientId,
      protocolVersion: this.#protocolVersion,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // The other way is a worker made of text, which the page's policy refuses.
      timerVariant: 'native',
      ...(login === undefined ? {} : login),
      ...(this.#protocolVersion === 5
        ? { properties: { maximumPacketSize: MAX_PACKET_BYTES } }
        : {}),
    };
  }

  #subscribe(client: MqttClient, done: (refused: string | undefined) => void): void {
    const { baseTopic, gateway = '+' } = this.#options;
    const base = `${baseTopic}/${gateway}`;
    const replies = this.#protocolVersion === 5 ? this.#clientId : '#';
    this.#options.model.beginRetelling();
    const filters = [
      ...['state', 'info', 'health', 'event', 'position', 'found/+', 'serial/+', 'publish/+/+'],
      ...['status', 'info', 'stats', 'motion'].map((part) => `stream/+/${part}`),
      `res/${replies}`,
    ];
    client.subscribe(
      filters.map((filter) => `${base}/${filter}`),
      { qos: 1 },
      (error, granted) => {
        const refused = granted?.find(({ qos }) => qos >= 128)?.topic;
        if (refused !== undefined) done(connectionWords('not-allowed', { topic: refused }));
        else done(error ? connectionWords('failed', { message: error.message }) : undefined);
      },
    );
  }

  async #settle(ended: AbortSignal): Promise<void> {
    await pause(RETELLING_MS, ended);
    if (!ended.aborted) this.#options.model.endRetelling();
  }

  /** JPEGs of all cameras for all who look would be too much: only of those that this page has asked for. */
  #hearSnapshots(client: MqttClient, topic: string): void {
    if (this.#snapshotTopics.delete(topic)) {
      this.#snapshotTopics.add(topic);
      return;
    }
    this.#snapshotTopics.add(topic);
    client.subscribe(topic, { qos: 0 }, () => {});
    const [oldest] = this.#snapshotTopics;
    if (this.#snapshotTopics.size > MAX_SNAPSHOT_TOPICS && oldest !== undefined) {
      this.#snapshotTopics.delete(oldest);
      client.unsubscribe(oldest, () => {});
    }
  }

  #receive(topic: string, payload: Uint8Array, packet: IPublishPacket): void {
    const { baseTopic, model } = this.#options;
    const [gateway = '', kind] = topic.slice(baseTopic.length + 1).split('/');
    if (kind !== 'res') {
      model.receive(topic, payload, Date.now());
      return;
    }
    const { correlationData } = packet.properties ?? {};
    const id =
      correlationData === undefined ? undefined : new TextDecoder().decode(correlationData);
    this.#commands.answer(gateway, payload, id);
  }

  #endingOf(error: Error, isUp: boolean): Ending {
    const code: unknown = 'code' in error ? error.code : undefined;
    if (LOGIN_REFUSED.includes(code)) return { why: 'login', words: '' };
    if (VERSION_REFUSED.includes(code) && this.#protocolVersion === 5) {
      return { why: 'version', words: '' };
    }
    if (isUp || typeof code === 'number') {
      return { why: 'lost', words: connectionWords('failed', { message: error.message }) };
    }
    return this.#closed(isUp);
  }

  #closed(isUp: boolean): Ending {
    if (isUp) return { why: 'lost', words: connectionWords('lost') };
    const { host } = new URL(this.#options.url);
    return { why: 'lost', words: connectionWords('silent', { host }) };
  }
}

function wordsOfError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `randomUUID` is for pages over https alone. */
function randomHex(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
