/**
 * Tells the board over MQTT (topics.ts says where) and takes commands. The broker may come and go:
 * what is known is kept in the `RetainedSet` and goes out whole on every connect.
 */
import type { Logger } from 'pino';
import { AttemptBudget } from '../attempt-budget.ts';
import type { MqttConfig } from '../config/schema.ts';
import { LogRepeats } from '../log-repeats.ts';
import { scrub, scrubbedJson } from '../secrets.ts';
import { type SupervisedState, Supervisor } from '../supervisor.ts';
import type { Board, PublishEntry, StreamEntry, StreamPart } from './board.ts';
import type { GatewayInfo, Health } from './box-status.ts';
import { explainBroker } from './broker-causes.ts';
import type { BrokerLink, IncomingMessage } from './broker-link.ts';
import type { CommandDispatcher, CommandReply } from './commands.ts';
import { EmbeddedBroker } from './embedded-broker.ts';
import { MqttSession } from './mqtt-session.ts';
import { RateLimit } from './rate-limit.ts';
import { RetainedSet } from './retained-set.ts';
import type { FoundDevice, GatewayEvent, PositionStatus, SerialStatus } from './status.ts';
import { Topics } from './topics.ts';

const PERIOD_MS = 10_000;
/** Health older than three periods is no news; MQTT 5 brokers forget it then. */
const HEALTH_EXPIRY_S = 30;
/** Long enough after the start for discovery to have met again what it knew before. */
const SWEEP_AFTER_MS = 60_000;
const SWEEP_FOR_MS = 5_000;
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
  readonly #repeats: LogRepeats;
  readonly #retained = new RetainedSet();
  readonly #events: RateLimit;
  readonly #stopping = new AbortController();
  #link: BrokerLink | undefined;
  #embedded: EmbeddedBroker | undefined;
  #supervision: Promise<void> | undefined;
  #period: NodeJS.Timeout | undefined;
  #sweep: 'due' | 'running' | 'done' = 'due';
  #sweepTimer: NodeJS.Timeout | undefined;

  constructor(context: MqttReporterContext) {
    const { config, gatewayId, log, now } = context;
    this.#context = context;
    this.#log = log;
    this.#repeats = new LogRepeats(log);
    this.#events = new RateLimit(EVENTS_PER_S, EVENTS_BURST, now);
    this.topics = new Topics(config.baseTopic, gatewayId);
  }

  /** Where the embedded broker listens; undefined when there is none. */
  get embeddedPort(): number | undefined {
    return this.#embedded?.port;
  }

  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  /** Does not wait for a broker elsewhere; the embedded one listens when this returns. */
  async start(): Promise<void> {
    this.#retained.set(this.topics.state, 'online');
    this.#tellInfo();
    this.#tellBoard();
    this.#listen();
    if (this.#context.config.url === undefined) await this.#startEmbedded();
    else this.#supervision = this.#connect(this.#context.config.url);
    this.#period = setInterval(() => void this.#tellPeriodically(), PERIOD_MS);
    this.#period.unref();
  }

  /** Says `stopped` and closes; bounded in time. */
  async stop(): Promise<void> {
    clearInterval(this.#period);
    clearTimeout(this.#sweepTimer);
    this.#unlisten();
    this.#retained.set(this.topics.state, 'stopped');
    await withDeadline(this.#retained.flush(), FLUSH_TIMEOUT_MS);
    this.#stopping.abort();
    await this.#supervision;
    await this.#embedded?.close();
    this.#detach();
    this.#repeats.close();
  }

  /** Once, to whoever listens now. Returns the topic; undefined while there is no broker, or it does not read. */
  tellSnapshot(stream: string, jpeg: Uint8Array): string | undefined {
    const topic = this.topics.streamSnapshot(stream);
    return this.#say(topic, jpeg) ? topic : undefined;
  }

  async #startEmbedded(): Promise<void> {
    const { config } = this.#context;
    const { listen } = config.embedded;
    this.#embedded = await EmbeddedBroker.start(listen, this.#log, (message) =>
      this.#receive(message),
    );
    if (this.#embedded === undefined) return;
    this.#log.info({ listen, port: this.#embedded.port }, 'embedded MQTT broker listens');
    this.#sweep = 'done';
    this.#attach(this.#embedded);
  }

  async #connect(url: string): Promise<void> {
    const { config, gatewayId, now, random } = this.#context;
    const session = new MqttSession({
      url,
      config,
      clientId: `sluice-${gatewayId}`,
      will: { topic: this.topics.state, payload: 'offline' },
    });
    const run = async (signal: AbortSignal, up: () => void): Promise<void> => {
      try {
        await session.run(
          {
            up: (link, protocolVersion) => {
              up();
              this.#log.info(
                { broker: scrub(url), protocolVersion },
                'connected to the MQTT broker',
              );
              this.#attach(link);
            },
            message: (message) => this.#receive(message),
          },
          signal,
        );
      } finally {
        this.#detach();
      }
    };
    const supervisor = new Supervisor(
      {
        run,
        explain: (error) => explainBroker(error, url),
        changed: (state) => this.#tellConnection(state),
      },
      { budget: new AttemptBudget(1, 3, now), now, random },
    );
    await supervisor.run(this.#stopping.signal);
  }

  #tellConnection(state: SupervisedState): void {
    if (state.at !== 'waiting') return;
    const { code, reason } = state.cause;
    this.#repeats.report(`mqtt ${code}`, 'warn', { code }, reason);
  }

  #attach(link: BrokerLink): void {
    this.#link = link;
    this.#retained.attach(link);
    link.subscribe(this.topics.commandFilter, false);
    link.subscribe(this.topics.state, true);
    if (this.#sweep === 'running') this.#beginSweep(link);
    if (this.#sweep === 'due' && this.#sweepTimer === undefined) {
      this.#sweepTimer = setTimeout(
        () => this.#beginSweep(this.#link),
        this.#context.sweepAfterMs ?? SWEEP_AFTER_MS,
      );
      this.#sweepTimer.unref();
    }
    void this.#tellHealth();
  }

  #detach(): void {
    this.#link = undefined;
    this.#retained.detach();
  }

  /** Once in a life: retained state of streams, targets and devices that are no more is removed. */
  #beginSweep(link: BrokerLink | undefined): void {
    this.#sweep = 'running';
    if (link === undefined) return;
    for (const filter of this.topics.sweepFilters) link.subscribe(filter, true);
    clearTimeout(this.#sweepTimer);
    this.#sweepTimer = setTimeout(() => {
      if (this.#link !== link) return;
      for (const filter of this.topics.sweepFilters) link.unsubscribe(filter);
      this.#sweep = 'done';
    }, SWEEP_FOR_MS);
    this.#sweepTimer.unref();
  }

  #receive(message: IncomingMessage): void {
    const { topic, payload, retain } = message;
    if (topic === this.topics.state) {
      // The will of an earlier connection of ours, published late.
      if (Buffer.from(payload).toString() === 'offline') this.#retained.repeat(topic);
      return;
    }
    const verb = this.topics.verbOf(topic);
    if (verb !== undefined) {
      if (!retain) void this.#runCommand(verb, message);
    } else if (this.#sweep === 'running' && retain && payload.length > 0) {
      this.#retained.clearForeign(topic);
    }
  }

  async #runCommand(verb: string, message: IncomingMessage): Promise<void> {
    const outcome = await this.#context.commands.run(verb, message.payload);
    if (outcome.kind === 'ignored') {
      this.#log.warn({ verb, why: outcome.why }, 'command ignored: it is older than its ttlMs');
      return;
    }
    const { reply } = outcome;
    this.#log.info({ verb, ok: reply.ok }, 'command done');
    this.#reply(verb, message, reply);
  }

  #reply(verb: string, request: IncomingMessage, reply: CommandReply): void {
    const { responseTopic = '', correlationData } = request;
    const isOwn = !this.topics.canReplyTo(responseTopic);
    this.#link?.publish({
      topic: isOwn ? this.topics.reply(verb) : responseTopic,
      payload: scrubbedJson(reply),
      qos: 1,
      retain: false,
      correlationData,
    });
  }

  async #tellPeriodically(): Promise<void> {
    this.#tellInfo();
    for (const entry of this.#context.board.publishes.values()) this.#tellPublish(entry);
    for (const { name, stats } of this.#context.board.streams.values()) {
      if (stats !== undefined) this.#say(this.topics.streamStats(name), scrubbedJson(stats));
    }
    await this.#tellHealth();
  }

  async #tellHealth(): Promise<void> {
    if (this.#link === undefined) return;
    const health = await this.#context.health();
    if (this.#link?.isWritable !== true) return;
    this.#link.publish({
      topic: this.topics.health,
      payload: scrubbedJson(health),
      qos: 0,
      retain: true,
      expiryS: HEALTH_EXPIRY_S,
    });
  }

  #tellInfo(): void {
    this.#retained.set(this.topics.info, scrubbedJson(this.#context.info()));
  }

  #tellBoard(): void {
    const { board } = this.#context;
    for (const entry of board.streams.values()) {
      this.#onStream(entry, 'status');
      this.#onStream(entry, 'info');
      this.#onStream(entry, 'motion');
    }
    for (const entry of board.publishes.values()) this.#tellPublish(entry);
    for (const device of board.found.values()) this.#onFound(device, 'changed');
    for (const line of board.serial.values()) this.#onSerial(line);
    if (board.position !== undefined) this.#onPosition(board.position);
  }

  #tellPublish({ stream, target, status }: PublishEntry): void {
    this.#retained.set(this.topics.publish(stream, target), scrubbedJson(status));
  }

  #listen(): void {
    const { board } = this.#context;
    board.on('stream', this.#onStream);
    board.on('publish', this.#onPublish);
    board.on('found', this.#onFound);
    board.on('serial', this.#onSerial);
    board.on('position', this.#onPosition);
    board.on('event', this.#onEvent);
  }

  #unlisten(): void {
    const { board } = this.#context;
    board.off('stream', this.#onStream);
    board.off('publish', this.#onPublish);
    board.off('found', this.#onFound);
    board.off('serial', this.#onSerial);
    board.off('position', this.#onPosition);
    board.off('event', this.#onEvent);
  }

  readonly #onStream = (entry: StreamEntry, part: StreamPart): void => {
    const { name, status, info, motion } = entry;
    switch (part) {
      case 'status':
        this.#retained.set(this.topics.streamStatus(name), scrubbedJson(status));
        return;
      case 'info':
        if (info !== undefined)
          this.#retained.set(this.topics.streamInfo(name), scrubbedJson(info));
        return;
      case 'motion':
        if (motion !== undefined) this.#retained.set(this.topics.streamMotion(name), motion);
        return;
      case 'removed':
        this.#retained.remove(this.topics.streamStatus(name));
        this.#retained.remove(this.topics.streamInfo(name));
        this.#retained.remove(this.topics.streamMotion(name));
        return;
      case 'stats':
      // Every 10 s, with all the others.
    }
  };

  readonly #onPublish = (entry: PublishEntry, part: 'status' | 'stats' | 'removed'): void => {
    if (part === 'status') this.#tellPublish(entry);
    if (part === 'removed') this.#retained.remove(this.topics.publish(entry.stream, entry.target));
  };

  readonly #onFound = (device: FoundDevice, part: 'changed' | 'removed'): void => {
    if (part === 'changed') this.#retained.set(this.topics.found(device.id), scrubbedJson(device));
    else this.#retained.remove(this.topics.found(device.id));
  };

  readonly #onSerial = (line: SerialStatus): void => {
    this.#retained.set(this.topics.serial(line.name), scrubbedJson(line));
  };

  readonly #onPosition = (position: PositionStatus): void => {
    this.#retained.set(this.topics.position, scrubbedJson(position));
  };

  readonly #onEvent = (event: GatewayEvent): void => {
    const suppressed = this.#events.take();
    if (suppressed === undefined) return;
    this.#say(this.topics.event, scrubbedJson(suppressed === 0 ? event : { ...event, suppressed }));
  };

  /** Not retained: skipped when nobody could hear it. */
  #say(topic: string, payload: string | Uint8Array): boolean {
    if (this.#link?.isWritable !== true) return false;
    this.#link.publish({ topic, payload, qos: 0, retain: false });
    return true;
  }
}

async function withDeadline(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
