/**
 * Which password to try on one device, so that trying never locks the account: three refusals in
 * all, then nothing is sent for ten minutes, then one try each ten minutes, until the credentials
 * change. Counts refusals of ONVIF and RTSP together; the camera does too.
 */
import { AuthenticationError } from '../../codecs/errors.ts';
import type { Credentials } from '../driver.ts';

/** Cameras lock an account after three (Axis, some Dahua) to seven (Hikvision) refusals. */
export const MAX_REFUSALS = 3;
export const HOLD_MS = 10 * 60_000;

export class CredentialChooser {
  readonly #now: () => number;
  #candidates: readonly Credentials[];
  #worked: Credentials | undefined;
  readonly #refusals = new Map<Credentials, number>();
  #refusalCount = 0;
  #heldUntilMs: number | undefined;

  constructor(candidates: readonly Credentials[], now: () => number) {
    this.#candidates = candidates;
    this.#now = now;
  }

  /** When the next try is allowed; undefined when one is allowed now. In ms since the epoch. */
  get heldUntilMs(): number | undefined {
    return this.#heldUntilMs !== undefined && this.#now() < this.#heldUntilMs
      ? this.#heldUntilMs
      : undefined;
  }

  /**
   * The credentials to try: those that worked, else the first least often refused; undefined when
   * none are configured. Throws without touching the device while on hold.
   */
  next(): Credentials | undefined {
    const heldUntilMs = this.heldUntilMs;
    if (heldUntilMs !== undefined) {
      throw new AuthenticationError(
        `refused ${this.#refusalCount} times; not trying again before ${new Date(heldUntilMs).toISOString()} or until the credentials change`,
        true,
      );
    }
    return this.#worked ?? this.#leastRefused();
  }

  /** Credentials configured that were never refused since they were last accepted. */
  get hasUntried(): boolean {
    return this.#candidates.some((candidate) => !this.#refusals.has(candidate));
  }

  worked(credentials: Credentials | undefined): void {
    this.#worked = credentials;
    this.#refusals.clear();
    this.#refusalCount = 0;
    this.#heldUntilMs = undefined;
  }

  /** Until nothing more is sent. */
  get refusalsLeft(): number {
    return Math.max(0, MAX_REFUSALS - this.#refusalCount);
  }

  /** Counts a refusal; true when another try is allowed now. */
  refused(credentials: Credentials | undefined): boolean {
    if (credentials === undefined) return true;
    this.#worked = undefined;
    this.#refusals.set(credentials, (this.#refusals.get(credentials) ?? 0) + 1);
    this.#refusalCount += 1;
    if (this.#refusalCount < MAX_REFUSALS) return true;
    this.#heldUntilMs = this.#now() + HOLD_MS;
    return false;
  }

  /** Other credentials: the hold ends, unless they are the same again. */
  replace(candidates: readonly Credentials[]): void {
    const isSame =
      candidates.length === this.#candidates.length &&
      candidates.every((candidate, index) => {
        const other = this.#candidates[index];
        return candidate.username === other?.username && candidate.password === other.password;
      });
    if (isSame) return;
    this.#candidates = candidates;
    this.worked(undefined);
  }

  #leastRefused(): Credentials | undefined {
    let best: Credentials | undefined;
    for (const candidate of this.#candidates) {
      if (best === undefined || this.#count(candidate) < this.#count(best)) best = candidate;
    }
    return best;
  }

  #count(credentials: Credentials): number {
    return this.#refusals.get(credentials) ?? 0;
  }
}
