/** The gateway as users run it: the bundle as a child process, with a configuration of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishEntry, StreamEntry } from '../../gateway/report/board.ts';
import { freePort } from './free-port.ts';

const START_TIMEOUT_MS = 15_000;
const POLL_MS = 100;

export class GatewayProcess {
  log = '';
  #process: ChildProcess;
  /** Where in the log. */
  #startedAt = 0;
  readonly #folder: string;
  readonly #httpPort: number;
  readonly #tmpfs: Tmpfs | undefined;
  readonly #env: Readonly<Record<string, string>>;
  readonly #isUnit: boolean;

  private constructor(
    folder: string,
    httpPort: number,
    { tmpfs, env = {}, isUnit = false }: Surroundings,
  ) {
    this.#isUnit = isUnit;
    this.#folder = folder;
    this.#httpPort = httpPort;
    this.#tmpfs = tmpfs;
    this.#env = env;
    this.#process = this.#spawn();
  }

  /** `yaml`: what is beside gateway, http and discovery, which is off unless its keys are given. `http`: further keys of it. */
  static async start(
    yaml: string,
    {
      id = 'box',
      host = '127.0.0.1',
      http = '',
      discovery = 'onvif: false, mdns: false',
      ...surroundings
    }: {
      id?: string;
      host?: string;
      http?: string;
      discovery?: string;
    } & Surroundings = {},
  ): Promise<GatewayProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-gateway-'));
    const httpPort = await freePort();
    const file = join(folder, 'sluice.yaml');
    await writeFile(
      file,
      `gateway: { id: ${id}, dataDir: ./data }
discovery: { ${discovery} }
http: { listen: "${host}:${httpPort}"${http === '' ? '' : `, ${http}`} }
${yaml}`,
    );
    const gateway = new GatewayProcess(folder, httpPort, surroundings);
    try {
      await gateway.#answers();
    } catch (error) {
      await gateway.stop();
      throw error;
    }
    return gateway;
  }

  /** Its configuration. */
  get file(): string {
    return join(this.#folder, 'sluice.yaml');
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** As a power cut would: nothing is said to anybody. */
  async kill(): Promise<void> {
    const exited = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await exited;
  }

  /** The exit code, once it has ended; null: by a signal. */
  async ended(): Promise<number | null> {
    if (this.isRunning) await once(this.#process, 'close');
    return this.#process.exitCode;
  }

  /** After it has ended. */
  async startAgain(): Promise<void> {
    this.#process = this.#spawn();
    await this.#answers();
  }

  async #answers(): Promise<void> {
    // The page answers before the acceptors listen.
    const from = this.#startedAt;
    const isRunning = () => this.log.includes('sluice is running', from);
    await this.until('it runs', () => Promise.resolve(isRunning()), START_TIMEOUT_MS);
    await this.until('it answers', () => this.api('streams'), START_TIMEOUT_MS);
  }

  #spawn(): ChildProcess {
    this.#startedAt = this.log.length;
    const node = [process.execPath, 'dist/gateway/main.js', 'run', '--config', this.configFile];
    const command = this.#isUnit ? asUnit(node) : node;
    const [program = '', ...args] =
      this.#tmpfs === undefined ? command : within(this.#tmpfs, command);
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#env },
    });
    const keep = (chunk: Buffer) => {
      this.log += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    return child;
  }

  get dataDir(): string {
    return join(this.#folder, 'data');
  }

  get url(): string {
    return `http://127.0.0.1:${this.#httpPort}`;
  }

  get configFile(): string {
    return join(this.#folder, 'sluice.yaml');
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Resident memory as Linux counts it. */
  async rssMb(): Promise<number> {
    const status = await readFile(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  /** Whether a library with this in its name is loaded. */
  async hasLoaded(library: string): Promise<boolean> {
    return (await readFile(`/proc/${this.#process.pid}/maps`, 'utf8')).includes(library);
  }

  async api(path: string): Promise<unknown> {
    // A connection that is kept may be closed by the gateway just when it is used again.
    const headers = { connection: 'close' };
    const response = await fetch(`${this.url}/api/v1/${path}`, { headers });
    return await response.json();
  }

  async stream(name: string): Promise<StreamEntry | undefined> {
    const streams = (await this.api('streams')) as StreamEntry[];
    return streams.find((stream) => stream.name === name);
  }

  /** `at`: a part of the target's name. */
  async publish(stream: string, at = ''): Promise<PublishEntry | undefined> {
    const publishes = (await this.api('publish')) as PublishEntry[];
    return publishes.find((entry) => entry.stream === stream && entry.target.includes(at));
  }

  /** The first value that is neither undefined nor false; fails with the log's end. */
  async until<T>(
    what: string,
    find: () => Promise<T | undefined | false>,
    timeoutMs = 20_000,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = await find().catch(() => undefined);
      if (found !== undefined && found !== false) return found;
      if (performance.now() > deadline || !this.isRunning) {
        throw new Error(`not so within ${timeoutMs} ms: ${what}\n${this.log.slice(-4000)}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Returns the exit code and how long the end took. */
  async stop(): Promise<{ code: number | null; ms: number }> {
    const since = performance.now();
    if (this.isRunning) {
      const exited = once(this.#process, 'close');
      this.#process.kill('SIGTERM');
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(timer);
    }
    await rm(this.#folder, { recursive: true, force: true });
    const warning = /^\(node:\d+\).*/m.exec(this.log);
    if (warning !== null) throw new Error(`Node warned of the gateway: ${warning[0]}`);
    return { code: this.#process.exitCode, ms: performance.now() - since };
  }

  /** Does nothing after `stop`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

interface Surroundings {
  readonly tmpfs?: Tmpfs;
  readonly env?: Readonly<Record<string, string>>;
  /** Started as systemd starts the main process of a service. */
  readonly isUnit?: boolean;
}

/** A small disk of the process's own, gone with it. Needs root. */
interface Tmpfs {
  readonly path: string;
  readonly bytes: number;
}

/** In a mount namespace; each program takes the place of the one before it. */
function within({ path, bytes }: Tmpfs, command: readonly string[]): string[] {
  const script = 'mkdir -p "$2" && mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"';
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', String(bytes), path, ...command];
}

function asUnit(command: readonly string[]): string[] {
  const script = 'export INVOCATION_ID=5ca1ab1e SYSTEMD_EXEC_PID=$$; exec "$@"';
  return ['sh', '-c', script, 'sh', ...command];
}
