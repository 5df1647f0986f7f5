/**
 * Five cameras, each wrong in a way of its own, the gateway as users run it with an empty dataDir, nginx as the master: a
 * program of its own for a network of its own (adoption.test.ts starts it there). Prints what it saw as one JSON line.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishEntry } from '../../gateway/report/board.ts';
import { freePort } from '../support/free-port.ts';
import { startGstCamera } from '../support/gst-camera.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';
import { VirtualOnvif, type VirtualOnvifOptions } from '../support/virtual-onvif.ts';

const PASSWORDS = ['f1rst-of-all', 's3cond-best', 'th1rd-time-lucky'] as const;
const [FIRST, SECOND, THIRD] = PASSWORDS;
const GIVE_UP_MS = 90_000;

const KINDS: readonly Partial<VirtualOnvifOptions>[] = [
  { auth: 'digest' },
  { auth: 'digest', digestAlgorithm: 'SHA-256' },
  { auth: 'token', clockOffsetMs: -3 * 3600_000 },
  { auth: 'token', advertisedHost: '192.168.1.108' },
  { auth: 'both', password: THIRD },
];

export interface AdoptionScenarioResult {
  readonly firstMs: number;
  readonly againMs: number;
  readonly names: readonly string[];
  /** What was published there both times. */
  readonly atMaster: readonly string[];
  readonly refusals: readonly number[];
  readonly refusalsAgain: readonly number[];
  readonly mode: string;
  /** Places where a password was seen. */
  readonly leaks: readonly string[];
  readonly log: string;
}

async function main(): Promise<AdoptionScenarioResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-adoption-'));
  const login = { auth: 'digest', username: 'admin' } as const;
  const rtsp = { address: '0.0.0.0', audio: 'none', viewers: 'own', ...login } as const;
  const [many, one, master] = await Promise.all([
    startGstCamera({ ...rtsp, password: FIRST }),
    startGstCamera({ ...rtsp, password: THIRD }),
    NginxRtmp.start(),
  ]);
  const cameras = await Promise.all(
    KINDS.map((kind, n) => {
      const address = `10.78.0.${11 + n}`;
      const { port } = kind.password === undefined ? many : one;
      return VirtualOnvif.start({
        ...{ address, wsDiscoveryPort: 3702, username: 'admin', password: FIRST },
        ...{ manufacturer: 'Acme', model: 'Dome', serial: `AC004${n}` },
        endpointReference: `urn:uuid:5f5a69c2-e0ae-504f-829b-00000000000${n}`,
        rtspUrl: `rtsp://${address}:${port}/cam`,
        ...kind,
      });
    }),
  );
  const names = cameras.map((_, n) => `dome-ac004${n}`);
  const httpPort = await freePort();
  const logins = PASSWORDS.map((password) => `{ username: admin, password: ${password} }`);
  await writeFile(
    join(folder, 'sluice.yaml'),
    `gateway: { id: box, dataDir: ./data }
log: { level: debug }
discovery: { credentials: [ ${logins.join(', ')} ] }
proxypublish: { targets: [ { targetUri: "${master.url()}" } ] }
mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
http: { listen: "127.0.0.1:${httpPort}" }
`,
  );
  const box = new Box(join(folder, 'sluice.yaml'), httpPort);
  const firstMs = await box.publishes(names);
  const refusals = cameras.map((camera) => camera.refusals);
  await box.cutPower();
  const againMs = await box.publishes(names);
  const file = join(folder, 'data', 'adopted.json');
  const texts = { log: box.log, file: await readFile(file, 'utf8') };
  const published = await master.log();
  const count = (name: string) => published.split(`publish: name='${name}'`).length - 1;
  const result = {
    ...{ firstMs, againMs, names, refusals },
    atMaster: names.filter((name) => count(name) === 2),
    refusalsAgain: cameras.map((camera) => camera.refusals),
    mode: ((await stat(file)).mode & 0o777).toString(8),
    leaks: Object.entries(texts).flatMap(([where, text]) =>
      [FIRST, SECOND, THIRD].some((password) => text.includes(password)) ? [where] : [],
    ),
    log: box.log.slice(-4000),
  };
  await box.cutPower();
  for (const each of [many, one, master]) await each[Symbol.asyncDispose]();
  for (const camera of cameras) await camera.close();
  await rm(folder, { recursive: true });
  return result;
}

/** The gateway, and how long it takes from its start. */
class Box {
  log = '';
  readonly #file: string;
  readonly #httpPort: number;
  #process: ChildProcess | undefined;

  constructor(file: string, httpPort: number) {
    this.#file = file;
    this.#httpPort = httpPort;
  }

  /** Starts it; the time until the master has all of them. */
  async publishes(names: readonly string[]): Promise<number> {
    const startedAtMs = performance.now();
    const args = ['dist/gateway/main.js', 'run', '--config', this.#file];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const keep = (chunk: Buffer) => {
      this.log += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    for (;;) {
      const publishing = await this.#publishing();
      const elapsedMs = Math.round(performance.now() - startedAtMs);
      if (names.every((name) => publishing.includes(name))) return elapsedMs;
      if (elapsedMs > GIVE_UP_MS || child.exitCode !== null) {
        throw new Error(
          `only ${publishing.join()} after ${elapsedMs} ms\n${this.log.slice(-8000)}`,
        );
      }
      await sleep(50);
    }
  }

  async cutPower(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Streams of which bytes have gone to the master. */
  async #publishing(): Promise<string[]> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#httpPort}/api/v1/publish`);
      const entries = (await response.json()) as PublishEntry[];
      return entries
        .filter(({ status }) => status.state === 'publishing')
        .map(({ stream }) => stream);
    } catch {
      // It does not listen yet.
      return [];
    }
  }
}

process.stdout.write(`${JSON.stringify(await main())}\n`);
process.exit();
