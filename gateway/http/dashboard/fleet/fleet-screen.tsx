/** All gateways at one broker: how each does, at a glance. At phone width each is a card. */
import { useComputed, useSignal } from '@preact/signals';
import type { Fleet, GatewayModel } from '../model.ts';
import { decimals, rate } from '../numbers.ts';
import { StateBadge } from '../parts/state-badge.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';
import { hrefOf } from '../screen-route.ts';
import { screenWords } from '../screen-words.ts';
import { wordsOf } from '../words.ts';
import {
  type Column,
  camerasOf,
  currentRow,
  type Order,
  pushesOf,
  type Row,
  sortRows,
} from './fleet-order.ts';

const t = wordsOf({
  en: {
    id: 'Gateway',
    state: 'State',
    cameras: 'Cameras',
    pushes: 'Pushes',
    uplink: 'Uplink',
    temperature: 'Temperature',
    cpu: 'CPU',
    memory: 'Memory',
    version: 'Version',
    seen: 'Last seen',
    filter: 'Filter by name, address or version',
    none: 'No gateway has told of itself here yet. Each needs mqtt.url with the address of this broker.',
    noMatch: 'No gateway fits the filter.',
    count: '{shown} of {all} gateways, {up} online',
    sorted: 'Sort by',
    reverse: 'Other way round',
  },
  zh: {
    id: '网关',
    state: '状态',
    cameras: '摄像机',
    pushes: '推流',
    uplink: '上行',
    temperature: '温度',
    cpu: 'CPU',
    memory: '内存',
    version: '版本',
    seen: '最近一次',
    filter: '按名称、地址或版本筛选',
    none: '还没有网关在此上报。请在每个网关上把 mqtt.url 设为本消息服务器的地址。',
    noMatch: '没有符合筛选条件的网关。',
    count: '显示 {shown} / {all} 个网关，{up} 个在线',
    sorted: '排序',
    reverse: '反向',
  },
});

const COLUMNS: readonly Column[] = [
  'id',
  'state',
  'cameras',
  'pushes',
  'uplink',
  'temperature',
  'cpu',
  'memory',
  'version',
  'seen',
];

export function FleetScreen({ fleet }: { readonly fleet: Fleet }) {
  const filter = useSignal('');
  const order = useSignal<Order>({ by: 'id', isReversed: false });
  const rows = useComputed(() => {
    const wanted = filter.value.trim().toLowerCase();
    const all = fleet.gateways.value.map(currentRow);
    return sortRows(
      all.filter(({ text }) => text.includes(wanted)),
      order.value,
    );
  });
  const all = fleet.gateways.value;
  const sortBy = (by: Column) => {
    const { value } = order;
    order.value = { by, isReversed: value.by === by && !value.isReversed };
  };
  return (
    <>
      <h1>{screenWords('fleet')}</h1>
      <div class="row spread">
        <label class="field">
          <span>{t('filter')}</span>
          <input
            type="search"
            value={filter}
            onInput={({ currentTarget }) => {
              filter.value = currentTarget.value;
            }}
          />
        </label>
        <div class="row narrow-only">
          <label class="field">
            <span>{t('sorted')}</span>
            <select
              value={order.value.by}
              onChange={({ currentTarget }) => {
                const { value } = currentTarget;
                sortBy(COLUMNS.find((name) => name === value) ?? 'id');
              }}
            >
              {COLUMNS.map((name) => (
                <option key={name} value={name}>
                  {t(name)}
                </option>
              ))}
            </select>
          </label>
          <button
            type="button"
            aria-pressed={order.value.isReversed}
            onClick={() => sortBy(order.value.by)}
          >
            {t('reverse')}
          </button>
        </div>
        <p class="muted small" role="status">
          {t('count', {
            shown: rows.value.length,
            all: all.length,
            up: all.filter(({ state }) => state.value === 'online').length,
          })}
        </p>
      </div>
      {rows.value.length === 0 ? (
        <p class="notice" hidden={fleet.connection.value.at !== 'connected'}>
          {t(all.length === 0 ? 'none' : 'noMatch')}
        </p>
      ) : (
        <div class="table-around">
          <table class="table">
            <thead>
              <tr>
                {COLUMNS.map((name) => (
                  <Heading key={name} name={name} order={order.value} sortBy={sortBy} />
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.value.map((row) => (
                <GatewayRow key={row.gateway.id} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Heading({
  name,
  order,
  sortBy,
}: {
  readonly name: Column;
  readonly order: Order;
  readonly sortBy: (by: Column) => void;
}) {
  const isSorted = order.by === name;
  return (
    <th
      scope="col"
      aria-sort={isSorted ? (order.isReversed ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" class="plain" onClick={() => sortBy(name)}>
        {t(name)}
        <span aria-hidden="true">{isSorted ? (order.isReversed ? '▼' : '▲') : ''}</span>
      </button>
    </th>
  );
}

function GatewayRow({ row }: { readonly row: Row }) {
  const { gateway, health, seenAt } = row;
  const { id } = gateway;
  return (
    <tr>
      <th scope="row">
        <a href={hrefOf({ screen: 'wall', gateway: id })}>{id}</a>
      </th>
      <td data-label={t('state')}>
        <StateBadge state={gateway.state.value} />
      </td>
      <td data-label={t('cameras')} class="number">
        {camerasOf(row)}
      </td>
      <td data-label={t('pushes')} class="number">
        {pushesOf(row)}
      </td>
      <td data-label={t('uplink')} class="number">
        {rate(health?.uplinkKbps)}
      </td>
      <td data-label={t('temperature')} class="number">
        {decimals(health?.temperatureC, 0, '°C')}
      </td>
      <td data-label={t('cpu')} class="number">
        {decimals(health?.cpuPercent, 0, '%')}
      </td>
      <td data-label={t('memory')} class="number">
        {decimals(health?.rssMb, 0, 'MB')}
      </td>
      <td data-label={t('version')}>
        <a href={hrefOf({ screen: 'gateway', gateway: id })}>{versionOf(gateway)}</a>
      </td>
      <td data-label={t('seen')}>
        <TimeAgo at={seenAt} />
      </td>
    </tr>
  );
}

function versionOf({ info }: GatewayModel): string {
  return info.value?.version ?? '–';
}
