/**
 * Node-Media-Server as a master on loopback: knows enhanced RTMP, and passes on what it does not know. It does not
 * list FourCCs in its answer to connect.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const require = createRequire(import.meta.url);
const PROGRAM = require.resolve('node-media-server/bin/app.js');
const START_TIMEOUT_MS = 10_000;

export class NodeMediaServer {
  readonly #folder: string;
  readonly #rtmpPort: number;
  readonly #httpPort: number;
  readonly #process: ChildProcess;

  private constructor(folder: string, rtmpPort: number, httpPort: number) {
    this.#folder = folder;
    this.#rtmpPort = rtmpPort;
    this.#httpPort = httpPort;
    const args = [PROGRAM, '--config', join(folder, 'config.json'), '--no-admin'];
    this.#process = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
  }

  static async start(): Promise<NodeMediaServer> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-nms-'));
    const [rtmpPort, httpPort] = [await freePort(), await freePort()];
    const config = {
      bind: '127.0.0.1',
      store: { path: join(folder, 'data') },
      rtmp: { port: rtmpPort },
      http: { port: httpPort },
    };
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const server = new NodeMediaServer(folder, rtmpPort, httpPort);
    await server.#listening();
    return server;
  }

  url(): string {
    return `rtmp://127.0.0.1:${this.#rtmpPort}/live`;
  }

  flvUrl(streamName: string): string {
    return `http://127.0.0.1:${this.#httpPort}/live/${streamName}.flv`;
  }

  /** What a player of HTTP-FLV gets, from the moment when this resolves until the publisher goes. */
  async play(streamName: string): Promise<{ bytes: Promise<Uint8Array>; close(): void }> {
    const abort = new AbortController();
    const response = await fetch(this.flvUrl(streamName), { signal: abort.signal });
    const bytes = collect(response.body as AsyncIterable<Uint8Array>, abort.signal);
    return { bytes, close: () => abort.abort() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #listening(): Promise<void> {
    const until = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        await fetch(`http://127.0.0.1:${this.#httpPort}/`);
        return;
      } catch (error) {
        if (Date.now() > until)
          throw new Error('Node-Media-Server does not start', { cause: error });
        await sleep(50);
      }
    }
  }
}

async function collect(body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of body) parts.push(part);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return Buffer.concat(parts);
}
