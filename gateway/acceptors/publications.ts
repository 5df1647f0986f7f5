/**
 * Everything that is pushed in goes through here, whatever the protocol: who may have which name. One publisher
 * per name; names of cameras are theirs; a stream that came through this gateway already is a loop.
 */
import type { Hub } from '../hub/hub.ts';
import type { Stream } from '../hub/stream.ts';
import { toName } from '../names.ts';
import type { Steered } from '../steering/steering.ts';
import type { PushedNames } from './pushed-names.ts';
import {
  type Publication,
  type Publisher,
  PushedStream,
  type PushedStreamContext,
} from './pushed-stream.ts';

/** A stream that was there is told to be gone for so long: whoever looks the next morning should find it. */
const KEEP_NAME_MS = 24 * 60 * 60 * 1000;
/** A name that never had a picture: an encoder that is being set up is back in less. */
const KEEP_UNUSED_NAME_MS = 60_000;
/** All of one process together; each costs a status, a GOP cache and its links. */
const MAX_PUSHED_STREAMS = 1_024;
const TICK_MS = 1_000;
const TICKS_PER_STATS = 10;

export type RefusalCode = 'name-taken' | 'bad-name' | 'loop' | 'busy';

export class PublicationRefused extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = 'PublicationRefused';
    this.code = code;
  }
}

export interface PublicationsContext extends PushedStreamContext {
  readonly hub: Hub;
  readonly gatewayId: string;
  /** Names that cameras have. */
  readonly isReserved: (name: string) => boolean;
  /** undefined: nothing is kept over a restart. */
  readonly names?: PushedNames | undefined;
}

export class Publications {
  /** Set by the owner: a publisher asked for its stream to be recorded; disposed of when it goes. */
  record: (stream: Stream, type: 'record' | 'append') => Disposable | undefined = () => undefined;
  readonly #context: PublicationsContext;
  readonly #pushed = new Map<string, PushedStream>();
  /** Names that stay although nobody publishes them. */
  readonly #expected = new Set<string>();
  /** Those that were there: they are kept over a restart. */
  readonly #known = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;

  constructor(context: PublicationsContext) {
    this.#context = context;
  }

  start(): void {
    this.#timer = setInterval(() => this.tick(this.#context.now()), TICK_MS);
  }

  /** Every publisher is sent away. */
  stop(): void {
    clearInterval(this.#timer);
    for (const pushed of this.#pushed.values()) pushed.end('this gateway is stopping');
  }

  /** Those that an earlier life knew are missed from now on. */
  recall(): void {
    for (const name of this.#context.names?.read() ?? []) {
      if (this.#pushed.has(name) || this.#context.isReserved(name)) continue;
      if (this.#pushed.size >= MAX_PUSHED_STREAMS) return;
      this.#make(name).wasOnline = true;
      this.#known.add(name);
    }
  }

  /** A name that is known from the configuration: people see that it waits for a publisher. */
  expect(name: string): void {
    this.#expected.add(name);
    if (!this.#pushed.has(name)) this.#make(name);
  }

  /** Throws `PublicationRefused`. */
  open(publisher: Publisher): Publication {
    const { gatewayId, isReserved } = this.#context;
    const name = toName(publisher.name, '');
    if (name === '') {
      throw new PublicationRefused('bad-name', 'a stream name needs a letter or a digit');
    }
    if (publisher.via.includes(gatewayId)) {
      const way = [...publisher.via, gatewayId].join(' → ');
      throw new PublicationRefused('loop', `the stream has been here before: ${way}`);
    }
    if (isReserved(name)) {
      throw new PublicationRefused('name-taken', `${name} is the name of a source of this gateway`);
    }
    const pushed = this.#pushed.get(name) ?? this.#make(name);
    if (pushed.publisher !== undefined) {
      if (publisher.duplicate === 'reject') {
        const words = `${name} is being published by ${pushed.publisher.peer}`;
        throw new PublicationRefused('name-taken', words);
      }
      pushed.end(`${publisher.peer} publishes the same name`);
    }
    const { publishType } = publisher;
    let recording: Disposable | undefined;
    const publication = pushed.open(publisher, () => recording?.[Symbol.dispose]());
    if (publishType !== 'live') recording = this.record(pushed.stream, publishType);
    return publication;
  }

  /** Its publisher is sent away; encoders come back by themselves. False: nobody publishes it. */
  restart(name: string): boolean {
    const pushed = this.#pushed.get(name);
    if (pushed?.publisher === undefined) return false;
    pushed.end('the stream is to begin anew');
    return true;
  }

  /** What is pushed in may be asked for, but there is no camera that could do anything. */
  steered(name: string): Steered | undefined {
    const pushed = this.#pushed.get(name);
    return pushed && { who: pushed.who, ptz: undefined, controls: undefined };
  }

  /** Called once a second with the time. */
  tick(nowMs: number): void {
    this.#ticks += 1;
    let isAnyNew = false;
    for (const [name, pushed] of this.#pushed) {
      pushed.tick(nowMs);
      if (this.#ticks % TICKS_PER_STATS === 0) pushed.tellStats(TICK_MS * TICKS_PER_STATS);
      const { idleSinceMs, wasOnline } = pushed;
      if (wasOnline && !this.#known.has(name) && !this.#expected.has(name)) {
        this.#known.add(name);
        isAnyNew = true;
      }
      if (idleSinceMs === undefined || this.#expected.has(name)) continue;
      const keepMs = wasOnline ? KEEP_NAME_MS : KEEP_UNUSED_NAME_MS;
      if (nowMs - idleSinceMs >= keepMs) this.#forget(name, pushed);
    }
    if (isAnyNew) this.#keepNames();
  }

  /** Its name is to be had: nobody publishes it, and no acceptor is there for it alone. */
  isAway(name: string): boolean {
    return this.#pushed.get(name)?.idleSinceMs !== undefined && !this.#expected.has(name);
  }

  /** Somebody else is to have the name, or nobody. False: it is not to be had. */
  giveUp(name: string): boolean {
    const pushed = this.#pushed.get(name);
    if (pushed === undefined || !this.isAway(name)) return false;
    this.#forget(name, pushed);
    return true;
  }

  #make(name: string): PushedStream {
    if (this.#pushed.size >= MAX_PUSHED_STREAMS && !this.#forgetTheIdlest()) {
      throw new PublicationRefused('busy', `this gateway carries ${MAX_PUSHED_STREAMS} streams`);
    }
    const pushed = new PushedStream(this.#context.hub.open(name), this.#context);
    this.#pushed.set(name, pushed);
    return pushed;
  }

  #forgetTheIdlest(): boolean {
    let idlest: string | undefined;
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const [name, { idleSinceMs = sinceMs }] of this.#pushed) {
      if (idleSinceMs >= sinceMs || this.#expected.has(name)) continue;
      idlest = name;
      sinceMs = idleSinceMs;
    }
    return idlest !== undefined && this.giveUp(idlest);
  }

  #forget(name: string, pushed: PushedStream): void {
    this.#pushed.delete(name);
    this.#context.hub.remove(name);
    pushed.forget();
    if (this.#known.delete(name)) this.#keepNames();
  }

  #keepNames(): void {
    this.#context.names?.keep([...this.#known]);
  }
}
