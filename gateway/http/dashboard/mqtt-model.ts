/**
 * Messages → what the page knows. Whoever may write at the broker can send anything: what is not understood is ignored and counted, and
 * nothing grows without end.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { GatewayRecord } from './gateway-record.ts';
import type { GatewayModel } from './model.ts';
import { byName } from './name-order.ts';
import { maxPayloadBytes } from './payload-limits.ts';

/** A fleet of a thousand boxes is one of several brokers. */
const MAX_GATEWAYS = 1_000;
/** In all, so that many streams have shorter histories: about 200 bytes each. */
const MAX_SAMPLES = 200_000;
/** Half an hour, one every 10 s. */
const MAX_HISTORY_SAMPLES = 180;
const MIN_HISTORY_SAMPLES = 12;
/** In all: a screen shows 500, and sorts those of all gateways whenever one comes. */
const MAX_EVENTS = 10_000;
const MAX_GATEWAY_EVENTS = 500;
const MIN_GATEWAY_EVENTS = 20;

const NAME = /^[a-z0-9-]{1,48}$/;

export interface MqttModelContext {
  readonly baseTopic: string;
  /** Local view: others at the same broker are not shown. */
  readonly only: string | undefined;
  /** A JPEG becomes something that an `img` shows, and is let go. */
  readonly makeUrl: (jpeg: Uint8Array) => string;
  readonly dropUrl: (url: string) => void;
}

export class MqttModel {
  /** Messages that were not understood, or were too many or too large. */
  ignored = 0;
  readonly #context: MqttModelContext;
  readonly #prefix: string;
  readonly #records = new Map<string, GatewayRecord>();
  readonly #gateways = signal<readonly GatewayModel[]>([]);

  constructor(context: MqttModelContext) {
    this.#context = context;
    this.#prefix = `${context.baseTopic}/`;
  }

  get gateways(): ReadonlySignal<readonly GatewayModel[]> {
    return this.#gateways;
  }

  receive(topic: string, payload: Uint8Array, nowMs: number): void {
    if (!this.#take(topic, payload, nowMs)) this.ignored += 1;
  }

  /** The broker tells all that it keeps, from now on. */
  beginRetelling(): void {
    for (const record of this.#records.values()) record.beginRetelling();
  }

  /** What was not told since has gone while nobody listened. */
  endRetelling(): void {
    for (const [id, record] of this.#records) {
      if (!record.endRetelling()) this.#records.delete(id);
    }
    this.#list();
  }

  /** It is shown no longer. */
  clear(): void {
    for (const record of this.#records.values()) record.clear();
    this.#records.clear();
    this.#list();
  }

  #take(topic: string, payload: Uint8Array, nowMs: number): boolean {
    if (!topic.startsWith(this.#prefix)) return false;
    const [id = '', ...path] = topic.slice(this.#prefix.length).split('/');
    const { only } = this.#context;
    if (!NAME.test(id) || (only !== undefined && id !== only)) return false;
    if (payload.length > maxPayloadBytes(path)) return false;
    const known = this.#records.get(id);
    if (path.length === 1 && path[0] === 'state' && payload.length === 0) {
      // Somebody has taken a gateway that is no more from the broker.
      known?.clear();
      if (this.#records.delete(id)) this.#list();
      return true;
    }
    if (known === undefined && (payload.length === 0 || this.#records.size >= MAX_GATEWAYS)) {
      return payload.length === 0;
    }
    const record = known ?? new GatewayRecord(id, this.#context);
    const isTaken = record.take(path, payload, {
      nowMs,
      maxSamples: () => this.#maxSamples(),
      maxEvents: () => this.#maxEvents(),
    });
    if (isTaken && known === undefined) {
      this.#records.set(id, record);
      this.#list();
    }
    return isTaken;
  }

  #maxSamples(): number {
    let streams = 1;
    for (const record of this.#records.values()) streams += record.streamCount;
    return share(MAX_SAMPLES, streams, MIN_HISTORY_SAMPLES, MAX_HISTORY_SAMPLES);
  }

  #maxEvents(): number {
    return share(MAX_EVENTS, this.#records.size, MIN_GATEWAY_EVENTS, MAX_GATEWAY_EVENTS);
  }

  #list(): void {
    this.#gateways.value = [...this.#records.values()].sort((a, b) => byName(a.id, b.id));
  }
}

function share(all: number, among: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, Math.floor(all / Math.max(1, among))));
}
