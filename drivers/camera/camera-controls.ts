/** What can be asked of a camera beside its stream. Each call is one attempt and throws as drivers do; nothing is retried here. */
import type { PtzHead } from '../ptz/ptz-head.ts';

export interface EncoderSettings {
  /** The encoder configuration's token; it serves the profile that is pulled. */
  readonly token: string;
  /** `h264`, `h265`, … */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly kbps: number;
  /** Frames from one keyframe to the next; undefined where the device does not tell. */
  readonly gopFrames: number | undefined;
  /** What may be set, as far as the device tells. */
  readonly options: {
    readonly codecs: readonly string[];
    readonly kbps: { readonly min: number; readonly max: number } | undefined;
    readonly gopFrames: { readonly min: number; readonly max: number } | undefined;
  };
}

export interface EncoderChange {
  readonly codec?: 'h264' | 'h265' | undefined;
  readonly kbps?: number | undefined;
  readonly gopFrames?: number | undefined;
}

export interface DeviceClock {
  /** The device's clock minus ours. */
  readonly offsetMs: number;
  readonly setBy: 'manual' | 'ntp' | undefined;
  readonly ntpServers: readonly string[];
}

export interface CameraControls {
  /** Undefined: the camera has none, or that is not known before its first login. */
  readonly ptz: PtzHead | undefined;
  reboot(signal: AbortSignal): Promise<void>;
  clock(signal: AbortSignal): Promise<DeviceClock>;
  /** Sets the device's clock to ours. */
  setClock(signal: AbortSignal): Promise<void>;
  setNtp(server: string, signal: AbortSignal): Promise<void>;
  encoder(signal: AbortSignal): Promise<EncoderSettings>;
  /** Only on somebody's command: it may end the stream. Returns what the device then says. */
  setEncoder(change: EncoderChange, signal: AbortSignal): Promise<EncoderSettings>;
  /**
   * One subscription to the camera's events, renewed until `signal` aborts or it fails. `onMotion` is told of changes only.
   * Throws UnsupportedError where the camera has no events.
   */
  watchMotion(onMotion: (isMoving: boolean) => void, signal: AbortSignal): Promise<void>;
}
