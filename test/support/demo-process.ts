/** `sluice demo` as users run it: the bundle as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

export class DemoProcess {
  output = '';
  /** Where it has its files, as long as it runs. */
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-demo-test-'));
  readonly #process: ChildProcess;

  /** `within`: a command that runs another. */
  constructor(within: readonly string[] = []) {
    const node = [process.execPath, 'dist/gateway/main.js', 'demo'];
    const [program = '', ...args] = [...within, ...node];
    this.#process = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: this.folder },
    });
    const keep = (chunk: Buffer) => {
      this.output += chunk;
    };
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
  }

  /** What it says when all is up, by the words before it. */
  async invitation(): Promise<{ page: string; mqttPort: number }> {
    const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
    try {
      while (!this.output.includes('End it')) {
        await once(this.#process.stdout!, 'data', { signal: deadline });
      }
    } catch (cause) {
      throw new Error(`the demo says only:\n${this.output}`, { cause });
    }
    const [, page = ''] = /Open in a browser +(\S+)/.exec(this.output) ?? [];
    const [, mqttPort] = /mosquitto_sub -h 127\.0\.0\.1 -p (\d+)/.exec(this.output) ?? [];
    return { page, mqttPort: Number(mqttPort) };
  }

  /** Returns the exit code, null when it had to be killed, and how long the end took. */
  async stop(
    signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM',
  ): Promise<{ code: number | null; ms: number }> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return { code: exitCode, ms: 0 };
    const sinceMs = performance.now();
    const exited = once(this.#process, 'close');
    this.#process.kill(signal);
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
    return { code: this.#process.exitCode, ms: performance.now() - sinceMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
