/** Whether what is shown is how it is now. */
import type { Fleet } from './model.ts';
import { Badge } from './parts/state-badge.tsx';
import { wordsOf } from './words.ts';

const t = wordsOf({
  en: {
    connected: 'live',
    connecting: 'connecting',
    waiting: 'not connected',
    login: 'login needed',
    retrying: '{reason} Trying again; what is shown may be old.',
  },
  zh: {
    connected: '实时',
    connecting: '连接中',
    waiting: '未连接',
    login: '需要登录',
    retrying: '{reason} 正在重试；显示的内容可能已过时。',
  },
});

export function ConnectionLine({ fleet }: { readonly fleet: Fleet }) {
  const connection = fleet.connection.value;
  return (
    <div class="connection small" role="status">
      {connection.at === 'connected' && <Badge tone="ok">{t('connected')}</Badge>}
      {connection.at === 'connecting' && <Badge tone="busy">{t('connecting')}</Badge>}
      {connection.at === 'login-needed' && <Badge tone="warn">{t('login')}</Badge>}
      {connection.at === 'waiting' && (
        <>
          <Badge tone="bad">{t('waiting')}</Badge> {t('retrying', { reason: connection.reason })}
        </>
      )}
    </div>
  );
}
