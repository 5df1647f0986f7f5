/** How a stream was in the last half hour. */
import { useComputed } from '@preact/signals';
import { LineChart } from '../charts/line-chart.tsx';
import type { StreamModel } from '../model.ts';
import { wordsOf } from '../words.ts';
import { type SeriesName, seriesOf } from './stats-series.ts';

const t = wordsOf({
  en: {
    title: 'Lately',
    kbps: 'Bit rate',
    fps: 'Pictures',
    lost: 'Packets lost',
    jitterMs: 'Jitter',
    'kbps-unit': 'kbit/s',
    'fps-unit': 'fps',
    'lost-unit': 'in 10 s',
    'jitterMs-unit': 'ms',
  },
  zh: {
    title: '近期',
    kbps: '码率',
    fps: '帧率',
    lost: '丢包',
    jitterMs: '抖动',
    'kbps-unit': 'kbit/s',
    'fps-unit': '帧/秒',
    'lost-unit': '每 10 秒',
    'jitterMs-unit': '毫秒',
  },
});

const SHOWN = ['kbps', 'fps', 'lost', 'jitterMs'] as const satisfies readonly SeriesName[];

export function CameraCharts({ stream }: { readonly stream: StreamModel }) {
  return (
    <section class="stack" aria-labelledby="charts-title">
      <h2 id="charts-title">{t('title')}</h2>
      <div class="charts">
        {SHOWN.map((name) => (
          <Chart key={name} name={name} stream={stream} />
        ))}
      </div>
    </section>
  );
}

function Chart({
  name,
  stream,
}: {
  readonly name: (typeof SHOWN)[number];
  readonly stream: StreamModel;
}) {
  const points = useComputed(() => seriesOf(name, stream.history.value)).value;
  return <LineChart title={t(name)} unit={t(`${name}-unit`)} points={points} />;
}
