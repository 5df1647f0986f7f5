/** A viewer: rtmpdump, started again whenever it ends, as players do; counts what it gets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const COME_BACK_MS = 300;
/** rtmpdump's own patience when nothing comes. */
const TIMEOUT_S = 10;
const MAX_WORDS = 1000;

export class RtmpViewer {
  bytes = 0;
  /** How often it had to connect. */
  connections = 0;
  /** What rtmpdump says when it gives up. */
  log = '';
  /** What came over the first connection. */
  readonly first: Buffer[] = [];
  readonly #url: string;
  readonly #running: Promise<void>;
  #process: ChildProcess | undefined;
  #isOver = false;

  constructor(url: string) {
    this.#url = url;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#process?.kill('SIGKILL');
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const options = ['--live', '-m', `${TIMEOUT_S}`, '-r', this.#url, '-o', '-'];
      const child = spawn('rtmpdump', options, { stdio: ['ignore', 'pipe', 'pipe'] });
      let words = '';
      child.stderr.on('data', (text) => {
        words = `${words}${text}`.slice(-MAX_WORDS);
      });
      this.#process = child;
      this.connections += 1;
      const isFirst = this.connections === 1;
      child.stdout.on('data', (chunk: Buffer) => {
        this.bytes += chunk.length;
        if (isFirst) this.first.push(chunk);
      });
      const [code, signal] = await once(child, 'close');
      this.log += `${code ?? signal}: ${words}\n`;
      await sleep(COME_BACK_MS);
    }
  }
}
