/** One camera of the wall. Its snapshot is fetched while it can be seen, and no more often than that is worth to the camera. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { canSnapshot } from '../camera/abilities.ts';
import type { Fleet, StreamModel } from '../model.ts';
import { decimals, rate } from '../numbers.ts';
import { Reason } from '../parts/reason.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { Badge, StateBadge } from '../parts/state-badge.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';
import { hrefOf } from '../screen-route.ts';
import { wordsOf } from '../words.ts';
import { useSnapshot } from './use-snapshot.ts';

const t = wordsOf({
  en: {
    picture: 'Picture of {name}',
    noPicture: 'No snapshot: the camera has none to give',
    noPictureYet: 'No snapshot yet',
    noPictureNow: 'No picture now',
    motion: 'motion',
    bitrate: 'Bit rate of the last half hour, {rate} now',
    retry: 'next try',
  },
  zh: {
    picture: '{name} 的画面',
    noPicture: '没有快照：摄像机不提供',
    noPictureYet: '还没有快照',
    noPictureNow: '现在没有画面',
    motion: '有动静',
    bitrate: '最近半小时的码率，现在 {rate}',
    retry: '下次重试',
  },
});

export interface CameraTileProps {
  readonly fleet: Fleet;
  readonly stream: StreamModel;
  readonly isGatewayShown: boolean;
}

export function CameraTile({ fleet, stream, isGatewayShown }: CameraTileProps) {
  const { gateway, name } = stream;
  const tile = useRef<HTMLLIElement>(null);
  const isVisible = useVisible(tile);
  const status = stream.status.value;
  const stats = stream.stats.value;
  const isOnline = status?.state === 'online';
  const snapshot = useSnapshot(fleet, stream, isVisible && isOnline);
  const nothingYet = canSnapshot(stream.info.value) ? 'noPictureYet' : 'noPicture';
  const nothing = isOnline ? nothingYet : 'noPictureNow';
  const isEmpty = snapshot === undefined || !isOnline;
  return (
    <li ref={tile} class="card tile">
      <a
        class={isEmpty ? 'tile-picture tile-empty' : 'tile-picture'}
        href={hrefOf({ screen: 'camera', gateway, stream: name })}
      >
        {isEmpty ? (
          <span class="tile-nothing muted small">{t(nothing)}</span>
        ) : (
          <img src={snapshot} alt={t('picture', { name })} />
        )}
        <span class="visually-hidden">{name}</span>
      </a>
      <div class="row spread">
        <h2>
          <a href={hrefOf({ screen: 'camera', gateway, stream: name })}>{name}</a>
        </h2>
        <span class="row">
          {stream.motion.value === 'ON' && <Badge tone="busy">{t('motion')}</Badge>}
          <StateBadge state={status?.state} />
        </span>
      </div>
      {isGatewayShown && (
        <p class="small">
          <a href={hrefOf({ screen: 'gateway', gateway })}>{gateway}</a>
        </p>
      )}
      {status !== undefined && !isOnline && (
        <p class="small">
          <Reason code={status.code} reason={status.reason} />
          {status.nextRetryAt !== null && (
            <span class="muted">
              {' '}
              {t('retry')} <TimeAgo at={status.nextRetryAt} />
            </span>
          )}
        </p>
      )}
      {isOnline && (
        <div class="tile-numbers small">
          <Sparkline
            values={stream.history.value.map((sample) => sample.stats.videoKbps)}
            label={t('bitrate', { rate: rate(stats?.videoKbps) })}
          />
          <span class="number">{rate(stats?.videoKbps)}</span>
          <span class="number">{decimals(stats?.fps, 0, 'fps')}</span>
        </div>
      )}
    </li>
  );
}

function useVisible(element: { readonly current: Element | null }): boolean {
  const isVisible = useSignal(false);
  useEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    const observer = new IntersectionObserver((entries) => {
      isVisible.value = entries.at(-1)?.isIntersecting ?? false;
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return isVisible.value;
}
