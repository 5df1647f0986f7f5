/** Files made by ffmpeg, and ffmpeg as an encoder that sends them at their own pace. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A folder that is gone with the test. */
export class MediaFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<MediaFolder> {
    return new MediaFolder(await mkdtemp(join(tmpdir(), 'sluice-ffmpeg-')));
  }

  /** H.264 with two B-frames, a keyframe each second; `audio`: ffmpeg's arguments for it. */
  async makeFlv(name: string, seconds: number, audio: readonly string[]): Promise<string> {
    const file = join(this.path, name);
    await run('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${seconds}`],
      ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=44100:duration=${seconds}`],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-threads', '1'],
      ...['-bf', '2', '-g', '25', '-sc_threshold', '0', ...audio, file],
    ]);
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** ffmpeg that sends a file as it is, in real time. */
export class FfmpegSender {
  log = '';
  readonly exited: Promise<unknown>;
  readonly #process: ChildProcess;

  /** `output`: what stands behind `-c copy`. */
  constructor(file: string, output: readonly string[]) {
    this.#process = spawn('ffmpeg', ['-v', 'warning', '-re', '-i', file, '-c', 'copy', ...output], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk;
    });
    this.exited = once(this.#process, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await this.exited;
  }
}
