/** How the numbers of a stream went: what the charts draw. */

import type { ChartPoint } from '../charts/chart-scale.ts';
import type { StatsSample } from '../model.ts';

export const STATS_SERIES = {
  kbps: ({ stats }) => stats.videoKbps + stats.audioKbps,
  fps: ({ stats }) => stats.fps,
  lost: ({ stats }, before) => risen(stats.lostPackets, before?.stats.lostPackets),
  jitterMs: ({ stats }) => stats.jitterMs,
} as const satisfies Record<
  string,
  (sample: StatsSample, before: StatsSample | undefined) => number | undefined
>;

export type SeriesName = keyof typeof STATS_SERIES;

export function seriesOf(name: SeriesName, history: readonly StatsSample[]): readonly ChartPoint[] {
  const numberOf: (sample: StatsSample, before: StatsSample | undefined) => number | undefined =
    STATS_SERIES[name];
  return history.flatMap((sample, at) => {
    const value = numberOf(sample, history[at - 1]);
    return value === undefined ? [] : [{ atMs: sample.atMs, value }];
  });
}

/** A counter since the last sample; one that is smaller than before was begun anew. */
function risen(now: number, before: number | undefined): number | undefined {
  if (before === undefined) return undefined;
  return now < before ? now : now - before;
}
