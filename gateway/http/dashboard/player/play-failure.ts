/** Why nothing plays, and how long until it is tried again. */

export const PLAY_CAUSES = [
  /** Nobody answers, or not from another site. */
  'unreachable',
  'login',
  /** There is no stream of that name. */
  'gone',
  'refused',
  'ended',
  /** Connected, and nothing comes. */
  'silent',
  /** Pictures come, and none is shown. */
  'stuck',
  /** What comes is no FLV, or the decoder gave up. */
  'damaged',
] as const;

export type PlayCause = (typeof PLAY_CAUSES)[number];

export class PlayFailure extends Error {
  override readonly name = 'PlayFailure';
  readonly code: PlayCause;

  /** `detail`: what was said, for people; may be empty. */
  constructor(code: PlayCause, detail: string) {
    super(detail);
    this.code = code;
  }
}

const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000] as const;
/** Logging in happens in another tab, perhaps. */
const LOGIN_RETRY_MS = 15_000;

/** `failures`: in a row, this one included. */
export function retryAfterMs(code: PlayCause, failures: number): number {
  if (code === 'login') return LOGIN_RETRY_MS;
  return RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? RETRY_MS[0];
}
