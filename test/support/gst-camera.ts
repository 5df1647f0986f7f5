/** GStreamer's RTSP server as a camera on a loopback port: gst-rtsp-server.py as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CodedUnit } from './compare-units.ts';

/** npm runs the tests in the repository's root; the compiled tests have no copy of the script. */
const SCRIPT = join(process.cwd(), 'test/support/gst-rtsp-server.py');
/** Debian's, which has python3-gi; another one on the PATH has not. */
const PYTHON = '/usr/bin/python3';
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 2_000;

export interface GstCameraOptions {
  /** Where it listens; 127.0.0.1 by default. */
  readonly address?: string;
  /** 0: any. */
  readonly port?: number;
  readonly mount?: string;
  readonly fps?: number;
  readonly width?: number;
  readonly height?: number;
  /** kbit/s */
  readonly bitrate?: number;
  /** Frames from random access picture to random access picture. */
  readonly gop?: number;
  readonly bframes?: number;
  readonly video?: 'h264' | 'h265';
  readonly audio?: 'aac' | 'pcma' | 'pcmu' | 'opus' | 'latm' | 'mp3' | 'ac3' | 'none';
  readonly auth?: 'digest' | 'basic' | 'none';
  readonly username?: string;
  readonly password?: string;
  /** Several with commas. For multicast the camera needs a namespace of its own. */
  readonly transports?: 'tcp' | 'udp' | 'multicast' | 'tcp,udp';
  /** Where multicast goes. */
  readonly interface?: string;
  /** PEM; given, it speaks RTSPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** `own`, where several may come at the same moment: each has a stream to itself, and nothing is dumped. */
  readonly viewers?: 'share' | 'own';
  /** Of the video's packets, in percent. */
  readonly loss?: number;
  /** The network namespace it runs in, `ip netns`. */
  readonly namespace?: string;
}

export async function startGstCamera(options: GstCameraOptions = {}): Promise<GstCamera> {
  const camera = new GstCamera(await mkdtemp(join(tmpdir(), 'sluice-camera-')), options);
  try {
    await camera.start();
  } catch (error) {
    await camera[Symbol.asyncDispose]();
    throw error;
  }
  return camera;
}

export class GstCamera {
  readonly #folder: string;
  readonly #options: GstCameraOptions;
  #port: number;
  #starts = 0;
  #process: ChildProcess | undefined;

  constructor(folder: string, options: GstCameraOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  get port(): number {
    return this.#port;
  }

  /** Without credentials. */
  get url(): string {
    const scheme = this.#options.tls === undefined ? 'rtsp' : 'rtsps';
    return `${scheme}://${this.#options.address ?? '127.0.0.1'}:${this.#port}${this.#options.mount ?? '/cam'}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** After `stop` or `kill`, as a camera that has rebooted: the same port, another picture, a new dump. */
  async start(): Promise<void> {
    if (this.#process !== undefined) throw new Error('the camera runs already');
    const seed = this.#starts++;
    const { tls, namespace, ...settings } = this.#options;
    const options = { ...settings, port: this.#port, dump: this.#dumpFile, seed };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    if (tls !== undefined) {
      await writeFile(this.#tlsFile, tls.cert + tls.key);
      args.push(`--tls=${this.#tlsFile}`);
    }
    const command = [PYTHON, SCRIPT, ...args];
    if (namespace !== undefined) command.unshift('ip', 'netns', 'exec', namespace);
    const [program = '', ...rest] = command;
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints = (complaints + text).slice(-10_000);
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
    const exited = once(child, 'close').then(() => undefined); // rejects when there is no Python
    const ready = once(createInterface(child.stdout), 'line').then(([line]) => String(line));
    try {
      const line = await Promise.race([ready, exited]);
      const port = /^READY (\d+)$/.exec(line ?? '')?.[1];
      if (port === undefined) throw new Error(complaints || `it said ${line}`);
      this.#port = Number(port);
    } catch (error) {
      await this.kill();
      throw new Error(`the GStreamer camera does not start: ${String(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
    // Rather than a test that waits in vain for its pictures.
    child.once('exit', (code, signal) => {
      if (this.#process === child)
        throw new Error(`the GStreamer camera died (${signal ?? code})\n${complaints}`);
    });
  }

  /** Sessions are closed; what hangs is killed. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** As a power cut, except that the kernel still closes the connections. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** It says nothing more while its connections stay. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** What was sent since the last start. */
  async dump(): Promise<CodedUnit[]> {
    return parseDump(await readFile(this.#dumpFile, 'utf8'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #dumpFile(): string {
    return join(this.#folder, 'units.jsonl');
  }

  get #tlsFile(): string {
    return join(this.#folder, 'tls.pem');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }
}

interface DumpLine {
  readonly kind: 'video' | 'audio';
  readonly pts: number;
  readonly dts: number | null;
  readonly sha256: string;
  readonly key: boolean;
}

/** The last line may still be being written. */
export function parseDump(text: string): CodedUnit[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => unitOfLine(JSON.parse(line)));
}

function unitOfLine({ kind, pts, dts, sha256, key }: DumpLine): CodedUnit {
  const dtsUs = dts === null ? undefined : dts / 1000;
  return { kind, ptsUs: pts / 1000, dtsUs, sha256, key };
}
