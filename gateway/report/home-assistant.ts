/**
 * Keeps Home Assistant's discovery topics as the board is. Loaded where `mqtt.homeAssistant` is set.
 *
 * Home Assistant forgets a component when it is sent with its platform alone, and a device when its topic is cleared. What an
 * earlier life of this gateway told is read from the broker first, so that what went meanwhile is taken back, too.
 */
import type { EventEmitter } from 'node:events';
import type { Board, PublishEntry, StreamEntry, StreamPart } from './board.ts';
import type { GatewayInfo, Health } from './box-status.ts';
import type { BrokerLink, IncomingMessage } from './broker-link.ts';
import type { CommandDispatcher, CommandEvents } from './commands.ts';
import type { DiscoveryPayload, Platform } from './home-assistant-device.ts';
import { gatewayDevice } from './home-assistant-gateway.ts';
import { readComponents, readPresets } from './home-assistant-reading.ts';
import { type Preset, streamDevice } from './home-assistant-stream.ts';
import type { RetainedSet } from './retained-set.ts';
import type { Topics } from './topics.ts';

/** What changes together goes out together. */
const GATHER_MS = 1_000;
/** The broker has then told what it holds of our topics. */
const FIRST_AFTER_MS = 3_000;
/** Discovery has then met again what it knew before; what has not come back is taken from Home Assistant. */
const CLEAR_AFTER_MS = 60_000;
/** Home Assistant asks for it: all devices of a house must not answer at once. */
const BIRTH_SPREAD_MS = 10_000;
/** A camera whose stream flaps is not asked for its presets each time. */
const PRESETS_AGE_MS = 60_000;
/** Of earlier lives; a gateway has hundreds of streams at most. */
const MAX_EARLIER_TOPICS = 1_000;

export interface HomeAssistantContext {
  readonly prefix: string;
  readonly topics: Topics;
  readonly gatewayId: string;
  readonly board: Board;
  readonly retained: Pick<RetainedSet, 'set' | 'remove' | 'clear' | 'repeat'>;
  readonly info: () => GatewayInfo;
  readonly commands: Pick<CommandDispatcher, 'run'> & EventEmitter<CommandEvents>;
  /** Milliseconds of a clock that never goes backwards. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

interface PresetsOfStream {
  readonly askedAtMs: number;
  presets: readonly Preset[] | undefined;
}

export class HomeAssistant {
  readonly #context: HomeAssistantContext;
  readonly #statusTopic: string;
  readonly #gatewayTopic: string;
  /** Components told before, by topic: of an earlier life, and of this one. */
  readonly #told = new Map<string, Map<string, Platform>>();
  /** Topics that are ours now. */
  readonly #topics = new Set<string>();
  readonly #presets = new Map<string, PresetsOfStream>();
  /** Streams whose presets somebody has changed; their cameras are asked soon. */
  readonly #otherPresets = new Set<string>();
  readonly #online = new Set<string>();
  /** Streams whose device may have changed; undefined: that of the gateway. */
  readonly #dirty = new Set<string | undefined>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #phase: 'new' | 'listening' | 'telling' = 'new';
  #gathering: NodeJS.Timeout | undefined;
  #health: Health | undefined;

  constructor(context: HomeAssistantContext) {
    const { prefix, gatewayId } = context;
    this.#context = context;
    this.#statusTopic = `${prefix}/status`;
    this.#gatewayTopic = `${prefix}/device/${gatewayId}/config`;
  }

