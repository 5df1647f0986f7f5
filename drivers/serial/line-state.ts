/** What a serial line is doing, as people read it: a closed list of codes, and what to do in plain words. */
import { UnsupportedError } from '../../codecs/errors.ts';

export type SerialLineCode =
  | 'ok'
  | 'starting'
  /** The package serialport is missing. */
  | 'no-package'
  /** There is no such device. */
  | 'not-found'
  /** It may not be opened by us. */
  | 'denied'
  /** Another program has it. */
  | 'in-use'
  /** It was there, and has gone. */
  | 'lost'
  /** It takes no bytes any more. */
  | 'stuck'
  /** Whatever else the system says. */
  | 'failed'
  | 'stopped';

export interface SerialLineState {
  readonly code: SerialLineCode;
  /** Empty when it is ok. */
  readonly reason: string;
}

/** Raised by the line itself; the code says which. */
export class SerialLineError extends Error {
  override readonly name = 'SerialLineError';
  readonly code: 'lost' | 'stuck';

  constructor(code: 'lost' | 'stuck', message: string) {
    super(message);
    this.code = code;
  }
}

export function explainLine(error: unknown, path: string): SerialLineState {
  if (error instanceof UnsupportedError) return { code: 'no-package', reason: error.message };
  const words = error instanceof Error ? error.message : String(error);
  if (error instanceof SerialLineError && error.code === 'lost') {
    return {
      code: 'lost',
      reason: `${path} has gone (${words}). Plug it in again: it is opened as soon as it is there.`,
    };
  }
  if (error instanceof SerialLineError) {
    return { code: 'stuck', reason: `${path} takes no bytes (${words}). Opening it anew.` };
  }
  return explainSystem(words, path);
}

/** serialport gives words without a code: `Error: No such file or directory, cannot open /dev/ttyUSB0`. */
function explainSystem(words: string, path: string): SerialLineState {
  if (/no such (file|device)/i.test(words)) {
    return {
      code: 'not-found',
      reason: `There is no ${path}. Is it plugged in, and is its path in serial right? Looking again.`,
    };
  }
  if (/permission denied/i.test(words)) {
    return {
      code: 'denied',
      reason: `${path} may not be opened by this user. Add it to the group that owns the device, mostly dialout.`,
    };
  }
  if (/cannot lock|resource busy|temporarily unavailable/i.test(words)) {
    return {
      code: 'in-use',
      reason: `Another program has ${path} open, such as a modem manager or a login on the console. Trying again.`,
    };
  }
  return { code: 'failed', reason: `${path} cannot be opened: ${words}. Trying again.` };
}
