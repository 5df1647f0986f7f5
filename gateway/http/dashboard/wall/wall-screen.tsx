/** All cameras, of one gateway or of all: what each sees, how it is, and why. */
import { useComputed, useSignal } from '@preact/signals';
import type { Fleet } from '../model.ts';
import { stateWords } from '../parts/state-words.ts';
import { hrefOf } from '../screen-route.ts';
import { screenWords } from '../screen-words.ts';
import { wordsOf } from '../words.ts';
import { CameraTile } from './camera-tile.tsx';
import { isWanted, STATE_FILTERS, type StateFilter, tilesOf } from './wall-filter.ts';

const t = wordsOf({
  en: {
    all: 'all',
    trouble: 'not online',
    filter: 'Filter by name, model or reason',
    state: 'State',
    count: '{shown} of {all} cameras, {up} online',
    none: 'No camera yet. Look at the found devices, or add a stream to the settings.',
    noMatch: 'No camera fits the filter.',
    devices: 'Found devices',
    more: '{count} more: narrow the filter to see them.',
  },
  zh: {
    all: '全部',
    trouble: '不在线',
    filter: '按名称、型号或原因筛选',
    state: '状态',
    count: '显示 {shown} / {all} 台摄像机，{up} 台在线',
    none: '还没有摄像机。请查看发现的设备，或在设置中添加流。',
    noMatch: '没有符合筛选条件的摄像机。',
    devices: '发现的设备',
    more: '还有 {count} 台，请缩小筛选范围。',
  },
});

/** More tiles than this no screen shows and no browser likes. */
const MAX_TILES = 300;

export interface WallScreenProps {
  readonly fleet: Fleet;
  /** Of one gateway; undefined: of all. */
  readonly gateway: string | undefined;
}

export function WallScreen({ fleet, gateway }: WallScreenProps) {
  const text = useSignal('');
  const state = useSignal<StateFilter>('all');
  const tiles = useComputed(() => tilesOf(fleet.gateways.value, gateway));
  const shown = useComputed(() =>
    tiles.value.filter((stream) => isWanted(stream, state.value, text.value)),
  );
  const rest = shown.value.length - MAX_TILES;
  return (
    <>
      <h1>{screenWords('wall')}</h1>
      <div class="row spread">
        <div class="row">
          <label class="field">
            <span>{t('filter')}</span>
            <input
              type="search"
              value={text}
              onInput={({ currentTarget }) => {
                text.value = currentTarget.value;
              }}
            />
          </label>
          <label class="field">
            <span>{t('state')}</span>
            <select
              value={state.value}
              onChange={({ currentTarget }) => {
                const { value } = currentTarget;
                state.value = STATE_FILTERS.find((name) => name === value) ?? 'all';
              }}
            >
              {STATE_FILTERS.map((name) => (
                <option key={name} value={name}>
                  {name === 'all' || name === 'trouble' ? t(name) : stateWords(name)}
                </option>
              ))}
            </select>
          </label>
        </div>
        <p class="muted small" role="status">
          {t('count', {
            shown: shown.value.length,
            all: tiles.value.length,
            up: tiles.value.filter(({ status }) => status.value?.state === 'online').length,
          })}
        </p>
      </div>
      {shown.value.length === 0 && (
        <p class="notice" hidden={fleet.connection.value.at !== 'connected'}>
          {t(tiles.value.length === 0 ? 'none' : 'noMatch')}{' '}
          {tiles.value.length === 0 && (
            <a href={hrefOf({ screen: 'devices', gateway })}>{t('devices')}</a>
          )}
        </p>
      )}
      <ul class="cards">
        {shown.value.slice(0, MAX_TILES).map((stream) => (
          <CameraTile
            key={`${stream.gateway}/${stream.name}`}
            fleet={fleet}
            stream={stream}
            isGatewayShown={gateway === undefined}
          />
        ))}
      </ul>
      {rest > 0 && <p class="notice">{t('more', { count: rest })}</p>}
    </>
  );
}
