/**
 * What else an ONVIF camera can be asked, each in a session that is logged in. One session serves all requests, until it
 * fails: a head is steered without five requests before each move. Events have one of their own.
 */
import type { Logger } from 'pino';
import { ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import type {
  CameraControls,
  DeviceClock,
  EncoderChange,
  EncoderSettings,
} from '../camera/camera-controls.ts';
import type { PtzHead } from '../ptz/ptz-head.ts';
import { MotionState } from './motion-state.ts';
import { motionIn } from './motion-topics.ts';
import type { OnvifProfile } from './onvif-client.ts';
import { readEncoder, setEncoder } from './onvif-encoder.ts';
import { ntpHost, readClock, reboot, setClock, setNtp } from './onvif-maintenance.ts';
import { OnvifPtz } from './onvif-ptz.ts';
import type { OnvifSession } from './onvif-session.ts';
import type { PtzConfiguration } from './ptz-spaces.ts';
import { PullPoint, type PullPointTimes } from './pull-point.ts';
import { isNotSupported } from './soap-reply.ts';

/** A camera that was logged in to, and what is pulled of it. */
export interface KnownDevice {
  readonly profile: OnvifProfile;
  /** Undefined: it cannot be moved. */
  readonly ptz:
    | { readonly profileToken: string; readonly configuration: PtzConfiguration }
    | undefined;
}

export interface OnvifControlsOptions<Device extends KnownDevice> {
  /** As of the last login; undefined before. Throws while refused logins are on hold. */
  readonly known: () => Device | undefined;
  /** Whether the camera can be moved, as of the last login. */
  readonly canMove: () => boolean;
  /** Logs in and finds out. */
  readonly find: (signal: AbortSignal) => Promise<Device>;
  /** Not logged in yet. */
  readonly session: (device: Device, signal: AbortSignal) => OnvifSession;
  readonly now: () => number;
  readonly log: Logger;
  readonly pullPointTimes?: PullPointTimes;
}

interface Open<Device> {
  readonly session: OnvifSession;
  readonly device: Device;
}

interface Opening<Device> {
  /** Undefined until it is found. */
  device: Device | undefined;
  readonly open: Promise<Open<Device>>;
}

export class OnvifControls<Device extends KnownDevice> implements CameraControls {
  readonly #options: OnvifControlsOptions<Device>;
  readonly #ptz: OnvifPtz;
  #opening: Opening<Device> | undefined;
  /** The last request failed on its way: the camera may be elsewhere by now. */
  #isLost = false;

  constructor(options: OnvifControlsOptions<Device>) {
    this.#options = options;
    this.#ptz = new OnvifPtz({
      log: options.log,
      inSession: (use, signal) =>
        this.#inSession(async ({ session, device }) => {
          if (device.ptz === undefined) throw new UnsupportedError('the camera cannot be moved');
          return await use({ session, ...device.ptz });
        }, signal),
    });
  }

  get ptz(): PtzHead | undefined {
    return this.#options.canMove() ? this.#ptz : undefined;
  }

  async reboot(signal: AbortSignal): Promise<void> {
    await this.#inSession(({ session }) => reboot(session, signal), signal, 'be rebooted');
  }

  async clock(signal: AbortSignal): Promise<DeviceClock> {
    const { now } = this.#options;
    return await this.#inSession(({ session }) => readClock(session, now, signal), signal);
  }

  async setClock(signal: AbortSignal): Promise<void> {
    const { now } = this.#options;
    await this.#inSession(({ session }) => setClock(session, now, signal), signal, 'be set');
    // The next one measures the clock anew.
    this.#opening = undefined;
  }

  async setNtp(server: string, signal: AbortSignal): Promise<void> {
    const host = ntpHost(server);
    const { now } = this.#options;
    const set = ({ session }: Open<Device>) => setNtp(session, host, now, signal);
    await this.#inSession(set, signal, 'be given a time server');
    this.#opening = undefined;
  }

  async encoder(signal: AbortSignal): Promise<EncoderSettings> {
    return await this.#inSession(
      ({ session, device }) => readEncoder(session, device.profile, signal),
      signal,
      'tell its encoder settings',
    );
  }

  async setEncoder(change: EncoderChange, signal: AbortSignal): Promise<EncoderSettings> {
    return await this.#inSession(
      ({ session, device }) => setEncoder(session, device.profile, change, signal),
      signal,
      'have its encoder set',
    );
  }

  async watchMotion(onMotion: (isMoving: boolean) => void, signal: AbortSignal): Promise<void> {
    const { pullPointTimes, session: makeSession, known, find } = this.#options;
    const device = known() ?? (await find(signal));
    const session = makeSession(device, signal);
    await session.logIn(signal);
    const state = new MotionState(onMotion);
    await new PullPoint(session, pullPointTimes).run((notifications) => {
      for (const notification of notifications) {
        const news = motionIn(notification);
        if (news !== undefined) state.take(news);
      }
    }, signal);
  }

  /** `able`: what it cannot do, where the device says so. */
  async #inSession<T>(
    use: (open: Open<Device>) => Promise<T>,
    signal: AbortSignal | undefined,
    able = 'do this',
  ): Promise<T> {
    signal?.throwIfAborted();
    const open = await orAborted(this.#open(), signal);
    try {
      return await use(open);
    } catch (error) {
      if (isNotSupported(error)) throw new UnsupportedError(`the camera cannot ${able}`);
      if (!isSessionFine(error) && signal?.aborted !== true) {
        this.#opening = undefined;
        this.#isLost = !(error instanceof ProtocolError);
      }
      throw error;
    }
  }

  async #open(): Promise<Open<Device>> {
    const device = this.#isLost ? undefined : this.#options.known();
    const before = this.#opening;
    const isSame =
      before !== undefined && (before.device === undefined || before.device === device);
    if (isSame) return await before.open;
    const opening: Opening<Device> = { device, open: this.#logIn(device) };
    this.#opening = opening;
    try {
      const open = await opening.open;
      opening.device = open.device;
      return open;
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  async #logIn(known: Device | undefined): Promise<Open<Device>> {
    // Nobody's to give up: it serves whoever comes next. Each request has its time.
    const { signal } = new AbortController();
    const device = known ?? (await this.#options.find(signal));
    const session = this.#options.session(device, signal);
    await session.logIn(signal);
    await session.findServices(signal);
    this.#isLost = false;
    return { session, device };
  }
}

/** The camera answered, and will again. */
function isSessionFine(error: unknown): boolean {
  if (error instanceof UnsupportedError) return true;
  const fine = ['ONVIF_FAULT', 'ONVIF_NOT_AUTHORIZED', 'ONVIF_REPLY', 'ENCODER_LIMITS'];
  return error instanceof ProtocolError && fine.includes(error.code);
}

/** Who gives up does not end the work. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const { promise, reject } = withRejecter();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {});
  }
}

function withRejecter(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<never>((_resolve, refuse) => {
    reject = refuse;
  });
  return { promise, reject };
}
