/**
 * What the page knows: gateways by id, as their topics tell (`../../report/topics.ts`). Everything that changes is a signal, so
 * that a component which reads one is drawn again when that one changes, and no other. `mqtt-model.ts` writes it; screens only read it.
 */
import type { ReadonlySignal } from '@preact/signals';
import type { GatewayInfo, Health } from '../../report/box-status.ts';
import type {
  FoundDevice,
  GatewayEvent,
  Motion,
  PositionStatus,
  PublishStatus,
  SerialStatus,
  StreamInfo,
  StreamStats,
  StreamStatus,
} from '../../report/status.ts';

/** `stats` with the time at which it came, the oldest first; half an hour at most. */
export interface StatsSample {
  readonly atMs: number;
  readonly stats: StreamStats;
}

/** A gateway that is not there. */
export interface Absence {
  /** Its box or its way to the broker is gone, or it was told to end. */
  readonly state: 'offline' | 'stopped';
  /** When it last told how it does, to some seconds. */
  readonly since: string | undefined;
}

/** A status as it is shown: while the gateway is absent, nothing of it is online (`absence.ts`). */
export type Shown<T extends { readonly state: string; readonly code: string }> = Omit<
  T,
  'state' | 'code'
> & {
  readonly state: T['state'] | 'offline';
  readonly code: T['code'] | 'gateway-gone';
};

export interface StreamModel {
  readonly gateway: string;
  readonly name: string;
  readonly status: ReadonlySignal<Shown<StreamStatus> | undefined>;
  readonly info: ReadonlySignal<StreamInfo | undefined>;
  /** As they are now: none while the gateway is absent. */
  readonly stats: ReadonlySignal<StreamStats | undefined>;
  readonly history: ReadonlySignal<readonly StatsSample[]>;
  readonly motion: ReadonlySignal<Motion | undefined>;
  /** The newest JPEG as an object URL. */
  readonly snapshot: ReadonlySignal<string | undefined>;
}

export interface PublishModel {
  readonly gateway: string;
  readonly stream: string;
  readonly target: string;
  readonly status: ReadonlySignal<Shown<PublishStatus> | undefined>;
}

export interface GatewayModel {
  readonly id: string;
  readonly state: ReadonlySignal<'online' | 'offline' | 'stopped' | undefined>;
  readonly absence: ReadonlySignal<Absence | undefined>;
  readonly info: ReadonlySignal<GatewayInfo | undefined>;
  /** As it was at `health.at`. */
  readonly health: ReadonlySignal<Health | undefined>;
  /** By name, sorted. */
  readonly streams: ReadonlySignal<readonly StreamModel[]>;
  /** By stream and target, sorted. */
  readonly publishes: ReadonlySignal<readonly PublishModel[]>;
  readonly found: ReadonlySignal<readonly FoundDevice[]>;
  readonly serial: ReadonlySignal<readonly Shown<SerialStatus>[]>;
  readonly position: ReadonlySignal<PositionStatus | undefined>;
  /** The newest first, 500 at most. */
  readonly events: ReadonlySignal<readonly GatewayEvent[]>;
}

export type Connection =
  | { readonly at: 'connecting' }
  | { readonly at: 'connected' }
  /** Trying again by itself. */
  | { readonly at: 'waiting'; readonly reason: string }
  /** Nothing to try: a login is needed. */
  | { readonly at: 'login-needed' };

/** A reply that says no, or none in time (`timeout`), or nobody to ask (`offline`). */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Fleet {
  readonly connection: ReadonlySignal<Connection>;
  /** By id, sorted. */
  readonly gateways: ReadonlySignal<readonly GatewayModel[]>;
  /** Local view: the page is served by the one gateway that it shows. */
  readonly isLocal: boolean;
  /** Fleet view: where a stream plays as HTTP-FLV, with `{gateway}` and `{stream}` in it. */
  readonly playUrl?: string | undefined;
  /** The reply's `data`; rejects with a `CommandFailure`. */
  command(gateway: string, verb: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
}
