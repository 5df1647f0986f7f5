/** ffmpeg and rtmpdump as players: what they write as FLV is kept as access units. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { CodedUnit } from './compare-units.ts';
import { flvUnits } from './flv-units.ts';

const POLL_MS = 50;
const TIMEOUT_MS = 20_000;

export class RtmpPlayer {
  log = '';
  readonly exited: Promise<unknown>;
  readonly #process: ChildProcess;
  readonly #parts: Buffer[] = [];

  private constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (chunk: Buffer) => this.#parts.push(chunk));
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk;
    });
    this.exited = once(this.#process, 'close');
  }

  static ffmpeg(url: string): RtmpPlayer {
    const output = ['-c', 'copy', '-flush_packets', '1', '-f', 'flv', 'pipe:1'];
    return new RtmpPlayer('ffmpeg', ['-v', 'warning', '-nostdin', '-i', url, ...output]);
  }

  /** `server`: up to the application. */
  static rtmpdump(server: string, streamName: string): RtmpPlayer {
    const args = ['--rtmp', server, '--app', 'live', '--playpath', streamName, '--live'];
    return new RtmpPlayer('rtmpdump', [...args, '--flv', '-']);
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  get units(): CodedUnit[] {
    const bytes = Buffer.concat(this.#parts);
    return bytes.length < 13 ? [] : flvUnits(bytes);
  }

  get pictures(): number {
    return this.units.filter(({ kind }) => kind === 'video').length;
  }

  /** Settles when so many pictures have come. */
  async has(pictures: number): Promise<void> {
    await this.#until(() => this.pictures >= pictures, `${pictures} pictures`);
  }

  /** Settles when that unit has come so often: a player that began late has it as well as the others. */
  async sees({ sha256 }: CodedUnit, times = 1): Promise<void> {
    const isThere = () => this.units.filter((unit) => unit.sha256 === sha256).length >= times;
    await this.#until(isThere, `a unit ${times} times`);
  }

  /** Rejects when the player ends before, or takes too long. */
  async #until(isSo: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    while (!isSo()) {
      if (!this.isRunning || performance.now() > deadline) {
        throw new Error(`${this.pictures} pictures, not ${what}\n${this.log.slice(-2000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isRunning) return;
    this.#process.kill('SIGKILL');
    await this.exited;
  }
}
