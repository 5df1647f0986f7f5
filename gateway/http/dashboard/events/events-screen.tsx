/**
 * What has happened. Events are told once and not kept by the broker, so that the fleet view has those since it was opened; a gateway
 * itself has the last ones (`../recall-events.ts`).
 */
import { useComputed, useSignal } from '@preact/signals';
import type { Fleet } from '../model.ts';
import { hrefOf } from '../screen-route.ts';
import { clockWords } from '../times.ts';
import { wordsOf } from '../words.ts';
import { type EventFilter, type EventRow, eventRows, filterEvents, typesOf } from './event-rows.ts';

const t = wordsOf({
  en: {
    title: 'Events',
    local: 'What has happened lately, the newest first.',
    fleet: 'What happens from now on, the newest first: the broker keeps nothing of before.',
    none: 'Nothing has happened yet.',
    noMatch: 'No event fits the filter.',
    filter: 'Filter',
    kind: 'Kind',
    all: 'All',
    pause: 'Pause',
    go: 'Go on',
    paused: '{count} new ones wait.',
    list: 'Events',
  },
  zh: {
    title: '事件',
    local: '最近发生的事件，最新的在前。',
    fleet: '从现在起发生的事件，最新的在前：消息服务器不保留之前的事件。',
    none: '还没有发生任何事件。',
    noMatch: '没有符合筛选条件的事件。',
    filter: '筛选',
    kind: '类型',
    all: '全部',
    pause: '暂停',
    go: '继续',
    paused: '有 {count} 条新事件。',
    list: '事件',
  },
});

/** `gateway`: of which; undefined: of all. */
export interface EventsScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}

export function EventsScreen({ fleet, gateway }: EventsScreenProps) {
  const filter = useSignal<EventFilter>({ text: '', type: undefined });
  /** What was there when it was paused. */
  const held = useSignal<readonly EventRow[] | undefined>(undefined);
  const all = useComputed(() =>
    eventRows(fleet.gateways.value.filter(({ id }) => gateway === undefined || id === gateway)),
  );
  const rows = held.value ?? all.value;
  const shown = filterEvents(rows, filter.value);
  const waiting = held.value === undefined ? 0 : newSince(held.value, all.value);
  return (
    <>
      <h1>{t('title')}</h1>
      <p class="muted">{t(fleet.isLocal ? 'local' : 'fleet')}</p>
      <div class="row">
        <label class="row">
          {t('filter')}
          <input
            type="search"
            value={filter.value.text}
            onInput={({ currentTarget }) => {
              filter.value = { ...filter.value, text: currentTarget.value };
            }}
          />
        </label>
        <label class="row">
          {t('kind')}
          <select
            value={filter.value.type ?? ''}
            onChange={({ currentTarget }) => {
              filter.value = { ...filter.value, type: currentTarget.value || undefined };
            }}
          >
            <option value="">{t('all')}</option>
            {typesOf(all.value).map((type) => (
              <option key={type} value={type}>
                {type}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          aria-pressed={held.value !== undefined}
          onClick={() => {
            held.value = held.value === undefined ? all.value : undefined;
          }}
        >
          {held.value === undefined ? t('pause') : t('go')}
        </button>
        <span role="status" class="muted">
          {waiting > 0 && t('paused', { count: waiting })}
        </span>
      </div>
      {shown.length === 0 && <p>{rows.length === 0 ? t('none') : t('noMatch')}</p>}
      <div role="log" aria-live="polite" aria-label={t('list')}>
        <ol class="events">
          {shown.map((row) => (
            <Line key={row.key} row={row} hasGateway={gateway === undefined} />
          ))}
        </ol>
      </div>
    </>
  );
}

function Line({ row, hasGateway }: { readonly row: EventRow; readonly hasGateway: boolean }) {
  const { gateway, event } = row;
  const { at, type, stream, target, message } = event;
  const atMs = Date.parse(at);
  return (
    <li>
      <time dateTime={at} class="muted small">
        {Number.isNaN(atMs) ? at : clockWords(atMs)}
      </time>
      <span class="badge badge-off">{type}</span>
      {hasGateway && <span>{gateway}</span>}
      {stream !== undefined && <a href={hrefOf({ screen: 'camera', gateway, stream })}>{stream}</a>}
      {target !== undefined && <span>→ {target}</span>}
      <span class="event-message">{message}</span>
    </li>
  );
}

/** The list is cut at its end, so that its length does not tell. */
function newSince(held: readonly EventRow[], all: readonly EventRow[]): number {
  const known = new Set(held.map(({ key }) => key));
  return all.filter(({ key }) => !known.has(key)).length;
}
