/** Which events are shown: of all gateways together, the newest first. */
import type { GatewayEvent } from '../../../report/status.ts';
import type { GatewayModel } from '../model.ts';

export interface EventRow {
  readonly key: string;
  readonly gateway: string;
  readonly event: GatewayEvent;
}

/** More would make a browser slow, and nobody reads them. */
const MAX_SHOWN = 500;

export interface EventFilter {
  /** Anywhere in what is shown, whatever the case. */
  readonly text: string;
  /** undefined: every one. */
  readonly type: string | undefined;
}

export function eventRows(gateways: readonly GatewayModel[]): readonly EventRow[] {
  return gateways
    .flatMap(({ id, events: { value } }) =>
      value.map((event) => ({ key: keyOf(event), gateway: id, event })),
    )
    .sort(({ event: a }, { event: b }) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
    .slice(0, MAX_SHOWN);
}

/** The same may be told twice within a millisecond: each telling has a key of its own, and keeps it. */
const keys = new WeakMap<GatewayEvent, string>();
let lastKey = 0;

function keyOf(event: GatewayEvent): string {
  const known = keys.get(event);
  if (known !== undefined) return known;
  lastKey += 1;
  const key = String(lastKey);
  keys.set(event, key);
  return key;
}

export function filterEvents(rows: readonly EventRow[], filter: EventFilter): readonly EventRow[] {
  const text = filter.text.trim().toLowerCase();
  return rows.filter(({ gateway, event }) => {
    if (filter.type !== undefined && event.type !== filter.type) return false;
    const { type, stream = '', target = '', message } = event;
    return (
      text === '' ||
      `${gateway} ${type} ${stream} ${target} ${message}`.toLowerCase().includes(text)
    );
  });
}

export function typesOf(rows: readonly EventRow[]): readonly string[] {
  return [...new Set(rows.map(({ event }) => event.type))].sort();
}
