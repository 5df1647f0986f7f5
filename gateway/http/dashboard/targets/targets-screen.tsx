/** Where streams are pushed to, and how each push does. */
import { useComputed, useSignal } from '@preact/signals';
import type { Fleet } from '../model.ts';
import { bytesWords } from '../numbers.ts';
import { Reason } from '../parts/reason.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { stateWords } from '../parts/state-words.ts';
import { TimeAgo } from '../parts/time-ago.tsx';
import { hrefOf } from '../screen-route.ts';
import { wordsOf } from '../words.ts';
import {
  COLUMNS,
  countsOf,
  groupsOf,
  rowsOf,
  STATES,
  type TargetGroup,
  type TargetRow,
  type Wanted,
} from './target-rows.ts';

const t = wordsOf({
  en: {
    title: 'Push targets',
    none: 'Nothing is pushed anywhere. Targets are set under proxypublish in the settings.',
    noneShown: 'No push is in this state.',
    state: 'State',
    all: 'All ({count})',
    show: 'Show',
    stream: 'Stream',
    queueMs: 'Queue',
    dropped: 'Dropped',
    bytes: 'Sent',
    since: 'Since',
    summary: '{publishing} of {total} publishing',
    droppedWords: '{gops} GOPs, {units} units',
    nextRetry: 'Next try',
    attempts: 'attempt {count}',
    sort: 'Sort by {column}',
    order: 'Order',
  },
  zh: {
    title: '推流目标',
    none: '没有任何推流。请在设置的 proxypublish 中添加目标。',
    noneShown: '没有处于该状态的推流。',
    state: '状态',
    all: '全部（{count}）',
    show: '显示',
    stream: '流',
    queueMs: '队列',
    dropped: '丢弃',
    bytes: '已发送',
    since: '开始于',
    summary: '{total} 路中 {publishing} 路推流中',
    droppedWords: '{gops} 个 GOP，{units} 个单元',
    nextRetry: '下次重试',
    attempts: '第 {count} 次',
    sort: '按{column}排序',
    order: '排序',
  },
});

/** `gateway`: of which; undefined: of all. */
export interface TargetsScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string | undefined;
}

export function TargetsScreen({ fleet, gateway }: TargetsScreenProps) {
  const wanted = useSignal<Wanted>({ by: 'stream', isReversed: false, state: undefined });
  const rows = useComputed(() =>
    rowsOf(fleet.gateways.value.filter(({ id }) => gateway === undefined || id === gateway)),
  );
  const counts = countsOf(rows.value);
  const groups = groupsOf(rows.value, wanted.value);
  return (
    <>
      <h1>{t('title')}</h1>
      {rows.value.length === 0 ? (
        <p>{t('none')}</p>
      ) : (
        <label class="row">
          {t('show')}
          <select
            value={wanted.value.state ?? ''}
            onChange={({ currentTarget }) => {
              const state = STATES.find((one) => one === currentTarget.value);
              wanted.value = { ...wanted.value, state };
            }}
          >
            <option value="">{t('all', { count: rows.value.length })}</option>
            {STATES.map((state) => (
              <option key={state} value={state}>
                {stateWords(state)} ({counts.get(state) ?? 0})
              </option>
            ))}
          </select>
        </label>
      )}
      {rows.value.length > 0 && (
        <label class="row narrow-only">
          {t('order')}
          <select
            value={wanted.value.by}
            onChange={({ currentTarget }) => {
              const by = COLUMNS.find((one) => one === currentTarget.value) ?? 'stream';
              wanted.value = { ...wanted.value, by, isReversed: false };
            }}
          >
            {COLUMNS.map((column) => (
              <option key={column} value={column}>
                {t(column)}
              </option>
            ))}
          </select>
        </label>
      )}
      {rows.value.length > 0 && groups.length === 0 && <p role="status">{t('noneShown')}</p>}
      {groups.map((group) => (
        <Group
          key={`${group.target} ${group.url}`}
          group={group}
          wanted={wanted.value}
          change={(next) => {
            wanted.value = next;
          }}
          hasGateways={gateway === undefined}
        />
      ))}
    </>
  );
}

interface GroupProps {
  readonly group: TargetGroup;
  readonly wanted: Wanted;
  readonly change: (wanted: Wanted) => void;
  readonly hasGateways: boolean;
}

function Group({ group, wanted, change, hasGateways }: GroupProps) {
  const { target, url, publishing, total, rows } = group;
  return (
    <section class="stack">
      <h2>{target}</h2>
      <p class="muted small">
        <code>{url}</code> · {t('summary', { publishing, total })}
      </p>
      <div class="table-around">
        <table class="table">
          <thead>
            <tr>
              {COLUMNS.map((column) => (
                <th key={column} scope="col" aria-sort={sortOf(wanted, column)}>
                  <button
                    type="button"
                    class="plain"
                    aria-label={t('sort', { column: t(column) })}
                    onClick={() =>
                      change({
                        ...wanted,
                        by: column,
                        isReversed: wanted.by === column && !wanted.isReversed,
                      })
                    }
                  >
                    {t(column)} {SIGNS[sortOf(wanted, column)]}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Line key={`${row.gateway} ${row.stream}`} row={row} hasGateway={hasGateways} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Line({ row, hasGateway }: { readonly row: TargetRow; readonly hasGateway: boolean }) {
  const { gateway, stream, status } = row;
  const { droppedGops, droppedUnits, nextRetryAt, attempts } = status;
  return (
    <tr>
      <th scope="row">
        <a href={hrefOf({ screen: 'camera', gateway, stream })}>
          {hasGateway ? `${gateway} / ${stream}` : stream}
        </a>
      </th>
      <td data-label={t('state')}>
        <div class="stack">
          <span>
            <StateBadge state={status.state} />
          </span>
          {status.state !== 'publishing' && <Reason code={status.code} reason={status.reason} />}
          {nextRetryAt !== null && (
            <span class="small muted">
              {t('nextRetry')}: <TimeAgo at={nextRetryAt} />
              {attempts > 0 && ` · ${t('attempts', { count: attempts })}`}
            </span>
          )}
        </div>
      </td>
      <td data-label={t('queueMs')} class="number">
        {Math.round(status.queueMs)} ms
      </td>
      <td data-label={t('dropped')}>
        {t('droppedWords', { gops: droppedGops, units: droppedUnits })}
      </td>
      <td data-label={t('bytes')} class="number">
        {bytesWords(status.bytes)}
      </td>
      <td data-label={t('since')}>
        <TimeAgo at={status.since} />
      </td>
    </tr>
  );
}

const SIGNS = { ascending: '▲', descending: '▼', none: '' } as const;

function sortOf({ by, isReversed }: Wanted, column: Wanted['by']): keyof typeof SIGNS {
  if (by !== column) return 'none';
  // Names and states begin with the first, numbers and times with the greatest.
  const isAscending = column === 'stream' || column === 'state';
  return isAscending === isReversed ? 'descending' : 'ascending';
}
