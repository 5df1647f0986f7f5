/**
 * Whether a camera sees something move, for as long as its stream is online: one subscription to its events under the supervisor,
 * so that it follows the camera to another address and comes back after every fault.
 *
 * Some cameras lose the event that ends a motion. After `LATCH_MS` the camera is subscribed to anew, for it then tells whether
 * something still moves; when it does not say so, the motion is over.
 */
import type { Logger } from 'pino';
import { AuthenticationError, ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import type { CameraControls } from '../../drivers/camera/camera-controls.ts';
import { type Cause, explain } from '../causes.ts';
import { linkAbort } from '../linked-abort.ts';
import type { Motion } from '../report/status.ts';
import { Supervisor, type SupervisorContext } from '../supervisor.ts';

/** Somebody who walks by is gone long before; a road in the picture moves for hours, and is asked about again. */
const LATCH_MS = 5 * 60_000;

export interface MotionWatchContext extends SupervisorContext {
  readonly log: Logger;
  readonly tell: (motion: Motion) => void;
  /** The note has changed. */
  readonly changed: () => void;
}

/** To subscribe and be told. */
const CONFIRM_MS = 15_000;

/** A motion has gone on for so long that its end may have been lost. */
class LatchError extends Error {
  override readonly name = 'LatchError';
}

export class MotionWatch {
  readonly #controls: Pick<CameraControls, 'watchMotion'>;
  readonly #who: string;
  readonly #context: MotionWatchContext;
  #note: string | undefined;
  #told: Motion | undefined;
  #latch: NodeJS.Timeout | undefined;
  #subscription: AbortController | undefined;

  constructor(
    controls: Pick<CameraControls, 'watchMotion'>,
    who: string,
    context: MotionWatchContext,
  ) {
    this.#controls = controls;
    this.#who = who;
    this.#context = context;
  }

  /** Why no motion is told, where the camera does not let us know. */
  get note(): string | undefined {
    return this.#note;
  }

  /** Never rejects; returns when `signal` has aborted and nothing is left. */
  async run(signal: AbortSignal): Promise<void> {
    const supervisor = new Supervisor(
      {
        run: (attempt, up) => this.#subscribe(attempt, up),
        explain: (error) => this.#explain(error),
        changed: () => undefined,
      },
      this.#context,
    );
    // Nobody knows what a camera sees that is away; taking leave of it may take a while.
    const away = () => {
      if (this.#told !== undefined) this.#set(false);
    };
    signal.addEventListener('abort', away, { once: true });
    await supervisor.run(signal);
    signal.removeEventListener('abort', away);
  }

  async #subscribe(signal: AbortSignal, up: () => void): Promise<void> {
    // There is no word for it when it has begun: one that lasts a minute is a success.
    up();
    using life = linkAbort(signal);
    const subscription = life.controller;
    this.#subscription = subscription;
    // A camera where nothing moves says nothing: whoever has not refused by then will not.
    const accepted = setTimeout(() => this.#setNote(undefined), CONFIRM_MS);
    try {
      await this.#controls.watchMotion((isMoving) => {
        if (subscription.signal.aborted) return;
        this.#setNote(undefined);
        this.#set(isMoving);
      }, subscription.signal);
    } catch (error) {
      throw subscription.signal.aborted ? subscription.signal.reason : error;
    } finally {
      clearTimeout(accepted);
    }
    // A driver may end without an error when it is told to.
    subscription.signal.throwIfAborted();
  }

  #set(isMoving: boolean): void {
    clearTimeout(this.#latch);
    this.#told = isMoving ? 'ON' : 'OFF';
    this.#context.tell(this.#told);
    if (!isMoving) return;
    this.#latch = setTimeout(() => {
      this.#latch = setTimeout(() => this.#set(false), CONFIRM_MS);
      this.#subscription?.abort(new LatchError('no end of the motion was told'));
    }, LATCH_MS);
  }

  #explain(error: unknown): Cause {
    if (error instanceof LatchError) {
      return { code: 'ended', reason: error.message, patience: 'other-way' };
    }
    const cause = explain(error, this.#who, 'camera');
    this.#context.log.debug({ err: error, code: cause.code }, 'motion events ended');
    const why = reasonToGiveUp(error);
    if (why === undefined) return cause;
    this.#setNote(`Motion is not told: ${why}.`);
    return { ...cause, patience: 'rare' };
  }

  #setNote(note: string | undefined): void {
    if (note === this.#note) return;
    this.#note = note;
    this.#context.changed();
  }
}

/** What another try in a few seconds does not heal: the camera has no events, or not for this user. */
function reasonToGiveUp(error: unknown): string | undefined {
  if (error instanceof UnsupportedError) return error.message;
  if (error instanceof AuthenticationError) return 'the camera refused the login';
  const isRefusal =
    error instanceof ProtocolError &&
    (error.code === 'ONVIF_NOT_AUTHORIZED' || error.code === 'ONVIF_FAULT');
  return isRefusal ? error.message : undefined;
}
