/** What can be done with a stream and its camera. */
import { useSignal } from '@preact/signals';
import type { Fleet, StreamModel } from '../model.ts';
import { CommandButton } from '../parts/command-button.tsx';
import { wordsOf } from '../words.ts';
import { canReboot, canSnapshot } from './abilities.ts';

const t = wordsOf({
  en: {
    title: 'Actions',
    restart: 'Restart stream',
    restarted: 'The stream begins anew.',
    snapshot: 'Take snapshot',
    snapped: 'It is below.',
    'snapshot-of': 'Snapshot of {stream}',
    reboot: 'Reboot camera',
    'reboot-question': 'Reboot the camera {stream}? It gives no picture for a minute or two.',
    rebooted: 'The camera restarts. Its stream comes back by itself.',
  },
  zh: {
    title: '操作',
    restart: '重启流',
    restarted: '流正在重新开始。',
    snapshot: '抓拍快照',
    snapped: '见下方。',
    'snapshot-of': '{stream} 的快照',
    reboot: '重启摄像机',
    'reboot-question': '重启摄像机 {stream}？一两分钟内没有画面。',
    rebooted: '摄像机正在重启，流会自动恢复。',
  },
});

export function CameraActions({
  fleet,
  stream,
}: {
  readonly fleet: Fleet;
  readonly stream: StreamModel;
}) {
  const { gateway, name } = stream;
  const isAsked = useSignal(false);
  const picture = stream.snapshot.value;
  const info = stream.info.value;
  const of = { fleet, gateway, args: { name } };
  return (
    <section class="card stack" aria-label={t('title')}>
      <div class="row">
        <CommandButton {...of} verb="stream/restart" doneWords={t('restarted')}>
          {t('restart')}
        </CommandButton>
        {canSnapshot(info) && (
          <CommandButton
            {...of}
            verb="snapshot"
            doneWords={t('snapped')}
            done={() => {
              isAsked.value = true;
            }}
          >
            {t('snapshot')}
          </CommandButton>
        )}
        {canReboot(info) && (
          <CommandButton
            {...of}
            verb="camera/reboot"
            class="danger"
            question={t('reboot-question', { stream: name })}
            doneWords={t('rebooted')}
          >
            {t('reboot')}
          </CommandButton>
        )}
      </div>
      {isAsked.value && picture !== undefined && (
        <img class="camera-snapshot" src={picture} alt={t('snapshot-of', { stream: name })} />
      )}
    </section>
  );
}
