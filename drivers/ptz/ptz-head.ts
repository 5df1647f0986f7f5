/**
 * A camera's pan, tilt and zoom, whatever moves it: ONVIF, or a telemetry protocol on a serial line. Whoever asks need not
 * know which. What a head cannot do throws UnsupportedError; what fails on the way throws as drivers do.
 */
import type { HeadPosition, HeadVelocity } from '../../protocols/head-language.ts';

export interface PtzPreset {
  /** What the head knows it by: a number on serial lines, a token in ONVIF. */
  readonly token: string;
  readonly name: string;
}

export interface PtzAbilities {
  /** `onvif`, `pelco-d`, `pelco-p`, `visca`, `visca-ip`. */
  readonly protocol: string;
  readonly absolute: boolean;
  readonly home: boolean;
  /** Whether the head can list its presets; serial heads only know numbers. */
  readonly listsPresets: boolean;
}

export interface PtzHead {
  /** May ask the device the first time. */
  abilities(signal: AbortSignal): Promise<PtzAbilities>;
  /** Moves until `stop`, another move, or for `timeoutMs` at most: the head is then stopped by us, whatever becomes of the caller. */
  move(velocity: HeadVelocity, timeoutMs: number, signal: AbortSignal): Promise<void>;
  stop(signal: AbortSignal): Promise<void>;
  moveTo(position: HeadPosition, signal: AbortSignal): Promise<void>;
  home(signal: AbortSignal): Promise<void>;
  presets(signal: AbortSignal): Promise<readonly PtzPreset[]>;
  goToPreset(token: string, signal: AbortSignal): Promise<void>;
  /** Keeps where it looks now; `token` left out: a new one, where the head gives tokens. Returns the token. */
  setPreset(
    preset: { token?: string | undefined; name?: string | undefined },
    signal: AbortSignal,
  ): Promise<string>;
  removePreset(token: string, signal: AbortSignal): Promise<void>;
}
