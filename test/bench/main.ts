/**
 * `npm run bench`: what the gateway costs and how long it holds a picture back, beside `ffmpeg -c copy` and
 * nginx's RTMP module in the same run. Simulated cameras (1080p25 at 4 Mbit/s and AAC; scenario.ts says how they send) →
 * system → RTMP sink, or one publisher → system → RTMP players; every access unit is checked byte for byte. Bounded in time; not a test, for it needs a quiet machine.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stop } from './children.ts';
import { type FanOutMeasured, measureFanOut } from './fan-out.ts';
import { fanOutGoals, findFfmpeg, type Goal, goals, reportingGoals, shareOfCpu } from './goals.ts';
import {
  type Measured,
  measure,
  type Options,
  OUT_FOLDER,
  type System,
  summarize,
} from './measurement.ts';
import { type Memory, memory } from './process-usage.ts';
import { measureReporting, type ReportingCost } from './reporting.ts';
import { findScenario, SCENARIOS, type Scenario } from './scenario.ts';
import { ffmpeg, gateway, nginx, startIdleGateway } from './systems.ts';

const USAGE = `npm run bench -- [OPTIONS]
  --scenario tcp,udp  what the cameras send (default: all of these, in turn)
${SCENARIOS.map(({ name, what, cameras, players }) => `      ${name.padEnd(6)}  ${what}; ${players === undefined ? `${cameras.join(' and ')} cameras` : `${players} players`}`).join('\n')}
  --cameras 16,64     how many cameras, one run each, whatever the scenario
  --players 500       how many players in the scenario fanout, one run each
  --seconds 20        how long each is measured (default 20)
  --warm-up 8         seconds before that (default 8)
  --only WHAT         gateway, ffmpeg, nginx or idle alone
  --no-pin            do not give the system under test a processor of its own
  --node-options="…"  for the gateway's Node: --node-options="--cpu-prof --cpu-prof-dir=test/out",
                      or --node-options=--no-addons: without the native addon
  --assert            exit with 1 when a goal is missed
A run takes half a minute and measures one system: all of them take twenty minutes, half of that for reporting.
Over UDP nothing may be lost. What a socket may hold is net.core.rmem_max at most (sysctl). The usual 212992 is 184 packets,
260 kB: room for an IDR picture of 1080p, not for one of 4K; 4194304 is enough for anything.
Figures are also left in test/out/bench.json.`;

const IDLE_SECONDS = 10;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', default: SCENARIOS.map(({ name }) => name).join() },
      cameras: { type: 'string' },
      seconds: { type: 'string', default: '20' },
      'warm-up': { type: 'string', default: '8' },
      players: { type: 'string' },
      only: { type: 'string' },
      'no-pin': { type: 'boolean', default: false },
      'node-options': { type: 'string', default: '' },
      assert: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const options: Options = {
    seconds: positive('--seconds', values.seconds),
    warmUpSeconds: positive('--warm-up', values['warm-up']),
    pin: !values['no-pin'] && cpus().length > 1,
    nodeOptions: values['node-options'].split(' ').filter(Boolean),
  };
  const scenarios = values.scenario.split(',').map(knownScenario);
  const counts = values.cameras?.split(',').map((count) => positive('--cameras', count));
  const playerCounts = values.players?.split(',').map((count) => positive('--players', count));
  const isWanted = (what: string) => values.only === undefined || values.only === what;
  const systemsOf = ({ source, players }: Scenario): System[] => [
    ...(isWanted('gateway') ? [gateway] : []),
    ...(isWanted('nginx') && source === 'rtmp' ? [nginx] : []),
    ...(isWanted('ffmpeg') && players === undefined ? [ffmpeg] : []),
  ];

  for (const name of ['cameras', 'sink', 'players', 'gateway', 'nginx', 'ffmpeg']) {
    rmSync(`${OUT_FOLDER}/bench-${name}.log`, { force: true });
  }
  const idle = isWanted('idle') ? await measureIdle(options) : undefined;
  const all: Measured[] = [];
  const fanOuts: FanOutMeasured[] = [];
  const reporting: ReportingCost[] = [];
  for (const scenario of scenarios) {
    if (scenario.players !== undefined) {
      for (const count of playerCounts ?? [scenario.players]) {
        for (const system of systemsOf(scenario)) {
          console.error(`${scenario.name}: ${system.name}, ${count} players …`);
          fanOuts.push(await measureFanOut(scenario, system, count, options));
        }
      }
      continue;
    }
    for (const count of counts ?? scenario.cameras) {
      if (scenario.isReporting === true) {
        if (isWanted('gateway')) reporting.push(await measureReporting(scenario, count, options));
        continue;
      }
      for (const system of systemsOf(scenario)) {
        console.error(`${scenario.name}: ${system.name}, ${count} cameras …`);
        all.push(await measure(scenario, system, count, options));
      }
    }
  }
  const checked = [...goals(all, idle), ...fanOutGoals(fanOuts), ...reportingGoals(reporting)];
  report([...all, ...reporting.flatMap(({ quiet, telling }) => [...quiet, ...telling])]);
  reportFanOuts(fanOuts);
  reportGoals(idle, checked);
  save({ options, idle, measured: all, fanOuts, reporting, goals: checked });
  if (values.assert && checked.some((goal) => !goal.isReached)) process.exitCode = 1;
}

async function measureIdle(options: Options): Promise<Memory> {
  console.error(`gateway, no camera, ${IDLE_SECONDS} s …`);
  const child = await startIdleGateway(options.pin ? 1 : undefined, options);
  try {
    await sleep(IDLE_SECONDS * 1000);
    return summarize([memory([child.pid ?? 0])], 0.5);
  } finally {
    await stop([child]);
  }
}

function report(all: readonly Measured[]): void {
  table(
    all.map((one) => [
      `${one.scenario}: ${one.system}`,
      {
        cameras: one.cameras,
        'CPU-ms / camera-s': one.cpuMsPerCameraSecond.toFixed(2),
        'of ffmpeg': share(one, findFfmpeg(all, one)),
        ...memoryColumns(one.memory),
        'latency p50/p99 ms': latencyColumn(one.latencyMs),
        'video sent/arrived': `${one.video.sent} / ${one.video.arrived}`,
        'audio sent/arrived': `${one.audio.sent} / ${one.audio.arrived}`,
        'lost, bad': `${one.lost}, ${one.corrupt + one.disordered}`,
      },
    ]),
  );
}

function reportFanOuts(all: readonly FanOutMeasured[]): void {
  table(
    all.map((one) => [
      `${one.scenario}: ${one.system}`,
      {
        players: one.players,
        'CPU-ms / player-s': one.cpuMsPerPlayerSecond.toFixed(3),
        ...memoryColumns(one.memory),
        'latency p50/p99 ms': latencyColumn(one.latencyMs),
        'units sent': one.sent,
        'arrived at all': one.arrived,
        'lost, bad': `${one.lost}, ${one.corrupt + one.disordered}`,
      },
    ]),
  );
}

function table(rows: readonly (readonly [string, object])[]): void {
  if (rows.length === 0) return;
  console.table(
    Object.fromEntries(rows.map(([name, row], index) => [`${index + 1} ${name}`, row])),
  );
}

function share(one: Measured, ffmpeg: Measured | undefined): string {
  return ffmpeg === undefined || ffmpeg === one ? '' : shareOfCpu(one, ffmpeg).toFixed(2);
}

function memoryColumns({ median, peak }: Measured['memory']) {
  return {
    'RssAnon MB (peak)': `${median.anonymousMb.toFixed(1)} (${peak.anonymousMb.toFixed(1)})`,
    'VmRSS MB (peak)': `${median.rssMb.toFixed(1)} (${peak.rssMb.toFixed(1)})`,
  };
}

function latencyColumn({ p50, p99 }: Measured['latencyMs']): string {
  return `${p50.toFixed(1)} / ${p99.toFixed(1)}`;
}

function reportGoals(idle: Memory | undefined, checked: readonly Goal[]): void {
  if (idle !== undefined) {
    console.log(
      `no camera: RssAnon ${idle.anonymousMb.toFixed(1)} MB, VmRSS ${idle.rssMb.toFixed(1)} MB`,
    );
  }
  for (const { name, limit, measured, isReached } of checked) {
    const figure = Math.round(measured * 100) / 100;
    console.log(`${isReached ? 'reached' : 'MISSED '}  ${name}: ${figure} (at most ${limit})`);
  }
}

function save(figures: object): void {
  mkdirSync(OUT_FOLDER, { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cpus: cpus().length, memoryMb: totalmem() / 2 ** 20 };
  const head = { at: new Date().toISOString(), node: process.version, machine };
  writeFileSync(
    `${OUT_FOLDER}/bench.json`,
    `${JSON.stringify({ ...head, ...figures }, null, 2)}\n`,
  );
}

function knownScenario(name: string): Scenario {
  const scenario = findScenario(name);
  if (scenario === undefined) throw new Error(`--scenario: there is no ${name}\n${USAGE}`);
  return scenario;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${option}: ${text} is no positive number\n${USAGE}`);
  return value;
}

// The children go with the `exit` event, see children.ts.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
