/** What the gateway has to reach, beside what it did. */
import type { FanOutMeasured } from './fan-out.ts';
import type { Measured } from './measurement.ts';
import type { Memory } from './process-usage.ts';
import type { ReportingCost } from './reporting.ts';

/** From as many cameras on: what Node costs at rest is shared by all. */
const CPU_GOAL_FROM_CAMERAS = 16;
const MAX_SHARE_OF_FFMPEG_CPU: Readonly<Record<string, number>> = { tcp: 0.4, udp: 0.5, relay: 1 };
const MAX_LATENCY_P99_MS = 5;
/** In MPEG-TS without lengths a picture ends where the next one begins. */
const TS_PICTURE_MS = 40;
const MAX_IDLE_ANONYMOUS_MB = 25;
const MAX_RSS_MB: Readonly<Record<number, number>> = { 16: 90, 64: 110 };
const MAX_REPORTING_CPU_PERCENT = 0.5;
const MAX_REPORTING_ANONYMOUS_MB = 12;
/** Where viewers may come, the GOPs of all streams are kept: limits.gopCacheMaxBytes. */
const GOP_CACHE_MB = 16;

export interface Goal {
  readonly name: string;
  readonly limit: number;
  readonly measured: number;
  readonly isReached: boolean;
}

export function goals(all: readonly Measured[], idle: Memory | undefined): Goal[] {
  const reached = all
    .filter(({ system }) => system === 'gateway')
    .flatMap((gateway) => goalsFor(gateway, findFfmpeg(all, gateway)));
  if (idle === undefined) return reached;
  return [...reached, atMost('idle: RssAnon, MB', MAX_IDLE_ANONYMOUS_MB, idle.anonymousMb)];
}

/** Of the same scenario. */
export function findFfmpeg(all: readonly Measured[], one: Measured): Measured | undefined {
  return all.find(
    ({ scenario, system, cameras }) =>
      scenario === one.scenario && system.startsWith('ffmpeg') && cameras === one.cameras,
  );
}

export function fanOutGoals(all: readonly FanOutMeasured[]): Goal[] {
  return all
    .filter(({ system }) => system === 'gateway')
    .flatMap((gateway) => {
      const { players, lost, corrupt, disordered } = gateway;
      const at = `${gateway.scenario}, ${players} players: `;
      const nginx = all.find((one) => one.system.startsWith('nginx') && one.players === players);
      const share = gateway.cpuMsPerPlayerSecond / (nginx?.cpuMsPerPlayerSecond ?? Number.NaN);
      return [
        ...(nginx === undefined ? [] : [atMost(`${at}CPU, of nginx's`, 1, share)]),
        atMost(`${at}access units lost or damaged`, 0, lost + corrupt + disordered),
      ];
    });
}

export function reportingGoals(all: readonly ReportingCost[]): Goal[] {
  return all.flatMap(({ cameras, cpuPercent, anonymousMb }) => [
    atMost(
      `reporting, ${cameras} cameras: CPU, % of a core`,
      MAX_REPORTING_CPU_PERCENT,
      cpuPercent,
    ),
    atMost(`reporting, ${cameras} cameras: RssAnon, MB`, MAX_REPORTING_ANONYMOUS_MB, anonymousMb),
  ]);
}

export function shareOfCpu(gateway: Measured, ffmpeg: Measured): number {
  return gateway.cpuMsPerCameraSecond / ffmpeg.cpuMsPerCameraSecond;
}

function goalsFor(gateway: Measured, ffmpeg: Measured | undefined): Goal[] {
  const at = `${gateway.scenario}, ${gateway.cameras} cameras: `;
  const share = MAX_SHARE_OF_FFMPEG_CPU[gateway.scenario];
  const maxLatencyMs = MAX_LATENCY_P99_MS + (gateway.scenario === 'ts' ? TS_PICTURE_MS : 0);
  const keptMb = gateway.scenario === 'relay' ? GOP_CACHE_MB : 0;
  const rssLimit = MAX_RSS_MB[gateway.cameras];
  const bad = gateway.lost + gateway.corrupt + gateway.disordered + gateway.withheld;
  return [
    ...(share === undefined || ffmpeg === undefined || gateway.cameras < CPU_GOAL_FROM_CAMERAS
      ? []
      : [atMost(`${at}CPU, of ffmpeg's`, share, shareOfCpu(gateway, ffmpeg))]),
    atMost(`${at}added latency p99, ms`, maxLatencyMs, gateway.latencyMs.p99),
    atMost(`${at}access units lost or damaged`, 0, bad),
    ...(rssLimit === undefined
      ? []
      : [atMost(`${at}VmRSS (peak), MB`, rssLimit + keptMb, gateway.memory.peak.rssMb)]),
  ];
}

/** NaN reaches nothing. */
function atMost(name: string, limit: number, measured: number): Goal {
  return { name, limit, measured, isReached: measured <= limit };
}
