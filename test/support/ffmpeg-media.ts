/** Files made by ffmpeg, and ffmpeg as an encoder that sends them at their own pace. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SendingProgram } from './sending-program.ts';

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
export class FfmpegSender extends SendingProgram {
  /** `output`: what stands behind `-c copy`. */
  constructor(file: string, output: readonly string[]) {
    super('ffmpeg', ['-v', 'warning', '-re', '-i', file, '-c', 'copy', ...output]);
  }
}
