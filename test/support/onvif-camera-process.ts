/** Steers a virtual ONVIF camera that runs in a network namespace. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CameraRequest } from './onvif-camera-program.ts';
import type { VirtualOnvifOptions } from './virtual-onvif.ts';

const PROGRAM = fileURLToPath(new URL('./onvif-camera-program.js', import.meta.url));

/** Seven scenarios at once start some thirty programs: on a busy machine the first answer takes ten seconds and more. */
const ANSWER_MS = 30_000;

export class OnvifCameraProcess {
  readonly #process: ChildProcess;

  constructor(namespace: string) {
    const args = ['netns', 'exec', namespace, process.execPath, PROGRAM];
    this.#process = spawn('ip', args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  start(options: Omit<VirtualOnvifOptions, 'rtspUrl'> & { rtspUrl?: string }): Promise<void> {
    const rtspUrl = `rtsp://${options.address}/main`;
    return this.#ask({ do: 'start', options: { rtspUrl, wsDiscoveryPort: 3702, ...options } });
  }

  /** ONVIF by HTTP only. */
  startMute(address: string, httpPort: number): Promise<void> {
    return this.#ask({
      do: 'start',
      options: { rtspUrl: `rtsp://${address}/main`, address, httpPort },
    });
  }

  startRtsp = (address: string) => this.#ask({ do: 'rtsp', address });
  announce = (address: string, group: string, port: number) =>
    this.#ask({ do: 'announce', address, group, port });
  hello = () => this.#ask({ do: 'hello' });
  bye = () => this.#ask({ do: 'bye' });
  close = () => this.#ask({ do: 'close' });

  /** As a power cut would. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  async #ask(request: CameraRequest): Promise<void> {
    const answered = once(this.#process, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
    this.#process.send(request);
    const [answer] = await answered.catch((cause: unknown) => {
      throw new Error(`the camera has not answered to "${request.do}"`, { cause });
    });
    if (answer !== 'done') throw new Error(`the camera: ${answer}`);
  }
}
