/**
 * Tells the board over MQTT (topics.ts says where) and takes commands: the broker of `mqtt.url`, or else programs of this
 * box, and pages that come to `/mqtt`. What is known is kept in one `RetainedSet`; each broker hears all of it and then
 * every change.
 */
import type { Logger } from 'pino';
import type { MqttConfig } from '../config/schema.ts';
import type { Route } from '../http/route.ts';
import { scrubbedJson } from '../secrets.ts';
import type { Board, StreamEntry, StreamPart } from './board.ts';
import { BoardTeller } from './board-teller.ts';
import type { GatewayInfo, Health } from './box-status.ts';
import type { BrokerLink, IncomingMessage, OutgoingMessage } from './broker-link.ts';
import type { CommandDispatcher } from './commands.ts';
import { EmbeddedBroker } from './embedded-broker.ts';
import { EventQueue } from './event-queue.ts';
import type { HomeAssistant } from './home-assistant.ts';
import type { LocalBroker } from './local-broker.ts';
import { MqttCommands } from './mqtt-commands.ts';
import { RateLimit } from './rate-limit.ts';
import { RemoteBroker } from './remote-broker.ts';
import { RetainedSet } from './retained-set.ts';
import { SnapshotRounds } from './snapshot-rounds.ts';
import type { GatewayEvent } from './status.ts';
import { Sweep } from './sweep.ts';
import { Topics } from './topics.ts';

const PERIOD_MS = 10_000;
/** Health older than three periods is no news; MQTT 5 brokers forget it then. */
const HEALTH_EXPIRY_S = 30;
/** `stopped` has so long to reach the broker. */
const FLUSH_TIMEOUT_MS = 1_000;
const EVENTS_PER_S = 1;
const EVENTS_BURST = 30;

export interface MqttReporterContext {
  readonly config: MqttConfig;
  readonly gatewayId: string;
  readonly board: Board;
  readonly log: Logger;
  readonly commands: CommandDispatcher;
  readonly info: () => GatewayInfo;
  readonly health: () => Promise<Health>;
  /** The camera's own JPEG; undefined where a stream has none. */
  readonly snapshot: (stream: string) => Promise<Uint8Array> | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** When to look for what an earlier life left at the broker. */
  readonly sweepAfterMs?: number;
}

export class MqttReporter {
  readonly topics: Topics;
  readonly #context: MqttReporterContext;
  readonly #log: Logger;
  readonly #retained = new RetainedSet();
  /** Of the broker of `mqtt.url`. */
  readonly #remoteOutlet = this.#retained.openOutlet();
  readonly #teller: BoardTeller;
  readonly #commands: MqttCommands;
  readonly #queue: EventQueue;
  readonly #sweep: Sweep;
  readonly #events: RateLimit;
  /** undefined: snapshots are told when they are asked for, and not kept. */
  readonly #rounds: SnapshotRounds | undefined;
  /** Topics of those that brokers keep. */
  readonly #keptSnapshots = new Set<string>();
  readonly #stopping = new AbortController();
  #remote: BrokerLink | undefined;
  #local: LocalBroker | undefined;
  #opening: Promise<LocalBroker> | undefined;
  #embedded: EmbeddedBroker | undefined;
  #homeAssistant: HomeAssistant | undefined;
  #webRoutes: Promise<readonly Route[]> | undefined;
  #supervision: Promise<void> | undefined;
  #period: NodeJS.Timeout | undefined;

  constructor(context: MqttReporterContext) {
    const { config, gatewayId, log, now, sweepAfterMs } = context;
    this.#context = context;
    this.#log = log;
    this.#events = new RateLimit(EVENTS_PER_S, EVENTS_BURST, now);
    this.topics = new Topics(config.baseTopic, gatewayId);
    this.#teller = new BoardTeller(context.board, this.#retained, this.topics);
    this.#commands = new MqttCommands({ ...context, topics: this.topics });
    this.#queue = new EventQueue(this.topics.event);
    this.#sweep = new Sweep(this.topics.sweepFilters, sweepAfterMs);
    this.#rounds = this.#makeRounds();
  }

  /** Where the embedded broker listens; undefined when there is none. */
  get embeddedPort(): number | undefined {
    return this.#embedded?.port;
  }

  /** To the broker of `mqtt.url`. */
  get isConnected(): boolean {
    return this.#remote !== undefined;
  }

