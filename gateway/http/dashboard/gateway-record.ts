/** One gateway as its messages tell: what the screens read, and what writes it. */
import { computed, type Signal, signal } from '@preact/signals';
import type { GatewayInfo, Health } from '../../report/box-status.ts';
import type {
  FoundDevice,
  GatewayEvent,
  PositionStatus,
  PublishStatus,
  SerialStatus,
} from '../../report/status.ts';
import { shownStatus } from './absence.ts';
import type { Absence, GatewayModel, PublishModel, StreamModel } from './model.ts';
import { byName } from './name-order.ts';
import { parsePayload } from './parse-payload.ts';
import {
  isFoundDevice,
  isGatewayEvent,
  isGatewayInfo,
  isHealth,
  isPositionStatus,
  isPublishStatus,
  isSerialStatus,
} from './payload-shape.ts';
import { StreamRecord, type StreamRecordContext } from './stream-record.ts';

/** A box carries some dozens; anything beyond is an error or an attack. */
const MAX_STREAMS = 512;
const MAX_PUBLISHES = 1_024;
const MAX_FOUND = 1_024;
const MAX_SERIAL = 64;

const NAME = /^[a-z0-9-]{1,48}$/;
const STATES = ['online', 'offline', 'stopped'] as const;

export interface Arrival {
  readonly nowMs: number;
  /** What the history of a stream may have. */
  readonly maxSamples: () => number;
  /** Of one gateway. */
  readonly maxEvents: () => number;
}

interface PublishRecord extends PublishModel {
  readonly told: Signal<PublishStatus>;
}

export class GatewayRecord implements GatewayModel {
  readonly id: string;
  readonly state = signal<(typeof STATES)[number] | undefined>(undefined);
  readonly info = signal<GatewayInfo | undefined>(undefined);
  readonly health = signal<Health | undefined>(undefined);
  readonly absence = computed<Absence | undefined>(() => {
    const state = this.state.value;
    if (state === undefined || state === 'online') return undefined;
    return { state, since: this.health.value?.at };
  });
  readonly streams = signal<readonly StreamModel[]>([]);
  readonly publishes = signal<readonly PublishModel[]>([]);
  readonly found = signal<readonly FoundDevice[]>([]);
  readonly serial = computed(() =>
    this.#toldSerial.value.map((line) => shownStatus(line, this.absence.value)),
  );
  readonly position = signal<PositionStatus | undefined>(undefined);
  readonly events = signal<readonly GatewayEvent[]>([]);
  readonly #context: StreamRecordContext;
  readonly #toldSerial = signal<readonly SerialStatus[]>([]);
  readonly #streams = new Map<string, StreamRecord>();
  readonly #publishes = new Map<string, PublishRecord>();
  readonly #found = new Map<string, FoundDevice>();
  readonly #serial = new Map<string, SerialStatus>();
  /** What is kept at the broker and was not told again since the last connection. */
  readonly #untold = new Map<string, () => void>();
  #isTold = true;

