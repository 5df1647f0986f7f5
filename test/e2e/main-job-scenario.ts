/**
 * The main job, as a program of its own for a network of its own (main-job.test.ts starts it there):
 * a camera that is found by ONVIF and one that is configured, the gateway as users run it, nginx as
 * the master, Mosquitto as the broker, ffmpeg as the player. Prints what it saw as one JSON line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Comparison, compareUnits } from '../support/compare-units.ts';
import { flvUnits } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { type GstCamera, startGstCamera } from '../support/gst-camera.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';

/** Time stamps count from the publish, so a few seconds more than the minute that is wanted. */
const MEDIA_S = 68;
const CAMERA_ADDRESS = '10.77.0.2';
const PASSWORD = 'pl4nted-s3cret';

export interface MainJobResult {
  readonly found: unknown;
  readonly streams: readonly string[];
  readonly statuses: Readonly<Record<string, unknown>>;
  readonly published: Readonly<Record<string, unknown>>;
  readonly comparisons: Readonly<Record<string, Comparison | string>>;
  readonly adoptedAfterMs: number;
  readonly exitCode: number | null;
  readonly stateAfterStop: string | undefined;
  readonly stopMs: number;
  /** Places where the password was seen. */
  readonly leaks: readonly string[];
  readonly log: string;
}

async function main(): Promise<MainJobResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-main-job-'));
  const found = await startGstCamera({
    address: CAMERA_ADDRESS,
    bframes: 2,
    audio: 'aac',
    auth: 'digest',
    username: 'admin',
    password: PASSWORD,
  });
  const configured = await startGstCamera({
    audio: 'aac',
    auth: 'basic',
    username: 'viewer',
    password: PASSWORD,
    transports: 'udp',
  });
  const device = await VirtualOnvif.start({
    rtspUrl: found.url,
    address: CAMERA_ADDRESS,
    advertisedHost: '192.168.1.108',
    username: 'admin',
    password: PASSWORD,
    auth: 'token',
    clockOffsetMs: -3 * 3600_000,
    manufacturer: 'Acme',
    model: 'Dome 4',
    serial: 'AC0042',
    wsDiscoveryPort: 3702,
  });
  const master = await NginxRtmp.start();
  const broker = await Mosquitto.start();
  const watcher = await MqttWatcher.open(broker.url);
  const configFile = join(folder, 'sluice.yaml');
  await writeFile(configFile, configuration(configured, master, broker, await freePort()));
  const startedAtMs = Date.now();
  const gateway = spawn(process.execPath, ['dist/gateway/main.js', 'run', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  gateway.stdout.on('data', (chunk) => {
    log += chunk;
  });
  gateway.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const names = ['dome-4-ac0042', 'side'];
  const publishing = (name: string) => {
    const topic = `sluice/box/publish/${name}/127-0-0-1-live`;
    return watcher.state.get(topic)?.includes('"publishing"') || undefined;
  };
  const explainFailure = (error: unknown) => {
    throw new Error(`${String(error)}\n${log.slice(-6000)}`);
  };
  for (const name of names) {
    await watcher.until(`${name} to be published`, () => publishing(name)).catch(explainFailure);
  }
  const adoptedAfterMs = Date.now() - startedAtMs;
  const played = await Promise.all(names.map((name) => play(`${master.url()}/${name}`)));
  const topicsOf = (part: string) =>
    Object.fromEntries([...watcher.state].filter(([topic]) => topic.includes(part)));
  const seen = {
    found: topicsOf('/found/'),
    streams: names,
    statuses: topicsOf('/status'),
    published: topicsOf('/publish/'),
  };
  const comparisons = {
    [names[0] ?? '']: compareUnits(await found.dump(), flvUnits(played[0] ?? new Uint8Array())),
    [names[1] ?? '']: compareUnits(
      await configured.dump(),
      flvUnits(played[1] ?? new Uint8Array()),
    ),
  };
  const stopAtMs = Date.now();
  gateway.kill('SIGTERM');
  const [exitCode] = await once(gateway, 'exit');
  const stopMs = Date.now() - stopAtMs;
  const stateAfterStop = await watcher.until('stopped', () => {
    const state = watcher.state.get('sluice/box/state');
    return state === 'online' ? undefined : state;
  });
  const heard = watcher.heard.map(({ topic, text }) => `${topic} ${text}`).join('\n');
  const leaks = Object.entries({ log, mqtt: heard }).flatMap(([where, text]) =>
    text.includes(PASSWORD) ? [where] : [],
  );
  await watcher.close();
  await device.close();
  for (const each of [found, configured, master]) await each[Symbol.asyncDispose]();
  await broker.stop();
  await rm(folder, { recursive: true });
  return {
    ...seen,
    comparisons,
    adoptedAfterMs,
    exitCode,
    stateAfterStop,
    stopMs,
    leaks,
    log: log.slice(-3000),
  };
}

function configuration(
  configured: GstCamera,
  master: NginxRtmp,
  broker: Mosquitto,
  httpPort: number,
): string {
  return `
gateway: { id: box, dataDir: ./data }
log: { level: debug }
discovery:
  mdns: false
  credentials:
    - { username: admin, password: wrong-guess }
    - { username: admin, password: ${PASSWORD} }
streams:
  side: { source: "${configured.url}", username: viewer, password: ${PASSWORD}, transport: udp }
proxypublish: { targets: [ { targetUri: "${master.url()}" } ] }
mqtt: { url: "${broker.url}" }
http: { listen: "127.0.0.1:${httpPort}" }
`;
}

/** What a player gets: ffmpeg copies the stream from the master into an FLV file. */
async function play(url: string): Promise<Uint8Array> {
  const file = join(await mkdtemp(join(tmpdir(), 'sluice-played-')), 'played.flv');
  const args = ['-v', 'error', '-rw_timeout', '20000000', '-i', url, '-c', 'copy', '-copyts'];
  const player = spawn('ffmpeg', [...args, '-t', String(MEDIA_S), '-f', 'flv', '-y', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const limit = setTimeout(() => player.kill('SIGINT'), (MEDIA_S + 25) * 1000);
  await once(player, 'exit');
  clearTimeout(limit);
  return await readFile(file);
}

process.stdout.write(`${JSON.stringify(await main())}\n`);
process.exit();
