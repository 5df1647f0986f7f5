/** Debian's nginx with its RTMP module as a master on a loopback port, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;

/** Applications: `live` takes everybody, `record` also writes FLV files, `denied` takes nobody. */
export class NginxRtmp {
  readonly port: number;
  readonly folder: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  /** `extra`: directives for the rtmp server block. */
  static async start(extra = ''): Promise<NginxRtmp> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-nginx-'));
    const nginx = new NginxRtmp(await freePort(), folder);
    await writeFile(join(folder, 'nginx.conf'), configuration(nginx.port, folder, extra));
    await nginx.start();
    return nginx;
  }

  url(app = 'live'): string {
    return `rtmp://127.0.0.1:${this.port}/${app}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** After `stop` or `kill`: on the same port again. */
  async start(): Promise<void> {
    const child = spawn('nginx', ['-c', join(this.folder, 'nginx.conf'), '-p', this.folder], {
      stdio: 'ignore',
    });
    this.#process = child;
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`nginx has exited with ${code}`)));
    });
    failed.catch(() => undefined); // it exits later, too
    await Promise.race([this.#listening(), failed]).catch(async (error: unknown) => {
      throw new Error(`nginx does not start: ${await this.log()}`, { cause: error });
    });
  }

  /** As an administrator would. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** As the power cut would: no FIN from the process, the kernel resets the connections. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Holds everything while the connections stay. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async log(): Promise<string> {
    return readFile(join(this.folder, 'error.log'), 'utf8').catch(() => '(no log)');
  }

  /** Waits until the log says so; "play: name='cam'" is there when a player has subscribed. */
  async logged(text: string): Promise<void> {
    const until = Date.now() + START_TIMEOUT_MS;
    while (!(await this.log()).includes(text)) {
      if (Date.now() > until) throw new Error(`nginx has not logged: ${text}`);
      await sleep(20);
    }
  }

  /** What `record` has of it, as soon as all is written that its last publisher sent: then nginx logs that it is gone. */
  async recorded(name: string): Promise<Uint8Array> {
    const until = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const log = await this.log();
      const [, connection] =
        log.match(new RegExp(`.*(\\*\\d+) publish: name='${name}'`, 's')) ?? [];
      if (connection !== undefined && log.includes(`${connection} disconnect,`)) break;
      if (Date.now() > until) throw new Error(`the publisher of ${name} has not gone:\n${log}`);
      await sleep(20);
    }
    return await readFile(join(this.folder, `${name}.flv`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }

  async #listening(): Promise<void> {
    const until = Date.now() + START_TIMEOUT_MS;
    while (!(await accepts(this.port))) {
      if (Date.now() > until) throw new Error('it does not listen');
      await sleep(20);
    }
  }
}

/** One process (`master_process off`), so that a kill leaves nobody behind. */
function configuration(port: number, folder: string, extra: string): string {
  return `
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log info;
events { worker_connections 512; }
rtmp {
  server {
    listen 127.0.0.1:${port};
    chunk_size 4096;
    ${extra}
    application live { live on; wait_key on; wait_video on; publish_notify on; }
    application record { live on; record all; record_path ${folder}; record_suffix .flv; record_append on; }
    application denied { live on; deny publish all; }
  }
}
`;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
