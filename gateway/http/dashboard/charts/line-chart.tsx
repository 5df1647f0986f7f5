/** One number over time as a line, and as a table for who does not see it. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { language, wordsOf } from '../words.ts';
import {
  type ChartFrame,
  type ChartPoint,
  linePaths,
  spanMinutes,
  ticksFor,
  yOf,
} from './chart-scale.ts';

const WIDTH = 360;
const HEIGHT = 150;
const FRAME: ChartFrame = { left: 46, top: 10, width: 304, height: 114 };
/** At most so many rows, the newest first. */
const MAX_ROWS = 180;

const t = wordsOf({
  en: {
    now: '{value} {unit}',
    none: 'No numbers yet.',
    summary: '{title}: {value} {unit} now, {min} to {max} in the last {minutes} min',
    ago: '{minutes} min ago',
    'now-label': 'now',
    table: 'As a table',
    time: 'Time',
  },
  zh: {
    now: '{value} {unit}',
    none: '还没有数据。',
    summary: '{title}：现在 {value} {unit}，最近 {minutes} 分钟内 {min} 至 {max}',
    ago: '{minutes} 分钟前',
    'now-label': '现在',
    table: '以表格显示',
    time: '时间',
  },
});

export interface LineChartProps {
  readonly title: string;
  readonly unit: string;
  readonly points: readonly ChartPoint[];
}

export function LineChart({ title, unit, points }: LineChartProps) {
  const id = useId();
  const last = points.at(-1);
  return (
    <section class="card chart" aria-labelledby={id}>
      <div class="row spread">
        <h3 id={id}>{title}</h3>
        {last !== undefined && (
          <span class="number">{t('now', { value: shown(last.value), unit })}</span>
        )}
      </div>
      {last === undefined ? (
        <p class="muted">{t('none')}</p>
      ) : (
        <>
          <Drawing title={title} unit={unit} points={points} now={last.value} />
          <AsTable title={title} unit={unit} points={points} />
        </>
      )}
    </section>
  );
}

function Drawing({ title, unit, points, now }: LineChartProps & { readonly now: number }) {
  const ticks = ticksFor(points);
  const top = ticks.at(-1) ?? 1;
  const values = points.map(({ value }) => value);
  const minutes = spanMinutes(points);
  const label = t('summary', {
    title,
    unit,
    minutes,
    value: shown(now),
    min: shown(Math.min(...values)),
    max: shown(Math.max(...values)),
  });
  const right = FRAME.left + FRAME.width;
  const bottom = FRAME.top + FRAME.height;
  return (
    <svg class="chart-drawing" role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
      {ticks.map((tick) => {
        const y = yOf(tick, top, FRAME);
        return (
          <g key={tick}>
            <line class="chart-rule" x1={FRAME.left} x2={right} y1={y} y2={y} />
            <text class="chart-words" x={FRAME.left - 6} y={y + 4} text-anchor="end">
              {shown(tick)}
            </text>
          </g>
        );
      })}
      <text class="chart-words" x={FRAME.left} y={bottom + 18}>
        {t('ago', { minutes })}
      </text>
      <text class="chart-words" x={right} y={bottom + 18} text-anchor="end">
        {t('now-label')}
      </text>
      {linePaths(points, top, FRAME).map((path) => (
        <path key={path} class="chart-line" d={path} />
      ))}
    </svg>
  );
}

function AsTable({ title, unit, points }: LineChartProps) {
  // Rows that nobody looks at cost as much as those that are seen.
  const isOpen = useSignal(false);
  const format = new Intl.DateTimeFormat(language.value, { timeStyle: 'medium' });
  return (
    <details
      onToggle={({ currentTarget }) => {
        isOpen.value = currentTarget.open;
      }}
    >
      <summary class="small">
        {t('table')}
        <span class="visually-hidden">: {title}</span>
      </summary>
      {isOpen.value && (
        // It scrolls, so the keyboard must get there.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region
        <section class="chart-table" tabIndex={0} aria-label={title}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('time')}</th>
                <th scope="col">{unit}</th>
              </tr>
            </thead>
            <tbody>
              {points
                .slice(-MAX_ROWS)
                .reverse()
                .map(({ atMs, value }) => (
                  <tr key={atMs}>
                    <td class="number">{format.format(atMs)}</td>
                    <td class="number">{shown(value)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}

function shown(value: number): string {
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0;
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value);
}
