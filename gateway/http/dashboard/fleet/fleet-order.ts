/** The rows of the fleet table: what they sort and filter by. */
import { computed, type ReadonlySignal } from '@preact/signals';
import type { Health } from '../../../report/box-status.ts';
import type { GatewayModel } from '../model.ts';
import { byName } from '../name-order.ts';

export type Column =
  | 'id'
  | 'state'
  | 'cameras'
  | 'pushes'
  | 'uplink'
  | 'temperature'
  | 'cpu'
  | 'memory'
  | 'version'
  | 'seen';

export interface Order {
  readonly by: Column;
  readonly isReversed: boolean;
}

interface Count {
  readonly up: number;
  readonly total: number;
}

export interface Row {
  readonly gateway: GatewayModel;
  readonly health: Health | undefined;
  readonly seenAt: string | undefined;
  readonly cameras: Count;
  readonly pushes: Count;
  /** In which a filter looks, in lower case. */
  readonly text: string;
}

/** Those that need somebody come first. */
const STATES = ['offline', 'stopped', 'online'];

const rows = new WeakMap<GatewayModel, ReadonlySignal<Row>>();

/** The same object until something of that gateway changes, so that its row alone is drawn again. */
export function currentRow(gateway: GatewayModel): Row {
  const known = rows.get(gateway) ?? computed(() => rowOf(gateway));
  rows.set(gateway, known);
  return known.value;
}

export function rowOf(gateway: GatewayModel): Row {
  const info = gateway.info.value;
  const health = gateway.health.value;
  const words = [gateway.id, gateway.state.value, info?.version, info?.host, info?.board];
  return {
    gateway,
    // The past is no load, temperature or uplink of now.
    health: gateway.absence.value === undefined ? health : undefined,
    seenAt: health?.at,
    // Health tells as much, every 10 s; this is so at once.
    cameras: count(gateway.streams.value.map(({ status }) => status.value?.state === 'online')),
    pushes: count(
      gateway.publishes.value.map(({ status }) => status.value?.state === 'publishing'),
    ),
    text: [...words, ...(info?.addresses ?? [])].join(' ').toLowerCase(),
  };
}

/** What is not known comes last, whichever way round. */
export function sortRows(rows: readonly Row[], { by, isReversed }: Order): readonly Row[] {
  const sign = isReversed ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [keyOf(a, by), keyOf(b, by)];
    if (x === undefined || y === undefined) {
      return (
        Number(x === undefined) - Number(y === undefined) || compare(a.gateway.id, b.gateway.id)
      );
    }
    return sign * compare(x, y) || compare(a.gateway.id, b.gateway.id);
  });
}

export function camerasOf({ cameras }: Row): string {
  return `${cameras.up} / ${cameras.total}`;
}

export function pushesOf({ pushes }: Row): string {
  return `${pushes.up} / ${pushes.total}`;
}

function count(isUp: readonly boolean[]): Count {
  return { up: isUp.filter(Boolean).length, total: isUp.length };
}

/** Cameras and pushes sort by how many are missing. */
function keyOf(
  { gateway, health, seenAt, cameras, pushes }: Row,
  by: Column,
): string | number | undefined {
  switch (by) {
    case 'id':
      return gateway.id;
    case 'state':
      return STATES.indexOf(gateway.state.value ?? '');
    case 'cameras':
      return cameras.up - cameras.total;
    case 'pushes':
      return pushes.up - pushes.total;
    case 'uplink':
      return health?.uplinkKbps;
    case 'temperature':
      return health?.temperatureC ?? undefined;
    case 'cpu':
      return health?.cpuPercent;
    case 'memory':
      return health?.rssMb;
    case 'version':
      return gateway.info.value?.version;
    case 'seen':
      return seenAt === undefined ? undefined : -Date.parse(seenAt);
  }
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return byName(String(a), String(b));
}
