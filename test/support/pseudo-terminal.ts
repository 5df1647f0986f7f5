/** A serial line made of a pseudo-terminal by socat: programs open its path, and the test is what is on the other end of the cable. */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toHex } from './hex.ts';
import { until } from './until.ts';

const run = promisify(execFile);

const PATIENCE_MS = 10_000;

/** As the kernel does to a terminal whose device is pulled out: reading gives no bytes, everything else fails. */
const HANG_UP = `
import fcntl, os, sys, termios
terminal = os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
fcntl.ioctl(terminal, 0x5437)  # TIOCVHANGUP
`;

export class PseudoTerminal extends EventEmitter<{ data: [Uint8Array] }> {
  /** What programs open: a link, as those in /dev/serial/by-id are. */
  readonly path: string;
  /** All that was written to it, in hex. */
  received = '';
  readonly #folder: string;
  #socat: ChildProcessWithoutNullStreams | undefined;

  private constructor(folder: string) {
    super();
    this.#folder = folder;
    this.path = join(folder, 'tty');
  }

  static async make(): Promise<PseudoTerminal> {
    const terminal = new PseudoTerminal(await mkdtemp(join(tmpdir(), 'sluice-pty-')));
    await terminal.plugIn();
    return terminal;
  }

  async plugIn(): Promise<void> {
    const socat = spawn('socat', [`PTY,raw,echo=0,link=${this.path}`, 'STDIO']);
    this.#socat = socat;
    socat.stdout.on('data', (bytes: Buffer) => {
      this.received += toHex(bytes);
      this.emit('data', bytes);
    });
    // What is said to a line that nobody has open is lost.
    socat.stdin.on('error', () => undefined);
    await until(() => existsSync(this.path));
  }

  /** The device and its path are gone. */
  async unplug(): Promise<void> {
    const socat = this.#socat;
    this.#socat = undefined;
    if (socat !== undefined && socat.exitCode === null && socat.signalCode === null) {
      const exited = once(socat, 'exit');
      socat.kill('SIGKILL');
      await exited;
    }
    await rm(this.path, { force: true });
  }

  /** The path stays, and leads to a line that works. Needs root. */
  async hangUp(): Promise<void> {
    await run('python3', ['-c', HANG_UP, this.path]);
  }

  /** What was received, as soon as that is as long as `bytes`, in hex: socat hands on late what a program has written. */
  async hears(bytes: string): Promise<string> {
    await until(() => this.received.length >= bytes.length, PATIENCE_MS).catch(() => undefined);
    return this.received;
  }

  say(bytes: Uint8Array): void {
    this.#socat?.stdin.write(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unplug();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
