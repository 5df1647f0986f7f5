/** How a stream is and why, what it is made of, and what camera it comes from. */
import type { ComponentChildren } from 'preact';
import { codecName } from '../../../../codecs/codec-name.ts';
import type { TrackDescription } from '../../../../codecs/describe-track.ts';
import type { Track } from '../../../../codecs/track.ts';
import type { StreamInfo, StreamStatus } from '../../../report/status.ts';
import type { Shown, StreamModel } from '../model.ts';
import { Reason } from '../parts/reason.tsx';
import { Badge } from '../parts/state-badge.tsx';
import { TimeAgo } from '../parts/time-ago.tsx';
import { wordsOf } from '../words.ts';

const t = wordsOf({
  en: {
    state: 'State',
    reason: 'Reason',
    since: 'Since',
    'last-frame': 'Last frame',
    attempts: 'Failed attempts',
    'next-retry': 'Next attempt',
    motion: 'Motion',
    'motion-on': 'something moves',
    'motion-off': 'nothing moves',
    video: 'Picture',
    audio: 'Sound',
    viewers: 'Viewers',
    camera: 'Camera',
    source: 'Source',
    manufacturer: 'Make',
    model: 'Model',
    firmware: 'Firmware',
    serial: 'Serial number',
    profile: 'Profile',
    transport: 'Transport',
    notes: 'Notes',
    fps: '{fps} fps',
    channels: '{channels} channels',
    mono: 'mono',
    stereo: 'stereo',
  },
  zh: {
    state: '状态',
    reason: '原因',
    since: '开始于',
    'last-frame': '最后一帧',
    attempts: '失败次数',
    'next-retry': '下次尝试',
    motion: '移动侦测',
    'motion-on': '有物体移动',
    'motion-off': '没有移动',
    video: '画面',
    audio: '声音',
    viewers: '观看人数',
    camera: '摄像机',
    source: '来源',
    manufacturer: '厂商',
    model: '型号',
    firmware: '固件',
    serial: '序列号',
    profile: '配置文件',
    transport: '传输方式',
    notes: '备注',
    fps: '{fps} 帧/秒',
    channels: '{channels} 声道',
    mono: '单声道',
    stereo: '立体声',
  },
});

export function CameraFacts({ stream }: { readonly stream: StreamModel }) {
  const status = stream.status.value;
  const info = stream.info.value;
  return (
    <>
      <section class="card stack" aria-labelledby="state-title">
        <h2 id="state-title">{t('state')}</h2>
        <dl class="facts">
          {status !== undefined && <StatusFacts status={status} />}
          <Motion stream={stream} />
          {info?.tracks.map((track) => (
            <Fact key={track.kind} name={kindWords(track.kind)}>
              {trackWords(track)}
            </Fact>
          ))}
          <Viewers stream={stream} />
        </dl>
      </section>
      {info !== undefined && <DeviceFacts info={info} />}
    </>
  );
}

function StatusFacts({ status }: { readonly status: Shown<StreamStatus> }) {
  const { state, code, reason, since, lastFrameAt, attempts, nextRetryAt } = status;
  return (
    <>
      <Fact name={t('reason')}>
        <Reason code={code} reason={reason} />
      </Fact>
      <Fact name={t('since')}>
        <TimeAgo at={since} />
      </Fact>
      {state !== 'online' && lastFrameAt !== null && (
        <Fact name={t('last-frame')}>
          <TimeAgo at={lastFrameAt} />
        </Fact>
      )}
      {attempts > 0 && <Fact name={t('attempts')}>{attempts}</Fact>}
      {nextRetryAt !== null && (
        <Fact name={t('next-retry')}>
          <TimeAgo at={nextRetryAt} />
        </Fact>
      )}
    </>
  );
}

function Motion({ stream }: { readonly stream: StreamModel }) {
  const motion = stream.motion.value;
  if (motion === undefined) return null;
  return (
    <Fact name={t('motion')}>
      <Badge tone={motion === 'ON' ? 'warn' : 'off'}>
        {t(motion === 'ON' ? 'motion-on' : 'motion-off')}
      </Badge>
    </Fact>
  );
}

function Viewers({ stream }: { readonly stream: StreamModel }) {
  const stats = stream.stats.value;
  return stats === undefined ? null : <Fact name={t('viewers')}>{stats.viewers}</Fact>;
}

const DEVICE_KEYS = [
  'manufacturer',
  'model',
  'firmware',
  'serial',
  'profile',
  'transport',
  'source',
] as const;

function DeviceFacts({ info }: { readonly info: StreamInfo }) {
  const { notes = [] } = info;
  return (
    <section class="card stack" aria-labelledby="camera-title">
      <h2 id="camera-title">{t('camera')}</h2>
      <dl class="facts">
        {DEVICE_KEYS.map((key) => {
          const value = info[key];
          if (value === undefined) return null;
          return (
            <Fact key={key} name={t(key)}>
              {key === 'source' ? <code>{value}</code> : value}
            </Fact>
          );
        })}
        {notes.length > 0 && (
          <Fact name={t('notes')}>
            <ul class="notes" lang="en">
              {notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** A newer gateway may have kinds that this page does not know. */
function kindWords(kind: string): string {
  return kind === 'video' || kind === 'audio' ? t(kind) : kind;
}

/** "H.264 High 4.1, 1920 × 1080, 25 fps" */
function trackWords(track: TrackDescription): string {
  const { codec, profile, width, height, fps, sampleRate, channels } = track;
  // A newer gateway may have codecs that this page does not know.
  const name = codecName({ codec: codec as Track['codec'] }) ?? codec;
  const words = [profile === undefined ? name : `${name} ${profile}`];
  if (width !== undefined && height !== undefined) words.push(`${width} × ${height}`);
  if (fps !== undefined) words.push(t('fps', { fps }));
  if (sampleRate !== undefined) words.push(`${sampleRate / 1000} kHz`);
  if (channels === 1) words.push(t('mono'));
  else if (channels === 2) words.push(t('stereo'));
  else if (channels !== undefined) words.push(t('channels', { channels }));
  return words.join(', ');
}
