/** Attempts of the RTSP driver at scripted cameras, for the tests of it: what plays, and what ends how. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { RtspCamera, type RtspCameraOptions } from '../../drivers/camera/rtsp-camera.ts';
import { RecordingSink } from './recording-sink.ts';
import { type CameraTls, type Script, ScriptedCamera } from './scripted-camera.ts';

/** One attempt at a scripted camera, ended with the test. */
export class Attempt {
  readonly sink = new RecordingSink();
  readonly abort = new AbortController();
  readonly log: string[] = [];
  readonly driver: RtspCamera;
  readonly result: Promise<unknown>;

  constructor(options: Partial<RtspCameraOptions> & { url: string }) {
    const log = pino({ level: 'trace' }, { write: (line: string) => void this.log.push(line) });
    this.driver = new RtspCamera({ transport: 'tcp', ...options }, { log, now: Date.now });
    this.result = this.driver.run(this.sink, this.abort.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  async stop(): Promise<void> {
    this.abort.abort(new Error('stopped by the test'));
    await this.result;
  }

  /** Settles when so many units have come; rejects when the attempt ends before. */
  async has(video: number, audio: number): Promise<void> {
    const ended = this.result.then((error) => {
      throw error ?? new Error('ended without an error');
    });
    await Promise.race([this.sink.has(video, audio), ended]);
  }

  /** The error the attempt ended with. */
  async error(): Promise<Error> {
    const error = await this.result;
    assert.ok(error instanceof Error, `ended with ${String(error)}`);
    return error;
  }
}

export async function open(
  context: TestContext,
  script: Script = {},
  tls?: CameraTls,
): Promise<ScriptedCamera> {
  const camera = await ScriptedCamera.open(script, tls);
  context.after(() => camera.close());
  return camera;
}

export function attempt(
  context: TestContext,
  options: Partial<RtspCameraOptions> & { url: string },
): Attempt {
  const made = new Attempt(options);
  context.after(() => made.stop());
  return made;
}

/** A camera with a quirk that still plays. */
export async function plays(
  context: TestContext,
  script: Script,
  options: Partial<RtspCameraOptions> = {},
): Promise<{ camera: ScriptedCamera; run: Attempt }> {
  const camera = await open(context, script);
  const run = attempt(context, { url: camera.url, ...options });
  await run.has(1, 1);
  return { camera, run };
}

export async function endsWith(
  context: TestContext,
  script: Script,
  options: Partial<RtspCameraOptions> = {},
): Promise<{ camera: ScriptedCamera; error: Error }> {
  const camera = await open(context, script);
  const run = attempt(context, { url: camera.url, ...options });
  return { camera, error: await run.error() };
}
