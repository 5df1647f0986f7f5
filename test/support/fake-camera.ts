/** A camera behind the contracts of steering: does what the test says, and writes down what it was asked. */
import type {
  CameraControls,
  DeviceClock,
  EncoderChange,
  EncoderSettings,
} from '../../drivers/camera/camera-controls.ts';
import type { PtzAbilities, PtzHead, PtzPreset } from '../../drivers/ptz/ptz-head.ts';
import type { HeadPosition, HeadVelocity } from '../../protocols/head-language.ts';

/** What comes of the n-th call of a verb: by default it succeeds at once. */
export type Behaviour = (verb: string, signal: AbortSignal) => Promise<void> | undefined;

export class FakeHead implements PtzHead {
  readonly asked: string[] = [];
  readonly #behave: Behaviour;

  constructor(behave: Behaviour = () => undefined) {
    this.#behave = behave;
  }

  async abilities(signal: AbortSignal): Promise<PtzAbilities> {
    await this.#ask('abilities', '', signal);
    return { protocol: 'fake', absolute: true, home: false, listsPresets: true };
  }

  move({ pan, tilt, zoom }: HeadVelocity, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#ask('move', `${pan} ${tilt} ${zoom} ${timeoutMs}`, signal);
  }

  stop(signal: AbortSignal): Promise<void> {
    return this.#ask('stop', '', signal);
  }

  moveTo(position: HeadPosition, signal: AbortSignal): Promise<void> {
    return this.#ask('moveTo', JSON.stringify(position), signal);
  }

  home(signal: AbortSignal): Promise<void> {
    return this.#ask('home', '', signal);
  }

  async presets(signal: AbortSignal): Promise<readonly PtzPreset[]> {
    await this.#ask('presets', '', signal);
    return [{ token: '1', name: 'gate' }];
  }

  goToPreset(token: string, signal: AbortSignal): Promise<void> {
    return this.#ask('goToPreset', token, signal);
  }

  async setPreset(
    { token, name }: { token?: string | undefined; name?: string | undefined },
    signal: AbortSignal,
  ): Promise<string> {
    await this.#ask('setPreset', `${token} ${name}`, signal);
    return token ?? 'new';
  }

  removePreset(token: string, signal: AbortSignal): Promise<void> {
    return this.#ask('removePreset', token, signal);
  }

  async #ask(verb: string, more: string, signal: AbortSignal): Promise<void> {
    this.asked.push(`${verb} ${more}`.trim());
    await this.#behave(verb, signal);
  }
}

export class FakeControls implements CameraControls {
  readonly asked: string[] = [];
  readonly ptz: PtzHead | undefined = undefined;
  offsetMs = 0;
  /** What a set clock is then. */
  offsetAfterSetMs = 0;
  settings: EncoderSettings = {
    token: 'e',
    codec: 'h264',
    width: 1920,
    height: 1080,
    fps: 25,
    kbps: 4096,
    gopFrames: 50,
    options: { codecs: ['h264'], kbps: { min: 64, max: 8192 }, gopFrames: undefined },
  };
  /** The subscription under way. */
  tellMotion: ((isMoving: boolean) => void) | undefined;
  endMotion: ((error?: Error) => void) | undefined;
  readonly #behave: Behaviour;

  constructor(behave: Behaviour = () => undefined) {
    this.#behave = behave;
  }

  reboot(signal: AbortSignal): Promise<void> {
    return this.#ask('reboot', '', signal);
  }

  async clock(signal: AbortSignal): Promise<DeviceClock> {
    await this.#ask('clock', '', signal);
    return { offsetMs: this.offsetMs, setBy: 'manual', ntpServers: [] };
  }

  async setClock(signal: AbortSignal): Promise<void> {
    await this.#ask('setClock', '', signal);
    this.offsetMs = this.offsetAfterSetMs;
  }

  setNtp(server: string, signal: AbortSignal): Promise<void> {
    return this.#ask('setNtp', server, signal);
  }

  async encoder(signal: AbortSignal): Promise<EncoderSettings> {
    await this.#ask('encoder', '', signal);
    return this.settings;
  }

  async setEncoder(change: EncoderChange, signal: AbortSignal): Promise<EncoderSettings> {
    await this.#ask('setEncoder', JSON.stringify(change), signal);
    return this.settings;
  }

  async watchMotion(onMotion: (isMoving: boolean) => void, signal: AbortSignal): Promise<void> {
    await this.#ask('watchMotion', '', signal);
    this.tellMotion = onMotion;
    await new Promise<void>((resolve, reject) => {
      this.endMotion = (error) => (error === undefined ? resolve() : reject(error));
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  async #ask(verb: string, more: string, signal: AbortSignal): Promise<void> {
    this.asked.push(`${verb} ${more}`.trim());
    await this.#behave(verb, signal);
  }
}

/** Pending until the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
