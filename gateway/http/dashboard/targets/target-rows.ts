/** Which pushes are shown, and in which order: by target, and within each as whoever looks wants it. */

import type { PublishState, PublishStatus } from '../../../report/status.ts';
import type { GatewayModel, Shown } from '../model.ts';
import { byName } from '../name-order.ts';

export interface TargetRow {
  readonly gateway: string;
  readonly stream: string;
  readonly target: string;
  readonly status: Shown<PublishStatus>;
}

export const COLUMNS = ['stream', 'state', 'queueMs', 'dropped', 'bytes', 'since'] as const;
export type Column = (typeof COLUMNS)[number];

type State = PublishState | 'offline';

export interface Wanted {
  readonly by: Column;
  readonly isReversed: boolean;
  /** undefined: every one. */
  readonly state: State | undefined;
}

/** What needs somebody first. */
export const STATES: readonly State[] = [
  'offline',
  'refused',
  'waiting',
  'spooling',
  'connecting',
  'idle',
  'publishing',
];

export interface TargetGroup {
  readonly target: string;
  /** The target's URL, of which no more than one is known by that name as a rule. */
  readonly url: string;
  readonly publishing: number;
  readonly total: number;
  readonly rows: readonly TargetRow[];
}

export function rowsOf(gateways: readonly GatewayModel[]): TargetRow[] {
  return gateways.flatMap((gateway) =>
    gateway.publishes.value.flatMap(({ stream, target, status: { value } }) =>
      value === undefined ? [] : [{ gateway: gateway.id, stream, target, status: value }],
    ),
  );
}

/** Gateways may call different masters the same. */
export function groupsOf(rows: readonly TargetRow[], wanted: Wanted): readonly TargetGroup[] {
  const groups = new Map<string, TargetRow[]>();
  for (const row of rows) {
    const key = `${row.target} ${row.status.target}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups]
    .sort(([a], [b]) => byName(a, b))
    .flatMap(([, all]) => {
      const [first] = all;
      const shown = all.filter(({ status }) => (wanted.state ?? status.state) === status.state);
      if (first === undefined || shown.length === 0) return [];
      return [
        {
          target: first.target,
          url: first.status.target,
          publishing: all.filter(({ status }) => status.state === 'publishing').length,
          total: all.length,
          rows: sorted(shown, wanted),
        },
      ];
    });
}

export function countsOf(rows: readonly TargetRow[]): ReadonlyMap<State, number> {
  const counts = new Map<State, number>();
  for (const { status } of rows) counts.set(status.state, (counts.get(status.state) ?? 0) + 1);
  return counts;
}

function sorted(rows: readonly TargetRow[], { by, isReversed }: Wanted): readonly TargetRow[] {
  const sign = isReversed ? -1 : 1;
  return [...rows].sort((a, b) => sign * compare(a, b, by) || byStream(a, b));
}

/** Numbers and times: the greatest and newest first. */
function compare(a: TargetRow, b: TargetRow, by: Column): number {
  switch (by) {
    case 'stream':
      return byStream(a, b);
    case 'state':
      return STATES.indexOf(a.status.state) - STATES.indexOf(b.status.state);
    case 'queueMs':
      return b.status.queueMs - a.status.queueMs;
    case 'dropped':
      return (
        b.status.droppedGops - a.status.droppedGops || b.status.droppedUnits - a.status.droppedUnits
      );
    case 'bytes':
      return b.status.bytes - a.status.bytes;
    case 'since':
      return b.status.since.localeCompare(a.status.since);
  }
}

function byStream(a: TargetRow, b: TargetRow): number {
  return byName(a.gateway, b.gateway) || byName(a.stream, b.stream);
}
