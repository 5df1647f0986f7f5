/** Where the stream plays, to be copied into other programs. */
import { useSignal } from '@preact/signals';
import { wordsOf } from '../words.ts';
import { copyText } from './copy-text.ts';
import { playUrls, type Viewpoint } from './play-urls.ts';

const t = wordsOf({
  en: {
    title: 'Addresses to play it',
    copy: 'Copy',
    copied: 'Copied.',
    'not-copied': 'The browser does not allow it: select the address and copy it.',
    none: 'Nothing listens for players elsewhere: see http and acceptors in the settings.',
    central: 'Central server',
    page: 'Player page',
    hls: 'HLS',
    flv: 'HTTP-FLV',
    wsFlv: 'WebSocket-FLV',
    ts: 'MPEG-TS',
    snapshot: 'Snapshot',
  },
  zh: {
    title: '播放地址',
    copy: '复制',
    copied: '已复制。',
    'not-copied': '浏览器不允许：请选中地址后复制。',
    none: '没有供其他设备播放的端口：见设置中的 http 和 acceptors。',
    central: '中心服务器',
    page: '播放页面',
    hls: 'HLS',
    flv: 'HTTP-FLV',
    wsFlv: 'WebSocket-FLV',
    ts: 'MPEG-TS',
    snapshot: '快照',
  },
});

const NAMED = ['central', 'page', 'hls', 'flv', 'wsFlv', 'ts', 'snapshot'] as const;

export function PlayAddresses({
  urls,
  isLocal,
  central,
}: {
  readonly urls: Readonly<Record<string, string>>;
} & Omit<Viewpoint, 'page'>) {
  const shown = playUrls(urls, { page: location, isLocal, central });
  return (
    <section class="card stack" aria-labelledby="play-title">
      <h2 id="play-title">{t('title')}</h2>
      {shown.length === 0 && <p class="muted">{t('none')}</p>}
      <ul class="addresses">
        {shown.map(({ kind, url }) => (
          <Address key={kind} name={nameOf(kind)} url={url} />
        ))}
      </ul>
    </section>
  );
}

function Address({ name, url }: { readonly name: string; readonly url: string }) {
  const outcome = useSignal<'' | 'copied' | 'not-copied'>('');
  const copy = async () => {
    outcome.value = '';
    outcome.value = (await copyText(url)) ? 'copied' : 'not-copied';
  };
  return (
    <li>
      <span class="address-name">{name}</span>
      <code>{url}</code>
      <span class="row">
        <button type="button" onClick={() => void copy()} aria-label={`${t('copy')} ${name}`}>
          {t('copy')}
        </button>
        <span role="status" class="small">
          {outcome.value !== '' && t(outcome.value)}
        </span>
      </span>
    </li>
  );
}

function nameOf(kind: string): string {
  const named = NAMED.find((one) => one === kind);
  return named === undefined ? kind.toUpperCase() : t(named);
}
