/** One system under test with a publisher before it and N players behind it, for a bounded time. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Peer, stop, waitFor } from './children.ts';
import {
  assertAllRun,
  DRAIN_MS,
  FLOWING_TIMEOUT_MS,
  type Options,
  peer,
  portsForEncoders,
  quantile,
  type System,
  summarize,
  systemCpu,
  type Used,
  watch,
} from './measurement.ts';
import type { Memory } from './process-usage.ts';
import type { Scenario } from './scenario.ts';
import type { CamerasResult, SinkResult } from './window.ts';

/**
 * One player in so many lives in a process of few, which is quick to read: latency is measured there. A process of
 * hundreds shows its own queue.
 */
const PROBE_EVERY = 25;
/** Ten milliseconds for each of 500. */
const OPEN_MS = 5_000;

export interface FanOutMeasured {
  readonly scenario: string;
  readonly system: string;
  readonly players: number;
  readonly cpuMsPerPlayerSecond: number;
  readonly memory: { readonly median: Memory; readonly peak: Memory };
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly sent: number;
  /** Of all players together, as what follows. */
  readonly arrived: number;
  readonly lost: number;
  readonly corrupt: number;
  readonly disordered: number;
}

export async function measureFanOut(
  scenario: Scenario,
  system: System,
  players: number,
  options: Options,
): Promise<FanOutMeasured> {
  const sourcePorts = await portsForEncoders(scenario, system, 1);
  const [port = 0] = sourcePorts;
  const cameras = peer<CamerasResult>(options, 'cameras', '1', scenario.name, `${port}`);
  const join = (count: number) =>
    peer<SinkResult>(options, 'players', `${count}`, scenario.name, `${port}`, `${OPEN_MS}`);
  const probeCount = Math.ceil(players / PROBE_EVERY);
  const peers: Pick<Peer<unknown>, 'tell' | 'child'>[] = [cameras];
  const children: ChildProcess[] = [];
  try {
    const place = { scenario, cameras: 1, sourcePorts, rtmpPort: undefined, tsPort: undefined };
    children.push(...(await system.start({ ...place, cpu: systemCpu(options), options })));
    await waitFor('the publisher', FLOWING_TIMEOUT_MS, () => {
      assertAllRun(system, children);
      return cameras.flowing === 1;
    });
    const crowd = join(players - probeCount);
    const probes = join(probeCount);
    peers.push(crowd, probes);
    await waitFor(`${players} players of ${system.name}`, FLOWING_TIMEOUT_MS, () => {
      assertAllRun(system, children);
      return crowd.flowing + probes.flowing === players;
    });
    await sleep(options.warmUpSeconds * 1000);
    const used = await watch(children, peers, options.seconds);
    assertAllRun(system, children);
    await sleep(DRAIN_MS);
    const sent = await cameras.collect();
    const results = [await crowd.collect(), await probes.collect()];
    return {
      scenario: scenario.name,
      system: system.name,
      ...result(players, options, used, sent, results),
    };
  } finally {
    await stop(children);
    await stop(peers.map(({ child }) => child));
  }
}

function result(
  players: number,
  options: Options,
  used: Used,
  camera: CamerasResult,
  results: readonly SinkResult[],
): Omit<FanOutMeasured, 'scenario' | 'system'> {
  const sum = (of: (one: SinkResult) => number) => results.reduce((all, one) => all + of(one), 0);
  const probed = results.at(-1)?.latenciesUs ?? [];
  const latency = (share: number) => quantile(probed, share) / 1000;
  const sent = camera.video + camera.audio;
  const arrived = sum(({ video, audio }) => video + audio);
  return {
    players,
    cpuMsPerPlayerSecond: used.cpuMs / (players * options.seconds),
    memory: { median: summarize(used.samples, 0.5), peak: summarize(used.samples, 1) },
    latencyMs: { p50: latency(0.5), p99: latency(0.99), max: latency(1) },
    sent,
    arrived,
    lost: (sent + camera.withheld) * players - arrived,
    corrupt: sum(({ corrupt }) => corrupt),
    disordered: sum(({ disordered }) => disordered),
  };
}
