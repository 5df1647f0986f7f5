/**
 * How a session is kept alive: how often, by which verb, and what is learned when it ends all the same.
 * RFC 2326 §12.37 (timeout), §10.8 (GET_PARAMETER as a ping).
 */

/** How long before the server's timeout it must have heard from us, at least. */
const KEEPALIVE_MARGIN_MS = 5000;
const MIN_KEEPALIVE_MS = 1000;

/** Half the timeout, or five seconds less than it, whichever is sooner. */
export function keepaliveIntervalMs(timeoutMs: number): number {
  return Math.max(Math.min(timeoutMs / 2, timeoutMs - KEEPALIVE_MARGIN_MS), MIN_KEEPALIVE_MS);
}

/** Session description changes nothing: GET_PARAMETER is the RFC's ping, OPTIONS everybody's. */
export function keepaliveMethod(publicHeader: string | undefined): string {
  const offered = new Set((publicHeader ?? '').toUpperCase().split(/[\s,]+/));
  if (offered.has('GET_PARAMETER')) return 'GET_PARAMETER';
  if (offered.has('OPTIONS') || !offered.has('SET_PARAMETER')) return 'OPTIONS';
  return 'SET_PARAMETER';
}

/** A camera that hangs up on a verb does so at once. */
const HANG_UP_MS = 2_000;
/** A session that was not kept alive ends so near its timeout, counted from PLAY. */
const EARLY_SHARE = 0.9;
const LATE_MS = 15_000;

const VERBS: readonly string[] = ['GET_PARAMETER', 'OPTIONS', 'SET_PARAMETER'];

/** How a session that had played ended; times in ms. */
export interface SessionEnd {
  /** What kept it alive. */
  readonly method: string;
  readonly timeoutMs: number;
  /** From PLAY to the end, or to the last packet. */
  readonly ageMs: number;
  /** Since the last keepalive was sent; undefined when none was. */
  readonly sinceKeepaliveMs: number | undefined;
  /** Whether that one was answered. */
  readonly isAnswered: boolean;
}

/** What one camera has taught us; kept from session to session. */
export class KeepaliveHabit {
  #method: string | undefined;

  /** The verb to use instead of what `Public` suggests; undefined while nothing was learned. */
  get method(): string | undefined {
    return this.#method;
  }

  /** True when the next session is kept alive by another verb, because this one did not. */
  learn({ method, timeoutMs, ageMs, sinceKeepaliveMs, isAnswered }: SessionEnd): boolean {
    if (sinceKeepaliveMs === undefined) return false;
    const hungUp = !isAnswered && sinceKeepaliveMs < HANG_UP_MS;
    const timedOut = ageMs > timeoutMs * EARLY_SHARE && ageMs < timeoutMs + LATE_MS;
    if (!hungUp && !timedOut) return false;
    const index = VERBS.indexOf(method);
    this.#method = VERBS[(index + 1) % VERBS.length];
    return true;
  }
}
