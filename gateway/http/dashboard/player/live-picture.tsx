/** The picture of a stream: live where the page knows an address for it, else snapshots that the gateway is asked for. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Fleet, StreamModel } from '../model.ts';
import { Reason } from '../parts/reason.tsx';
import { stateWords } from '../parts/state-words.ts';
import { LivePlayer } from './live-player.ts';
import { playAddress } from './play-address.ts';
import { playerWords, t } from './player-words.ts';
import { SnapshotPicture } from './snapshot-picture.tsx';

export interface LivePictureProps {
  readonly fleet: Fleet;
  readonly stream: StreamModel;
}

export function LivePicture({ fleet, stream }: LivePictureProps) {
  const address = playAddress(fleet, stream.gateway, stream.name);
  if (address === undefined) return <SnapshotPicture fleet={fleet} stream={stream} />;
  return <LiveVideo key={address} address={address} stream={stream} />;
}

function LiveVideo({
  address,
  stream,
}: {
  readonly address: string;
  readonly stream: StreamModel;
}) {
  const video = useRef<HTMLVideoElement>(null);
  const around = useRef<HTMLElement>(null);
  const player = useSignal<LivePlayer | undefined>(undefined);
  const isPaused = useSignal(false);
  const isVisible = usePageVisibility();
  /** What is not known yet may play. */
  const isOnline = useComputed(() => (stream.status.value?.state ?? 'online') === 'online');
  /** Another life of the stream may have another codec. */
  const since = useComputed(() => stream.status.value?.since);
  useEffect(() => {
    if (video.current === null) return;
    const made = new LivePlayer(video.current, address);
    player.value = made;
    return () => made.stop();
  }, [address]);
  const isWanted = isOnline.value && isVisible.value && !isPaused.value;
  useEffect(() => {
    player.value?.stop();
    if (isWanted) player.value?.start();
  }, [player.value, isWanted, since.value]);
  const state = player.value?.state.value ?? { at: 'idle' };
  const { value: status } = stream.status;
  return (
    <section class="player" ref={around} aria-label={t('picture', { stream: stream.name })}>
      <video ref={video} muted autoPlay playsInline poster={stream.snapshot.value} />
      <div class="player-words" role="status">
        {!isOnline.value && status !== undefined ? (
          <>
            {t('not-online', { state: stateWords(status.state) })}{' '}
            <Reason code={status.code} reason={status.reason} />
          </>
        ) : isPaused.value ? (
          t('paused')
        ) : (
          playerWords(state)
        )}
      </div>
      <Controls
        video={video}
        around={around}
        isPaused={isPaused}
        hasAudio={state.at === 'playing' && state.hasAudio}
      />
    </section>
  );
}

interface ControlsProps {
  readonly video: { readonly current: HTMLVideoElement | null };
  readonly around: { readonly current: HTMLElement | null };
  readonly isPaused: { value: boolean };
  readonly hasAudio: boolean;
}

function Controls({ video, around, isPaused, hasAudio }: ControlsProps) {
  const isMuted = useSignal(true);
  const volume = useSignal(1);
  const setSound = (muted: boolean, loudness: number) => {
    isMuted.value = muted;
    volume.value = loudness;
    if (video.current === null) return;
    video.current.muted = muted;
    video.current.volume = loudness;
  };
  return (
    <fieldset class="player-controls row" aria-label={t('controls')}>
      <button
        type="button"
        onClick={() => {
          isPaused.value = !isPaused.value;
        }}
      >
        {isPaused.value ? t('play') : t('pause')}
      </button>
      {hasAudio && (
        <>
          <button type="button" onClick={() => setSound(!isMuted.value, volume.value)}>
            {isMuted.value ? t('unmute') : t('mute')}
          </button>
          <input
            type="range"
            aria-label={t('volume')}
            min="0"
            max="1"
            step="0.05"
            value={isMuted.value ? 0 : volume.value}
            onInput={({ currentTarget }) =>
              setSound(currentTarget.valueAsNumber === 0, currentTarget.valueAsNumber)
            }
          />
        </>
      )}
      <button
        type="button"
        class="player-fullscreen"
        onClick={() => void enterFullscreen(around.current, video.current)}
      >
        {t('fullscreen')}
      </button>
    </fieldset>
  );
}

/** iPhones have it for videos alone. */
async function enterFullscreen(around: HTMLElement | null, video: HTMLVideoElement | null) {
  if (document.fullscreenElement !== null && document.fullscreenElement !== undefined) {
    await document.exitFullscreen();
  } else if (around?.requestFullscreen !== undefined) {
    await around.requestFullscreen().catch(() => undefined);
  } else {
    (
      video as (HTMLVideoElement & { webkitEnterFullscreen?: () => void }) | null
    )?.webkitEnterFullscreen?.();
  }
}

function usePageVisibility() {
  const isVisible = useSignal(document.visibilityState === 'visible');
  useEffect(() => {
    const look = () => {
      isVisible.value = document.visibilityState === 'visible';
    };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  return isVisible;
}