  /** A broker is there, for the first time or again. `isMain`: an earlier life told it, too, or there is no other. */
  attach(link: BrokerLink, isMain: boolean): void {
    const { prefix, gatewayId } = this.#context;
    link.subscribe(this.#statusTopic, true);
    if (!isMain || this.#phase === 'telling') return;
    link.subscribe(this.#gatewayTopic, true);
    link.subscribe(`${prefix}/device/${gatewayId}/+/config`, true);
    if (this.#phase === 'listening') return;
    this.#phase = 'listening';
    this.#after(FIRST_AFTER_MS, () => this.#begin());
  }

  close(): void {
    const { board, commands } = this.#context;
    board.off('stream', this.#onStream);
    board.off('publish', this.#onPublish);
    commands.off('done', this.#onCommand);
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#gathering);
    // A camera may still answer.
    this.#phase = 'new';
  }

  /** Whether the message was for Home Assistant's sake. */
  receive({ topic, payload }: Pick<IncomingMessage, 'topic' | 'payload'>): boolean {
    if (topic === this.#statusTopic) {
      if (Buffer.from(payload).toString() === 'online') this.#onBirth();
      return true;
    }
    if (!this.#isDeviceTopic(topic)) return false;
    // Later ones are our own.
    const isEarlier = this.#phase === 'listening' && this.#told.size < MAX_EARLIER_TOPICS;
    if (isEarlier && payload.length > 0) this.#told.set(topic, readComponents(payload));
    return true;
  }

  tellHealth(health: Health): void {
    this.#health = health;
    // It may be the first that tells a temperature.
    this.#touch(undefined);
  }

  #begin(): void {
    const { board, commands } = this.#context;
    this.#phase = 'telling';
    board.on('stream', this.#onStream);
    board.on('publish', this.#onPublish);
    commands.on('done', this.#onCommand);
    this.#touch(undefined);
    for (const entry of board.streams.values()) this.#onStream(entry, 'info');
    this.#flush();
    this.#after(CLEAR_AFTER_MS, () => this.#clearEarlier());
  }

  #onBirth(): void {
    this.#after(this.#context.random() * BIRTH_SPREAD_MS, () => {
      for (const topic of this.#topics) this.#context.retained.repeat(topic);
      for (const name of this.#online) this.#learnPresets(name);
    });
  }

  readonly #onStream = (entry: StreamEntry, part: StreamPart): void => {
    const { name, status } = entry;
    if (part === 'stats') return;
    const isOnline = part !== 'removed' && status.state === 'online';
    if (isOnline) this.#online.add(name);
    else this.#online.delete(name);
    if (part === 'removed') this.#presets.delete(name);
    // Abilities are told once the stream is online.
    else if (isOnline && part === 'info') this.#learnPresets(name);
    this.#touch(name);
  };

  readonly #onPublish = ({ stream }: PublishEntry, part: 'status' | 'stats' | 'removed'): void => {
    if (part !== 'stats') this.#touch(stream);
  };

  readonly #onCommand = (
    verb: string,
    { name, action }: Readonly<Record<string, unknown>>,
  ): void => {
    const isChange = verb === 'ptz' && (action === 'set-preset' || action === 'remove-preset');
    if (!isChange || typeof name !== 'string' || this.#otherPresets.has(name)) return;
    this.#otherPresets.add(name);
    this.#after(GATHER_MS, () => {
      this.#otherPresets.delete(name);
      this.#learnPresets(name, 0);
    });
  };

  #touch(stream: string | undefined): void {
    if (this.#phase !== 'telling') return;
    this.#dirty.add(stream);
    if (this.#gathering !== undefined) return;
    this.#gathering = setTimeout(() => this.#flush(), GATHER_MS);
    this.#gathering.unref();
  }

  #flush(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const { board, topics, info } = this.#context;
    const gateway = info();
    for (const name of this.#dirty) {
      if (name === undefined) {
        this.#tell(this.#gatewayTopic, gatewayDevice(topics, gateway, this.#health));
        continue;
      }
      const entry = board.streams.get(name);
      if (entry === undefined) this.#forget(this.#topicOf(name));
      else this.#tell(this.#topicOf(name), streamDevice(topics, gateway, this.#factsOf(entry)));
    }
    this.#dirty.clear();
  }

  #factsOf({ name, info, motion }: StreamEntry) {
    const targets = [...this.#context.board.publishes.values()]
      .filter(({ stream }) => stream === name)
      .map(({ target }) => target)
      .sort();
    const presets = info?.ptz?.presets === 'list' ? this.#presets.get(name)?.presets : undefined;
    return { name, info, hasMotion: motion !== undefined, targets, presets };
  }

  /** With what is no more named by its platform alone: for as long as this life lasts, for Home Assistant may be away just now. */
  #tell(topic: string, payload: DiscoveryPayload): void {
    const told = this.#told.get(topic) ?? new Map<string, Platform>();
    for (const [id, { p }] of Object.entries(payload.cmps)) told.set(id, p);
    const gone = [...told].filter(([id]) => payload.cmps[id] === undefined);
    const removed = Object.fromEntries(gone.map(([id, p]) => [id, { p }]));
    this.#told.set(topic, told);
    this.#topics.add(topic);
    this.#context.retained.set(
      topic,
      JSON.stringify({ ...payload, cmps: { ...payload.cmps, ...removed } }),
    );
  }

  #forget(topic: string): void {
    this.#told.delete(topic);
    if (this.#topics.delete(topic)) this.#context.retained.remove(topic);
  }

  #clearEarlier(): void {
    for (const topic of [...this.#told.keys()]) {
      if (this.#topics.has(topic)) continue;
      this.#told.delete(topic);
      this.#context.retained.clear(topic);
    }
  }

  /** Asks the camera, where it can list them, and was not asked for so long. */
  #learnPresets(name: string, ageMs = PRESETS_AGE_MS): void {
    const { board, commands, now } = this.#context;
    if (board.streams.get(name)?.info?.ptz?.presets !== 'list') return;
    const known = this.#presets.get(name);
    if (known !== undefined && now() - known.askedAtMs < ageMs) return;
    const asked: PresetsOfStream = { askedAtMs: now(), presets: known?.presets };
    this.#presets.set(name, asked);
    const request = Buffer.from(JSON.stringify({ name, action: 'presets' }));
    void commands.run('ptz', request).then((outcome) => {
      if (this.#presets.get(name) !== asked) return;
      if (outcome.kind !== 'reply' || !outcome.reply.ok) return;
      asked.presets = readPresets(outcome.reply.data);
      this.#touch(name);
    });
  }

  #topicOf(stream: string): string {
    const { prefix, gatewayId } = this.#context;
    return `${prefix}/device/${gatewayId}/${stream}/config`;
  }

  #isDeviceTopic(topic: string): boolean {
    const { prefix, gatewayId } = this.#context;
    return topic.startsWith(`${prefix}/device/${gatewayId}/`);
  }

  #after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    timer.unref();
    this.#timers.add(timer);
  }
}
