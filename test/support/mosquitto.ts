/**
 * Debian's Mosquitto as the broker, on a loopback port, in a folder of its own. It can be killed
 * and started again on the same port. (Mosquitto 2.0 cannot be told to refuse MQTT 5: for that
 * see scripted-broker.ts.)
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const START_TIMEOUT_MS = 10_000;

interface Login {
  readonly username: string;
  readonly password: string;
}

export interface MosquittoOptions {
  /** Only these are let in; without, everybody. */
  readonly logins?: readonly Login[];
  /** Further lines of mosquitto.conf; `files` are in its folder. */
  readonly lines?: readonly string[] | ((folder: string) => readonly string[]);
  /** Contents by file name. */
  readonly files?: Readonly<Record<string, string>>;
}

export class Mosquitto {
  readonly port: number;
  readonly folder: string;
  #process: ChildProcess | undefined;
  #output = '';

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-mosquitto-'));
    const broker = new Mosquitto(await freePort(), folder);
    await broker.#configure(options);
    await broker.restart();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** What it logged, for a failed test. */
  get output(): string {
    return this.#output;
  }

  /** Starts it (again) and returns when it takes connections. */
  async restart(): Promise<void> {
    const child = spawn('mosquitto', ['-c', join(this.folder, 'mosquitto.conf')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    const keep = (chunk: Buffer) => {
      this.#output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await canConnect(this.port))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`mosquitto does not start: ${this.#output}`);
      }
      await sleep(20);
    }
  }

  /** As in a power cut: nothing is said to anybody. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** Holds everything while its connections stay. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }

  async #configure({ logins = [], lines = [], files = {} }: MosquittoOptions): Promise<void> {
    const passwords = join(this.folder, 'passwords');
    const hasLogins = logins.length > 0;
    await writeFile(passwords, '');
    for (const { username, password } of logins) {
      execFileSync('mosquitto_passwd', ['-b', passwords, username, password]);
    }
    const config = [
      `listener ${this.port} 127.0.0.1`,
      `allow_anonymous ${!hasLogins}`,
      ...(hasLogins ? [`password_file ${passwords}`] : []),
      'persistence false',
      'log_type all',
      ...(typeof lines === 'function' ? lines(this.folder) : lines),
    ];
    await writeFile(join(this.folder, 'mosquitto.conf'), `${config.join('\n')}\n`);
    for (const [name, text] of Object.entries(files))
      await writeFile(join(this.folder, name), text);
    // Started as root, Mosquitto becomes the user `mosquitto` and must still read its files.
    await chmod(this.folder, 0o755);
    for (const name of await readdir(this.folder)) await chmod(join(this.folder, name), 0o644);
  }
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Not yet.
    return false;
  } finally {
    socket.destroy();
  }
}
