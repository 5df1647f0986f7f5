/** Where a stream is published to, and how that goes. */
import type { Fleet, PublishModel, StreamModel } from '../model.ts';
import { bytesWords } from '../numbers.ts';
import { Reason } from '../parts/reason.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';
import { wordsOf } from '../words.ts';

const t = wordsOf({
  en: {
    title: 'Published to',
    none: 'It is not published anywhere.',
    target: 'Target',
    state: 'State',
    reason: 'Reason',
    queue: 'Queue',
    dropped: 'GOPs dropped',
    sent: 'Sent',
    since: 'Since',
    ms: '{ms} ms',
  },
  zh: {
    title: '推流目标',
    none: '没有推送到任何目标。',
    target: '目标',
    state: '状态',
    reason: '原因',
    queue: '队列',
    dropped: '丢弃的 GOP',
    sent: '已发送',
    since: '开始于',
    ms: '{ms} 毫秒',
  },
});

export function CameraTargets({
  fleet,
  stream,
}: {
  readonly fleet: Fleet;
  readonly stream: StreamModel;
}) {
  const box = fleet.gateways.value.find(({ id }) => id === stream.gateway);
  const publishes = box?.publishes.value.filter((one) => one.stream === stream.name) ?? [];
  return (
    <section class="stack" aria-labelledby="targets-title">
      <h2 id="targets-title">{t('title')}</h2>
      {publishes.length === 0 ? (
        <p class="muted">{t('none')}</p>
      ) : (
        <div class="table-around">
          <table class="table">
            <thead>
              <tr>
                {(['target', 'state', 'reason', 'queue', 'dropped', 'sent', 'since'] as const).map(
                  (column) => (
                    <th key={column} scope="col">
                      {t(column)}
                    </th>
                  ),
                )}
              </tr>
            </thead>
            <tbody>
              {publishes.map((publish) => (
                <Target key={publish.target} publish={publish} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Target({ publish }: { readonly publish: PublishModel }) {
  const status = publish.status.value;
  if (status === undefined) return null;
  const { target, state, code, reason, queueMs, droppedGops, bytes, since } = status;
  return (
    <tr>
      <th scope="row">
        <code>{target}</code>
      </th>
      <td data-label={t('state')}>
        <StateBadge state={state} />
      </td>
      <td data-label={t('reason')}>
        <Reason code={code} reason={reason} />
      </td>
      <td data-label={t('queue')} class="number">
        {t('ms', { ms: queueMs })}
      </td>
      <td data-label={t('dropped')} class="number">
        {droppedGops}
      </td>
      <td data-label={t('sent')} class="number">
        {bytesWords(bytes)}
      </td>
      <td data-label={t('since')}>
        <TimeAgo at={since} />
      </td>
    </tr>
  );
}
