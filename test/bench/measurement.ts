/** One system under test with N cameras before it and the sink behind it, for a bounded time. */
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.ts';
import { isRunning, launch, Peer, stop, waitFor } from './children.ts';
import { cpuMs, type Memory, memory } from './process-usage.ts';
import type { Scenario } from './scenario.ts';
import { nowUs } from './stamp.ts';
import type { CamerasResult, SinkResult } from './window.ts';

/** 64 ffmpegs look at their streams for up to 5 s each before they begin. */
export const FLOWING_TIMEOUT_MS = 60_000;
/** What is on its way when the window closes may still arrive. */
export const DRAIN_MS = 1500;
const SAMPLE_MS = 1000;

/** Logs of all that was started, and the figures. */
export const OUT_FOLDER = 'test/out';

export interface Options {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Cameras and sink on one processor, the system under test on another. */
  readonly pin: boolean;
  /** For the gateway's Node: --cpu-prof and the like. */
  readonly nodeOptions: readonly string[];
}

/** Between what a system has to carry `cameras` streams. */
export interface Place {
  readonly scenario: Scenario;
  readonly cameras: number;
  /** Of the RTSP server; or one for each encoder, to listen at. */
  readonly sourcePorts: readonly number[];
  /** Where all goes; undefined: players come and get it. */
  readonly rtmpPort: number | undefined;
  /** Takes MPEG-TS over TCP. */
  readonly tsPort: number | undefined;
  readonly cpu: number | undefined;
  readonly options: Options;
}

export interface System {
  readonly name: string;
  /** One port takes all RTMP publishers. */
  readonly sharesPort: boolean;
  start(place: Place): Promise<ChildProcess[]>;
}

export interface Measured {
  readonly scenario: string;
  readonly system: string;
  readonly cameras: number;
  readonly cpuMsPerCameraSecond: number;
  readonly memory: { readonly median: Memory; readonly peak: Memory };
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly video: { readonly sent: number; readonly arrived: number };
  readonly audio: { readonly sent: number; readonly arrived: number };
  readonly lost: number;
  readonly corrupt: number;
  readonly disordered: number;
  /** What the cameras could not send because the system did not read; part of `lost` for a viewer. */
  readonly withheld: number;
}

export async function measure(
  scenario: Scenario,
  system: System,
  count: number,
  options: Options,
): Promise<Measured> {
  const encoderPorts = await portsForEncoders(scenario, system, count);
  const cameras = peer<CamerasResult>(
    options,
    'cameras',
    `${count}`,
    scenario.name,
    encoderPorts.join(),
  );
  const sink = peer<SinkResult>(options, 'sink', scenario.name);
  const children: ChildProcess[] = [];
  try {
    const [rtmpPort = 0, tsPort = 0] = await sink.listening();
    const sourcePorts = [...(await cameras.listening()), ...encoderPorts];
    const place = {
      scenario,
      cameras: count,
      sourcePorts,
      rtmpPort,
      tsPort,
      cpu: systemCpu(options),
      options,
    };
    children.push(...(await system.start(place)));
    await waitFor(`${count} streams through ${system.name}`, FLOWING_TIMEOUT_MS, () => {
      assertAllRun(system, children);
      return sink.flowing === count;
    });
    await sleep(options.warmUpSeconds * 1000);
    const used = await watch(children, [cameras, sink], options.seconds);
    assertAllRun(system, children);
    await sleep(DRAIN_MS);
    const [sent, arrived] = [await cameras.collect(), await sink.collect()];
    return {
      scenario: scenario.name,
      system: system.name,
      ...result(count, options, used, sent, arrived),
    };
  } finally {
    await stop(children);
    await stop([cameras.child, sink.child]);
  }
}

/** A module of this folder in a process of its own. */
export function peer<Result>(options: Options, name: string, ...commandLine: string[]) {
  return new Peer<Result>(
    launch({
      command: [process.execPath, '--enable-source-maps', modulePath(name), ...commandLine],
      cpu: options.pin ? 0 : undefined,
      logFile: `${OUT_FOLDER}/bench-${name}.log`,
      ipc: true,
    }),
  );
}

/** All others share the first. */
export function systemCpu(options: Options): number | undefined {
  return options.pin ? 1 : undefined;
}

/** Where encoders send to, or publish at, one for each. */
export async function portsForEncoders(
  { source }: Scenario,
  system: System,
  count: number,
): Promise<number[]> {
  if (source === 'udp-ts') return await freeUdpPorts(count);
  if (source !== 'rtmp') return [];
  const port = await freePort();
  const ports = [port];
  while (ports.length < count) ports.push(system.sharesPort ? port : await freePort());
  return ports;
}

export interface Used {
  readonly cpuMs: number;
  readonly samples: readonly Memory[];
}

export async function watch(
  children: readonly ChildProcess[],
  peers: readonly Pick<Peer<unknown>, 'tell'>[],
  seconds: number,
): Promise<Used> {
  const pids = children.map((child) => child.pid ?? 0);
  const fromUs = nowUs() + 100_000;
  const window = { fromUs, toUs: fromUs + seconds * 1_000_000 };
  for (const one of peers) one.tell({ window });
  await sleep((fromUs - nowUs()) / 1000);
  const before = cpuMs(pids);
  const samples: Memory[] = [];
  while (nowUs() < window.toUs) {
    await sleep(Math.min(SAMPLE_MS, Math.max(1, (window.toUs - nowUs()) / 1000)));
    samples.push(memory(pids));
  }
  return { cpuMs: cpuMs(pids) - before, samples };
}

function result(
  count: number,
  options: Options,
  used: Used,
  sent: CamerasResult,
  arrived: SinkResult,
): Omit<Measured, 'scenario' | 'system'> {
  const latency = (share: number) => quantile(arrived.latenciesUs, share) / 1000;
  return {
    cameras: count,
    cpuMsPerCameraSecond: used.cpuMs / (count * options.seconds),
    memory: { median: summarize(used.samples, 0.5), peak: summarize(used.samples, 1) },
    latencyMs: { p50: latency(0.5), p99: latency(0.99), max: latency(1) },
    video: { sent: sent.video, arrived: arrived.video },
    audio: { sent: sent.audio, arrived: arrived.audio },
    lost: sent.video - arrived.video + sent.audio - arrived.audio,
    corrupt: arrived.corrupt,
    disordered: arrived.disordered,
    withheld: sent.withheld,
  };
}

export function summarize(samples: readonly Memory[], share: number): Memory {
  const pick = (key: keyof Memory) =>
    quantile(
      samples.map((sample) => sample[key]).toSorted((a, b) => a - b),
      share,
    );
  return { rssMb: pick('rssMb'), anonymousMb: pick('anonymousMb') };
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function assertAllRun(system: System, children: readonly ChildProcess[]): void {
  const ended = children.find((child) => !isRunning(child));
  if (ended === undefined) return;
  const how = ended.signalCode ?? `exit code ${ended.exitCode}`;
  throw new Error(`${system.name} ended with ${how}; what it said is in ${OUT_FOLDER}`);
}

/** Nobody else's at the moment, as these are. */
async function freeUdpPorts(count: number): Promise<number[]> {
  const sockets = Array.from({ length: count }, () => createSocket('udp4'));
  for (const socket of sockets) {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  const ports = sockets.map((socket) => socket.address().port);
  for (const socket of sockets) socket.close();
  return ports;
}

function modulePath(name: string): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url));
}
