/** Snapshots, one after the other, as long as somebody looks. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Fleet, StreamModel } from '../model.ts';
import { failureWords } from '../parts/failure-words.ts';
import { Reason } from '../parts/reason.tsx';
import { t } from './player-words.ts';

/** Each costs the uplink a picture. */
const AGAIN_AFTER_MS = 10_000;

export function SnapshotPicture({
  fleet,
  stream,
}: {
  readonly fleet: Fleet;
  readonly stream: StreamModel;
}) {
  const trouble = useSignal('');
  const { gateway, name } = stream;
  const { value: connection } = fleet.connection;
  const { value: status } = stream.status;
  const isGone = status?.code === 'gateway-gone';
  useEffect(() => {
    if (connection.at !== 'connected' || isGone) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      if (document.visibilityState === 'visible') {
        trouble.value = await fleet.command(gateway, 'snapshot', { name }).then(
          () => '',
          (error: unknown) => failureWords(error),
        );
      }
      if (!isOver) timer = setTimeout(() => void ask(), AGAIN_AFTER_MS);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [connection.at, gateway, name, isGone]);
  const { value: picture } = stream.snapshot;
  return (
    <section class="player">
      {picture === undefined ? (
        <div class="player-empty" />
      ) : (
        <img src={picture} alt={t('snapshot-of', { stream: name })} />
      )}
      <div class="player-words" role="status">
        {isGone ? (
          <Reason code={status.code} reason={status.reason} />
        ) : trouble.value !== '' ? (
          t('no-snapshot', { why: trouble.value })
        ) : picture === undefined ? (
          t('asking-snapshot')
        ) : (
          t('snapshots')
        )}
      </div>
    </section>
  );
}