  /** Does not wait for a broker elsewhere; the embedded one listens when this returns. */
  async start(): Promise<void> {
    this.#retained.set(this.topics.state, 'online');
    this.#tellInfo();
    this.#teller.listen();
    this.#context.board.on('stream', this.#onStream);
    this.#context.board.on('event', this.#onEvent);
    const { url, homeAssistant } = this.#context.config;
    if (homeAssistant) await this.#loadHomeAssistant();
    if (url === undefined) await this.#startEmbedded();
    else this.#supervision = this.#connect(url);
    this.#period = setInterval(() => void this.#tellPeriodically(), PERIOD_MS);
    this.#period.unref();
    void this.#rounds?.run(this.#stopping.signal);
  }

  /** Says `stopped` and closes; bounded in time. */
  async stop(): Promise<void> {
    clearInterval(this.#period);
    this.#sweep.close();
    this.#teller.close();
    this.#context.board.off('stream', this.#onStream);
    this.#context.board.off('event', this.#onEvent);
    this.#homeAssistant?.close();
    this.#retained.set(this.topics.state, 'stopped');
    await withDeadline(this.#retained.flush(), FLUSH_TIMEOUT_MS);
    this.#stopping.abort();
    await this.#supervision;
    const embeddedClosed = this.#embedded?.close();
    await this.#local?.close();
    await embeddedClosed;
  }

  /**
   * To whoever listens now, and kept by brokers where all are told every so often. Returns the topic; undefined while there is
   * no broker, or it does not read.
   */
  tellSnapshot(stream: string, jpeg: Uint8Array): string | undefined {
    const topic = this.topics.streamSnapshot(stream);
    const isKept = this.#rounds !== undefined;
    if (isKept) this.#keptSnapshots.add(topic);
    return this.#say(topic, jpeg, isKept) ? topic : undefined;
  }

  /** `/mqtt`, for pages: the embedded broker, or one that is opened beside `mqtt.url` when the first page comes. */
  webRoutes(): Promise<readonly Route[]> {
    this.#webRoutes ??= this.#openWeb();
    return this.#webRoutes;
  }

  #makeRounds(): SnapshotRounds | undefined {
    const { config, board, snapshot, log } = this.#context;
    if (config.snapshotIntervalMs === 0) return undefined;
    return new SnapshotRounds({
      intervalMs: config.snapshotIntervalMs,
      onlineStreams: () =>
        [...board.streams.values()]
          .filter(({ status }) => status.state === 'online')
          .map(({ name }) => name),
      take: snapshot,
      // It may have gone while the camera worked on it.
      tell: (name, jpeg) => board.streams.has(name) && this.tellSnapshot(name, jpeg),
      log,
    });
  }

  async #openWeb(): Promise<readonly Route[]> {
    const [broker, { WebBroker }] = await Promise.all([
      this.#openLocal(),
      import('./web-broker.ts'),
    ]);
    return new WebBroker(broker, this.topics).routes;
  }

