/** The bench's child processes: started, pinned, spoken to, and put away however the bench ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Notice, Request } from './window.ts';

const KILL_AFTER_MS = 4000;
const ANSWER_TIMEOUT_MS = 15_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Launch {
  readonly command: readonly string[];
  /** The processor it may use; undefined: any. */
  readonly cpu: number | undefined;
  /** Where stdout and stderr go. */
  readonly logFile: string;
  readonly ipc?: boolean;
}

export function launch({ command, cpu, logFile, ipc = false }: Launch): ChildProcess {
  const pinned = cpu === undefined ? command : ['taskset', '-c', String(cpu), ...command];
  const [program = '', ...commandLine] = pinned;
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a');
  // Out of the terminal's process group: on Ctrl-C the bench ends them, in its own order.
  const child = spawn(program, commandLine, {
    stdio: ['ignore', log, log, ...(ipc ? (['ipc'] as const) : [])],
    detached: true,
  });
  closeSync(log);
  running.add(child);
  child.on('exit', () => running.delete(child));
  child.on('error', (error) => {
    running.delete(child);
    throw new Error(`${program} could not be started: ${error.message}`);
  });
  return child;
}

export function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Returns when all are gone. */
export async function stop(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) child.kill('SIGTERM');
  const deadline = Date.now() + KILL_AFTER_MS;
  while (children.some(isRunning)) {
    if (Date.now() > deadline) for (const child of children) child.kill('SIGKILL');
    await sleep(20);
  }
}

/** Cameras or sink: a module of this folder in a process of its own. */
export class Peer<Result> {
  readonly child: ChildProcess;
  #ports: readonly number[] | undefined;
  flowing = 0;
  #result: Result | undefined;

  constructor(child: ChildProcess) {
    this.child = child;
    child.on('message', (notice: Notice<Result>) => {
      if ('ports' in notice) this.#ports = notice.ports;
      else if ('flowing' in notice) this.flowing = notice.flowing;
      else this.#result = notice.result;
    });
  }

  tell(request: Request): void {
    this.child.send(request);
  }

  /** Where it listens. */
  async listening(): Promise<readonly number[]> {
    await waitFor('a peer to listen', ANSWER_TIMEOUT_MS, () => this.#ports !== undefined);
    return this.#ports ?? [];
  }

  async collect(): Promise<Result> {
    this.tell({ collect: true });
    await waitFor('the result', ANSWER_TIMEOUT_MS, () => this.#result !== undefined);
    return this.#result as Result;
  }
}

export async function waitFor(
  what: string,
  timeoutMs: number,
  condition: () => boolean,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(20);
  }
}
