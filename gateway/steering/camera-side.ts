/** What goes on with a camera beside its pictures, for as long as its stream is online: motion, its clock, what can move it. */
import type { Logger } from 'pino';
import type { CameraControls } from '../../drivers/camera/camera-controls.ts';
import type { PtzHead } from '../../drivers/ptz/ptz-head.ts';
import type { Motion, PtzInfo, StreamInfo } from '../report/status.ts';
import type { SupervisorContext } from '../supervisor.ts';
import { bounded } from './bounded.ts';
import { ClockWatch } from './clock-watch.ts';
import { MotionWatch } from './motion-watch.ts';
import type { Steered } from './steering.ts';

const ABILITIES_TIMEOUT_MS = 10_000;

export interface CameraSideOptions {
  readonly who: string;
  readonly controls: CameraControls | undefined;
  /** What moves it instead of itself. */
  readonly head?: (() => PtzHead | undefined) | undefined;
  readonly watchesMotion: boolean;
  readonly setsClock: boolean;
}

export interface CameraSideContext extends SupervisorContext {
  readonly log: Logger;
  /** Milliseconds of a clock that nobody sets. */
  readonly uptimeMs: () => number;
  readonly isOwnClockRight: () => Promise<boolean>;
  readonly tellMotion: (motion: Motion) => void;
  readonly event: (type: string, message: string) => void;
  /** `info` has changed. */
  readonly changed: () => void;
}

export class CameraSide implements Steered {
  readonly #options: CameraSideOptions;
  readonly #context: CameraSideContext;
  readonly #motion: MotionWatch | undefined;
  readonly #clock: ClockWatch | undefined;
  #running: Promise<void> = Promise.resolve();
  #online: AbortController | undefined;
  #ptz: PtzInfo | undefined;

  constructor(options: CameraSideOptions, context: CameraSideContext) {
    const { controls, who, watchesMotion, setsClock } = options;
    this.#options = options;
    this.#context = context;
    if (controls === undefined) return;
    const { changed, log } = context;
    this.#clock = new ClockWatch(
      { controls, who, setsClock },
      { ...context, now: context.uptimeMs, log, changed },
    );
    if (watchesMotion) {
      this.#motion = new MotionWatch(controls, who, { ...context, tell: context.tellMotion });
    }
  }

  get who(): string {
    return this.#options.who;
  }

  get controls(): CameraControls | undefined {
    return this.#options.controls;
  }

  get ptz(): PtzHead | undefined {
    const { head, controls } = this.#options;
    return head === undefined ? controls?.ptz : head();
  }

  /** Of the stream's info. */
  get info(): Pick<StreamInfo, 'ptz'> & { readonly notes: readonly string[] } {
    const notes = [this.#clock?.note, this.#motion?.note].filter((note) => note !== undefined);
    return { notes, ...(this.#ptz === undefined ? {} : { ptz: this.#ptz }) };
  }

  /** The stream is online. */
  begin(): void {
    this.end();
    const online = new AbortController();
    this.#online = online;
    // What is left of the time before has to end: a camera has few subscriptions to give.
    this.#running = this.#running.then(() => this.#run(online.signal));
  }

  /** It is not any more. */
  end(): void {
    this.#online?.abort(new Error('the stream is not online any more'));
    this.#online = undefined;
  }

  /** After `end`: nothing is left. */
  async stopped(): Promise<void> {
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await Promise.all([
      this.#clock?.run(signal),
      this.#motion?.run(signal),
      this.#learnAbilities(signal),
    ]);
  }

  async #learnAbilities(signal: AbortSignal): Promise<void> {
    const head = this.ptz;
    if (head === undefined) return;
    try {
      const { protocol, absolute, home, listsPresets } = await bounded(
        signal,
        ABILITIES_TIMEOUT_MS,
        (each) => head.abilities(each),
      );
      this.#ptz = { protocol, absolute, home, presets: listsPresets ? 'list' : 'numbers' };
      this.#context.changed();
    } catch (err) {
      if (!signal.aborted) this.#context.log.debug({ err }, 'PTZ abilities are not known');
    }
  }
}
