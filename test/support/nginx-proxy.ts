/** nginx as a reverse proxy for HTTP: it keeps connections to its clients, and opens a new one to the server for each request. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

const START_TIMEOUT_MS = 10_000;

export class NginxProxy {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    this.#process = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], {
      stdio: 'ignore',
    });
  }

  /** `clientRequests`: so many, and the connection of a client is closed. */
  static async start(serverPort: number, clientRequests: number): Promise<NginxProxy> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-proxy-'));
    const port = await freePort();
    await writeFile(
      join(folder, 'nginx.conf'),
      `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log info;
events { worker_connections 256; }
http {
  access_log off;
  keepalive_requests ${clientRequests};
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://127.0.0.1:${serverPort}; }
  }
}
`,
    );
    const proxy = new NginxProxy(port, folder);
    await proxy.#listens();
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #listens(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const socket = connect(this.port, '127.0.0.1');
      const isOpen = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (isOpen) return;
      if (performance.now() > deadline || this.#process.exitCode !== null) {
        const log = await readFile(join(this.#folder, 'error.log'), 'utf8').catch(() => '(no log)');
        await this[Symbol.asyncDispose]();
        throw new Error(`nginx does not listen: ${log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
