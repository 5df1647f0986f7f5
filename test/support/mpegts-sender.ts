/**
 * ffmpeg as an encoder that sends MPEG-TS: what it sends, and the same written to a file, with what ffmpeg
 * itself finds in that file. Media is encoded once and sent faster than real time.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SentPacket {
  readonly ptsUs: number;
  readonly dtsUs: number;
}

export interface MediaOptions {
  readonly video: readonly string[];
  readonly audio: readonly string[];
  readonly seconds: number;
}

/** A folder of its own with media files in it, removed when it is disposed of. */
export class MediaFolder {
  readonly #folder: string;
  /** By the file that each writes: two that want the same at once must not write it twice. */
  readonly #elementary = new Map<string, Promise<Uint8Array>>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<MediaFolder> {
    return new MediaFolder(await mkdtemp(join(tmpdir(), 'sluice-mpegts-')));
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** 640x360, 25 pictures a second; `video` and `audio` are options of ffmpeg. */
  async encode(name: string, { video, audio, seconds }: MediaOptions): Promise<string> {
    const file = this.path(name);
    await run('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=25:duration=${seconds}`],
      ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
      ...['-pix_fmt', 'yuv420p', ...video, ...audio, '-y', file],
    ]);
    return file;
  }

  /** The same media in the container that the name says. */
  async remux(file: string, name: string): Promise<string> {
    const target = this.path(name);
    await run('ffmpeg', ['-v', 'error', '-i', file, '-c', 'copy', '-y', target]);
    return target;
  }

  /** Of one stream in a file, in ffmpeg's raw format for it. */
  elementary(file: string, stream: string, format: string): Promise<Uint8Array> {
    const target = `${file}.${format}`;
    const made = this.#elementary.get(target) ?? extract(file, stream, format, target);
    this.#elementary.set(target, made);
    return made;
  }

  /** SHA-256 of each packet of one stream. */
  async packetHashes(file: string, stream: string): Promise<string[]> {
    const format = ['-f', 'framehash', '-hash', 'sha256', '-'];
    const copy = ['-map', stream, '-c', 'copy'];
    const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, ...copy, ...format]);
    const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return lines.map((line) => line.split(',')[5]?.trim() ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function extract(
  file: string,
  stream: string,
  format: string,
  target: string,
): Promise<Uint8Array> {
  const output = ['-map', stream, '-c', 'copy', '-f', format, '-y', target];
  await run('ffmpeg', ['-v', 'error', '-i', file, ...output]);
  return await readFile(target);
}

/** As ffprobe calls the codecs of a file; it must not warn of anything. */
export async function codecNames(file: string): Promise<string[]> {
  const wanted = ['-show_entries', 'stream=codec_name', '-of', 'csv=p=0'];
  const { stdout, stderr } = await run('ffprobe', ['-v', 'warning', ...wanted, file]);
  if (stderr !== '') throw new Error(stderr);
  // Listed for the programme, and once more by themselves.
  return [...new Set(stdout.split('\n').filter((line) => line !== ''))];
}

/** The times of one stream's packets, as ffprobe reads them. */
export async function packetTimes(file: string, stream: string): Promise<SentPacket[]> {
  const { stdout } = await run(
    'ffprobe',
    [
      '-v',
      'error',
      '-select_streams',
      stream,
      '-show_entries',
      'packet=pts,dts',
      '-of',
      'json',
      file,
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  const { packets } = JSON.parse(stdout) as { packets: { pts: number; dts: number }[] };
  const toUs = (ticks: number) => Math.round((ticks * 100) / 9);
  return packets.map(({ pts, dts }) => ({ ptsUs: toUs(pts), dtsUs: toUs(dts) }));
}

export class MpegtsSender {
  /** Settles with ffmpeg's exit code. */
  readonly ended: Promise<number | null>;
  errors = '';
  readonly #process: ChildProcess;

  /** `output` says how and where to; `file` gets the same. `speed`: times real time. */
  constructor(
    media: readonly string[],
    output: readonly string[],
    file: string,
    options: readonly string[] = [],
    speed = 3,
  ) {
    const copy = ['-map', '0', '-c', 'copy', ...options];
    this.#process = spawn('ffmpeg', [
      ...['-v', 'error', ...media.flatMap((path) => ['-readrate', `${speed}`, '-i', path])],
      ...[...copy, ...output],
      ...[...copy, '-f', 'mpegts', '-y', file],
    ]);
    this.#process.stderr?.on('data', (text) => {
      this.errors += text;
    });
    this.ended = new Promise((resolve) => this.#process.on('close', resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }
}
