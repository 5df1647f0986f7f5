/** One camera: its picture, how it is, what moves it, how it was lately, where it plays and where it goes. */
import { useComputed } from '@preact/signals';
import type { Fleet, StreamModel } from '../model.ts';
import { GatewayGone } from '../parts/gateway-gone.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { LivePicture } from '../player/live-picture.tsx';
import { playAddress } from '../player/play-address.ts';
import { wordsOf } from '../words.ts';
import { CameraActions } from './camera-actions.tsx';
import { CameraCharts } from './camera-charts.tsx';
import { CameraFacts } from './camera-facts.tsx';
import { CameraTargets } from './camera-targets.tsx';
import { PlayAddresses } from './play-addresses.tsx';
import { PtzPad } from './ptz-pad.tsx';

const t = wordsOf({
  en: {
    waiting: 'Nothing is known of {stream} yet.',
    'no-stream': 'The gateway {gateway} has no stream of the name {stream}.',
  },
  zh: {
    waiting: '还没有收到 {stream} 的任何信息。',
    'no-stream': '网关 {gateway} 上没有名为 {stream} 的流。',
  },
});

export interface CameraScreenProps {
  readonly fleet: Fleet;
  readonly gateway: string;
  readonly stream: string;
}

export function CameraScreen({ fleet, gateway, stream }: CameraScreenProps) {
  const box = fleet.gateways.value.find(({ id }) => id === gateway);
  const model = box?.streams.value.find(({ name }) => name === stream);
  const isKnown = fleet.connection.value.at === 'connected' && box?.info.value !== undefined;
  return (
    <>
      <div class="row">
        <h1>{stream}</h1>
        {model !== undefined && <StateBadge state={model.status.value?.state} />}
      </div>
      {box !== undefined && <GatewayGone gateway={box} />}
      {model === undefined ? (
        <p class="notice" role="status">
          {t(isKnown ? 'no-stream' : 'waiting', { gateway, stream })}
        </p>
      ) : (
        <Camera fleet={fleet} stream={model} />
      )}
    </>
  );
}

function Camera({ fleet, stream }: { readonly fleet: Fleet; readonly stream: StreamModel }) {
  const ptz = useComputed(() => stream.info.value?.ptz).value;
  const urls = stream.info.value?.urls;
  return (
    <>
      <div class="camera">
        <div class="stack">
          <LivePicture fleet={fleet} stream={stream} />
          <CameraActions fleet={fleet} stream={stream} />
          {ptz !== undefined && (
            <PtzPad fleet={fleet} gateway={stream.gateway} stream={stream.name} ptz={ptz} />
          )}
        </div>
        <div class="stack">
          <CameraFacts stream={stream} />
        </div>
      </div>
      <CameraCharts stream={stream} />
      {urls !== undefined && (
        <PlayAddresses
          urls={urls}
          isLocal={fleet.isLocal}
          central={fleet.isLocal ? undefined : playAddress(fleet, stream.gateway, stream.name)}
        />
      )}
      <CameraTargets fleet={fleet} stream={stream} />
    </>
  );
}