  constructor(id: string, context: StreamRecordContext) {
    this.id = id;
    this.#context = context;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** `path`: the levels behind the gateway's id. False: not understood. */
  take(path: readonly string[], payload: Uint8Array, arrival: Arrival): boolean {
    const [kind = '', first, second] = path;
    this.#untold.delete(path.join('/'));
    this.#isTold = true;
    switch (path.length) {
      case 1:
        return this.#takeOwn(kind, payload, arrival);
      case 2:
        if (first === undefined || !NAME.test(first)) return false;
        if (kind === 'found') {
          return this.#takeListed(
            this.#found,
            this.found,
            first,
            payload,
            isFoundDevice,
            MAX_FOUND,
          );
        }
        return (
          kind === 'serial' &&
          this.#takeListed(
            this.#serial,
            this.#toldSerial,
            first,
            payload,
            isSerialStatus,
            MAX_SERIAL,
          )
        );
      case 3:
        if (first === undefined || second === undefined || !NAME.test(first)) return false;
        if (kind === 'stream') return this.#takeStream(first, second, payload, arrival);
        return kind === 'publish' && NAME.test(second) && this.#takePublish(first, second, payload);
      default:
        return false;
    }
  }

  beginRetelling(): void {
    this.#isTold = false;
    this.#untold.clear();
    const gone = (path: string, forget: () => void) => this.#untold.set(path, forget);
    for (const name of this.#streams.keys()) {
      gone(`stream/${name}/status`, () => this.#forgetStream(name));
    }
    for (const [key, { stream, target }] of this.#publishes) {
      gone(`publish/${stream}/${target}`, () => {
        this.#publishes.delete(key);
        this.#listPublishes();
      });
    }
    for (const id of this.#found.keys()) {
      gone(`found/${id}`, () => this.#forgetListed(this.#found, this.found, id));
    }
    for (const name of this.#serial.keys()) {
      gone(`serial/${name}`, () => this.#forgetListed(this.#serial, this.#toldSerial, name));
    }
  }

  /** False: nothing was told of this gateway any more. */
  endRetelling(): boolean {
    if (!this.#isTold) {
      this.clear();
      return false;
    }
    for (const forget of this.#untold.values()) forget();
    this.#untold.clear();
    return true;
  }

  /** It is shown no longer. */
  clear(): void {
    for (const stream of this.#streams.values()) stream.clear();
  }

  #takeOwn(kind: string, payload: Uint8Array, { maxEvents }: Arrival): boolean {
    switch (kind) {
      case 'state': {
        const words = new TextDecoder().decode(payload);
        const state = STATES.find((known) => known === words);
        if (state !== undefined) this.state.value = state;
        return state !== undefined;
      }
      case 'info':
        return assign(this.info, payload, isGatewayInfo);
      case 'health':
        return assign(this.health, payload, isHealth);
      case 'position':
        return assign(this.position, payload, isPositionStatus);
      case 'event': {
        const event = parsePayload(payload, isGatewayEvent);
        if (event === undefined) return false;
        const { value: known } = this.events;
        // Those that are recalled come late, and some were told meanwhile.
        if (known.some((one) => isSameEvent(one, event))) return true;
        const newer = known.filter(({ at }) => at > event.at);
        const rest = known.filter(({ at }) => at <= event.at);
        this.events.value = [...newer, event, ...rest].slice(0, maxEvents());
        return true;
      }
      default:
        return false;
    }
  }

  #takeStream(name: string, part: string, payload: Uint8Array, arrival: Arrival): boolean {
    const known = this.#streams.get(name);
    if (part === 'status' && payload.length === 0) {
      this.#forgetStream(name);
      return true;
    }
    // Late words of a stream that is gone do not bring it back.
    const isFirst = part === 'status' || part === 'info';
    if (known === undefined && (payload.length === 0 || !isFirst)) return true;
    if (known === undefined && this.#streams.size >= MAX_STREAMS) return false;
    const record = known ?? new StreamRecord(this.id, name, this.absence, this.#context);
    const isTaken = record.take(part, payload, arrival);
    if (isTaken && known === undefined) {
      this.#streams.set(name, record);
      this.#listStreams();
    }
    return isTaken;
  }

  #forgetStream(name: string): void {
    this.#streams.get(name)?.clear();
    if (this.#streams.delete(name)) this.#listStreams();
  }

  #listStreams(): void {
    this.streams.value = sorted(this.#streams);
  }

  #takePublish(stream: string, target: string, payload: Uint8Array): boolean {
    const key = `${stream}/${target}`;
    const known = this.#publishes.get(key);
    if (payload.length === 0) {
      if (this.#publishes.delete(key)) this.#listPublishes();
      return true;
    }
    const status = parsePayload(payload, isPublishStatus);
    if (status === undefined) return false;
    if (known !== undefined) {
      known.told.value = status;
      return true;
    }
    if (this.#publishes.size >= MAX_PUBLISHES) return false;
    const told = signal(status);
    this.#publishes.set(key, {
      ...{ gateway: this.id, stream, target, told },
      status: computed(() => shownStatus(told.value, this.absence.value)),
    });
    this.#listPublishes();
    return true;
  }

  #listPublishes(): void {
    this.publishes.value = sorted(this.#publishes);
  }

  #takeListed<T>(
    all: Map<string, T>,
    shown: Signal<readonly T[]>,
    name: string,
    payload: Uint8Array,
    isWhole: (value: unknown) => value is T,
    max: number,
  ): boolean {
    if (payload.length === 0) {
      this.#forgetListed(all, shown, name);
      return true;
    }
    const value = parsePayload(payload, isWhole);
    if (value === undefined || (all.size >= max && !all.has(name))) return false;
    all.set(name, value);
    shown.value = sorted(all);
    return true;
  }

  #forgetListed<T>(all: Map<string, T>, shown: Signal<readonly T[]>, name: string): void {
    if (all.delete(name)) shown.value = sorted(all);
  }
}

function isSameEvent(a: GatewayEvent, b: GatewayEvent): boolean {
  return a.at === b.at && a.type === b.type && a.message === b.message;
}

function assign<T>(
  to: Signal<T | undefined>,
  payload: Uint8Array,
  isWhole: (value: unknown) => value is T,
): boolean {
  const value = payload.length === 0 ? undefined : parsePayload(payload, isWhole);
  if (payload.length > 0 && value === undefined) return false;
  to.value = value;
  return true;
}

function sorted<T>(all: ReadonlyMap<string, T>): readonly T[] {
  return [...all].sort(([a], [b]) => byName(a, b)).map(([, value]) => value);
}
