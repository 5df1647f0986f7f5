/** `sluice relay` as users run it: the bundle as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export class RelayProcess {
  log = '';
  readonly #process: ChildProcess;

  constructor(source: string, ...targets: readonly string[]) {
    this.#process = spawn(process.execPath, ['dist/gateway/main.js', 'relay', source, ...targets], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => {
      this.log += chunk;
    };
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
  }

  /** Its exit code; null when it had to be killed. */
  async stop(): Promise<number | null> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return exitCode;
    const exited = once(this.#process, 'close');
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(timer);
    return this.#process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
