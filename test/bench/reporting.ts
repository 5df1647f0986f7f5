/**
 * What it costs to tell: the gateway with MQTT to a broker (Mosquitto), HTTP, and somebody who looks at the page, beside the same
 * gateway without any of it. Small pictures, so that the difference is not lost in what they cost. In turns, because the machine's
 * pace changes by the minute.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../support/free-port.ts';
import { launch } from './children.ts';
import { type Measured, measure, type Options, OUT_FOLDER, type System } from './measurement.ts';
import type { Scenario } from './scenario.ts';
import { launchGateway, targetLines, visitorCommand } from './systems.ts';

const ROUNDS = 5;
const QUIET_FOLDER = 'build/bench';

export interface ReportingCost {
  readonly cameras: number;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly anonymousMb: number;
  readonly quiet: readonly Measured[];
  readonly telling: readonly Measured[];
}

export async function measureReporting(
  scenario: Scenario,
  cameras: number,
  options: Options,
): Promise<ReportingCost> {
  await bundleQuietGateway();
  const quiet: Measured[] = [];
  const telling: Measured[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [system, results] of [[QUIET, quiet] as const, [TELLING, telling] as const]) {
      console.error(`${scenario.name}: ${system.name}, ${cameras} cameras …`);
      results.push(await measure(scenario, system, cameras, options));
    }
  }
  const cpuPercent = ({ cpuMsPerCameraSecond }: Measured) => (cpuMsPerCameraSecond * cameras) / 10;
  const anonymousMb = ({ memory }: Measured) => memory.median.anonymousMb;
  const more = (figure: (one: Measured) => number) =>
    median(telling.map((one, round) => figure(one) - figure(quiet[round] ?? one)));
  return {
    cameras,
    // Of rounds, not of all: what follows directly met the same machine.
    cpuPercent: more(cpuPercent),
    anonymousMb: more(anonymousMb),
    quiet,
    telling,
  };
}

const QUIET: System = {
  name: 'gateway, telling nobody',
  sharesPort: true,
  async start(place) {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    const config = join(folder, 'sluice.yaml');
    const head = `gateway: { id: bench, dataDir: ${folder} }\ndiscovery: { onvif: false, mdns: false }\n`;
    writeFileSync(config, `${head}${targetLines(place).join('\n')}\n`);
    const command = [process.execPath, `${QUIET_FOLDER}/test/bench/quiet-gateway.js`, config];
    return [launch({ command, cpu: place.cpu, logFile: `${OUT_FOLDER}/bench-gateway.log` })];
  },
};

const TELLING: System = {
  name: 'gateway, telling all',
  sharesPort: true,
  async start(place) {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    const [brokerPort, httpPort] = [await freePort(), await freePort()];
    const config = join(folder, 'mosquitto.conf');
    writeFileSync(config, `listener ${brokerPort} 127.0.0.1\nallow_anonymous true\n`);
    const aside = {
      cpu: place.options.pin ? 0 : undefined,
      logFile: `${OUT_FOLDER}/bench-gateway.log`,
    };
    const others: ChildProcess[] = [];
    others.push(launch({ ...aside, command: ['mosquitto', '-c', config] }));
    const mqtt = `mqtt: { url: "mqtt://127.0.0.1:${brokerPort}", homeAssistant: true }`;
    const gateway = await launchGateway(place, [mqtt, ...targetLines(place)], httpPort);
    others.push(launch({ ...aside, command: visitorCommand(httpPort) }));
    // It alone is measured; the others end when the bench does, and with this one.
    gateway.once('exit', () => {
      for (const other of others) other.kill('SIGTERM');
    });
    return [gateway];
  },
};

/** As `npm run build` bundles the service. */
async function bundleQuietGateway(): Promise<void> {
  const { bundle } = await import(pathToFileURL(resolve('deploy/build.mjs')).href);
  await bundle('test/bench/quiet-gateway.ts', resolve(QUIET_FOLDER));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
