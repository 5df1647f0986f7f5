/** A program that sends something, until it is done or the test is over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export class SendingProgram {
  /** What it says on stderr. */
  log = '';
  readonly exited: Promise<unknown>;
  readonly #process: ChildProcess;

  constructor(program: string, words: readonly string[]) {
    this.#process = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk;
    });
    this.exited = once(this.#process, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await this.exited;
  }
}
