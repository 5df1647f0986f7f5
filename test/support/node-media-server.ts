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
import { flvUnits } from './flv-units.ts';
import { freePort } from './free-port.ts';

const require = createRequire(import.meta.url);
const PROGRAM = require.resolve('node-media-server/bin/app.js');
const START_TIMEOUT_MS = 10_000;
const PATIENCE_MS = 20_000;

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

  /** A player of HTTP-FLV. */
  async play(streamName: string): Promise<FlvPlayer> {
    const abort = new AbortController();
    const response = await fetch(this.flvUrl(streamName), { signal: abort.signal });
    return new FlvPlayer(response.body as AsyncIterable<Uint8Array>, abort);
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

class FlvPlayer {
  #bytes: Uint8Array = new Uint8Array(0);
  readonly #abort: AbortController;
  readonly #read: Promise<unknown>;

  constructor(body: AsyncIterable<Uint8Array>, abort: AbortController) {
    this.#abort = abort;
    this.#read = this.#keep(body).catch((error: unknown) => error);
  }

  /** All of it, as soon as there are so many units; then it goes. */
  async got(units: number): Promise<Uint8Array> {
    const until = Date.now() + PATIENCE_MS;
    let has = 0;
    while (has < units) {
      if (Date.now() > until) throw new Error(`the player got ${has} of ${units} units`);
      await sleep(20);
      has = flvUnits(this.#bytes).length;
    }
    this.#abort.abort();
    await this.#read;
    return this.#bytes;
  }

  async #keep(body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const part of body) this.#bytes = Buffer.concat([this.#bytes, part]);
  }
}
