/** The rows of the fleet table: what they sort and filter by. */
import type { Health } from '../../../report/box-status.ts';
import type { GatewayModel } from '../model.ts';

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

export interface Row {
  readonly gateway: GatewayModel;
  readonly health: Health | undefined;
  readonly seenAt: string | undefined;
  /** In which a filter looks, in lower case. */
  readonly text: string;
}

/** Those that need somebody come first. */
const STATES = ['offline', 'stopped', 'online'];

export function rowOf(gateway: GatewayModel): Row {
  const info = gateway.info.value;
  const health = gateway.health.value;
  const words = [gateway.id, gateway.state.value, info?.version, info?.host, info?.board];
  return {
    gateway,
    health,
    seenAt: health?.at,
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

export function camerasOf({ health }: Row): string {
  return health === undefined ? '–' : `${health.streamsUp} / ${health.streamsTotal}`;
}

export function pushesOf({ health }: Row): string {
  return health === undefined ? '–' : `${health.publishesUp} / ${health.publishesTotal}`;
}

/** Cameras and pushes sort by how many are missing. */
function keyOf({ gateway, health, seenAt }: Row, by: Column): string | number | undefined {
  switch (by) {
    case 'id':
      return gateway.id;
    case 'state':
      return STATES.indexOf(gateway.state.value ?? '');
    case 'cameras':
      return health && health.streamsUp - health.streamsTotal;
    case 'pushes':
      return health && health.publishesUp - health.publishesTotal;
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
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
