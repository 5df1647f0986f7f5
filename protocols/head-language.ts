/**
 * What a telemetry protocol can say to one head (a camera that pans, tilts and zooms): the packets for each wish. Who sends them
 * owns the line; a language knows no time and keeps nothing.
 */

/** Pan, tilt and zoom from -1 to 1: left and right, down and up, wide and tele. 0: that axis stands still. */
export interface HeadVelocity {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

/** Pan and tilt from -1 to 1, zoom from 0 to 1. Left out: stays where it is. */
export interface HeadPosition {
  readonly pan?: number | undefined;
  readonly tilt?: number | undefined;
  readonly zoom?: number | undefined;
}

export interface HeadLanguage {
  readonly protocol: 'pelco-d' | 'pelco-p' | 'visca';
  readonly hasAbsolute: boolean;
  readonly firstPreset: number;
  readonly lastPreset: number;
  /** `before`: what it was told last, or 0 for all since it was stopped. */
  move(velocity: HeadVelocity, before: HeadVelocity): readonly Uint8Array[];
  /** All of them are sent, whatever is answered to the first. */
  stop(): readonly Uint8Array[];
  /** Asks where the head looks; undefined: the position can be given without that. */
  positionInquiry(position: HeadPosition): Uint8Array | undefined;
  /** `reply`: to the inquiry, where there was one. Throws UnsupportedError where the protocol has no positions. */
  moveTo(position: HeadPosition, reply: Uint8Array | undefined): readonly Uint8Array[];
  home(): readonly Uint8Array[];
  /** Numbers are those between the first and the last; UnsupportedError for one that cannot be set. */
  setPreset(preset: number): readonly Uint8Array[];
  removePreset(preset: number): readonly Uint8Array[];
  goToPreset(preset: number): readonly Uint8Array[];
}

/** A speed of -1 to 1 as one of `slowest` to `fastest`; 0 stays 0. */
export function speedLevel(speed: number, slowest: number, fastest: number): number {
  if (speed === 0) return 0;
  const level = Math.round(slowest + Math.min(1, Math.abs(speed)) * (fastest - slowest));
  return Math.max(slowest, Math.min(fastest, level));
}

export const STANDING: HeadVelocity = { pan: 0, tilt: 0, zoom: 0 };