  async #loadHomeAssistant(): Promise<void> {
    const { HomeAssistant } = await import('./home-assistant.ts');
    this.#homeAssistant = new HomeAssistant({
      ...this.#context,
      prefix: this.#context.config.homeAssistantPrefix,
      topics: this.topics,
      retained: this.#retained,
      now: () => performance.now(),
    });
  }

  async #startEmbedded(): Promise<void> {
    const { listen } = this.#context.config.embedded;
    this.#embedded = new EmbeddedBroker(listen, this.#log, () => this.#openLocal());
    await this.#embedded.start();
  }

  #openLocal(): Promise<LocalBroker> {
    this.#opening ??= this.#startLocal();
    return this.#opening;
  }

  async #startLocal(): Promise<LocalBroker> {
    const { LocalBroker } = await import('./local-broker.ts');
    const outlet = this.#retained.openOutlet();
    const broker = await LocalBroker.open(this.#log, {
      message: (message) => {
        if (isWill(message, this.topics)) outlet.repeat(message.topic);
        else if (this.#homeAssistant?.receive(message) !== true) this.#receive(message, broker);
      },
      greeting: (isWanted) => this.#stats(isWanted),
    });
    this.#local = broker;
    outlet.attach(broker);
    this.#greet(broker);
    return broker;
  }

  async #connect(url: string): Promise<void> {
    const broker = new RemoteBroker({
      ...this.#context,
      url,
      topics: this.topics,
      changed: (link) => this.#remoteChanged(link),
      message: (message, link) => {
        if (isWill(message, this.topics)) this.#remoteOutlet.repeat(message.topic);
        else if (this.#homeAssistant?.receive(message) === true) return;
        else if (this.#sweep.isRunning && message.retain && message.payload.length > 0) {
          this.#sweepAway(message.topic);
        } else this.#receive(message, link);
      },
    });
    await broker.run(this.#stopping.signal);
  }

  #remoteChanged(link: BrokerLink | undefined): void {
    this.#remote = link;
    if (link === undefined) {
      this.#remoteOutlet.detach();
      this.#queue.detach();
      this.#sweep.detach();
      return;
    }
    this.#remoteOutlet.attach(link);
    this.#queue.attach(link);
    this.#greet(link);
    this.#sweep.attach(link);
    void this.#tellStatsAfterState(link);
  }

  /** There is up to a period until they are told again. */
  async #tellStatsAfterState(link: BrokerLink): Promise<void> {
    await this.#remoteOutlet.flush();
    if (this.#remote !== link) return;
    for (const message of this.#stats()) if (link.isWritable) link.publish(message);
  }

  #greet(link: BrokerLink): void {
    link.subscribe(this.topics.commandFilter, false);
    link.subscribe(this.topics.state, true);
    const isMain = link === this.#remote || this.#context.config.url === undefined;
    this.#homeAssistant?.attach(link, isMain);
    void this.#tellHealth(() => [link]);
    this.#rounds?.beginAgain();
  }

  #sweepAway(topic: string): void {
    this.#remoteOutlet.clear(topic);
    const stream = this.topics.streamOfStatus(topic);
    if (stream === undefined || this.#context.board.streams.has(stream)) return;
    this.#remoteOutlet.clear(this.topics.streamSnapshot(stream));
  }

  #links(): readonly BrokerLink[] {
    return [this.#remote, this.#local].filter((link) => link !== undefined);
  }

  #receive(message: IncomingMessage, link: BrokerLink): void {
    const verb = this.topics.verbOf(message.topic);
    if (verb === undefined || message.retain) return;
    // The connection that it came by may have been replaced meanwhile.
    const linkNow = () => (link === this.#local ? link : this.#remote);
    void this.#commands.run(verb, message, linkNow);
  }

  async #tellPeriodically(): Promise<void> {
    this.#tellInfo();
    this.#teller.tellPublishes();
    for (const { topic, payload } of this.#stats()) this.#say(topic, payload);
    await this.#tellHealth(() => this.#links());
  }

  /** The last known. */
  #stats(isWanted: (topic: string) => boolean = () => true): OutgoingMessage[] {
    return [...this.#context.board.streams.values()].flatMap(({ name, stats }) => {
      const topic = this.topics.streamStats(name);
      if (stats === undefined || !isWanted(topic)) return [];
      return [{ topic, payload: scrubbedJson(stats), qos: 0, retain: false }];
    });
  }

  async #tellHealth(links: () => readonly BrokerLink[]): Promise<void> {
    if (links().length === 0) return;
    const health = await this.#context.health().catch((err: unknown) => {
      // It cannot be read with no file descriptor left; in 10 s there may be one.
      this.#log.debug({ err }, 'no health to be told');
    });
    if (health === undefined) return;
    this.#homeAssistant?.tellHealth(health);
    const payload = scrubbedJson(health);
    for (const link of links()) {
      if (!link.isWritable) continue;
      link.publish({
        topic: this.topics.health,
        payload,
        qos: 0,
        retain: true,
        expiryS: HEALTH_EXPIRY_S,
      });
    }
  }

  #tellInfo(): void {
    this.#retained.set(this.topics.info, scrubbedJson(this.#context.info()));
  }

  readonly #onStream = ({ name }: StreamEntry, part: StreamPart): void => {
    const topic = this.topics.streamSnapshot(name);
    if (part === 'removed' && this.#keptSnapshots.delete(topic)) this.#retained.clear(topic);
  };

  readonly #onEvent = (event: GatewayEvent): void => {
    if (event.type === 'config-changed') this.#tellInfo();
    const suppressed = this.#events.take();
    if (suppressed === undefined) return;
    const told = suppressed === 0 ? event : { ...event, suppressed };
    if (this.#context.config.url !== undefined) this.#queue.push(told);
    const payload = scrubbedJson(told);
    this.#local?.publish({ topic: this.topics.event, payload, qos: 0, retain: false });
  };

  /** Skipped where nobody could hear it. */
  #say(topic: string, payload: string | Uint8Array, retain = false): boolean {
    const listening = this.#links().filter(({ isWritable }) => isWritable);
    for (const link of listening) link.publish({ topic, payload, qos: 0, retain });
    return listening.length > 0;
  }
}

/** The will of an earlier connection of ours, published late. */
function isWill({ topic, payload }: IncomingMessage, topics: Topics): boolean {
  return topic === topics.state && Buffer.from(payload).toString() === 'offline';
}

async function withDeadline(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
