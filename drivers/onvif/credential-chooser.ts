/**
 * Which password to try on one device, so that trying never locks the account: three refusals in all, then nothing is
 * sent for ten minutes, then one try each ten minutes, until the credentials change. Refusals of ONVIF, RTSP and HTTP are
 * counted together; the camera does too. Which of them took a login is remembered for each, because cameras have users of
 * their own for ONVIF (Hikvision).
 */
import { AuthenticationError } from '../../codecs/errors.ts';
import type { Credentials } from '../driver.ts';

/** Cameras lock an account after three (Axis, some Dahua) to seven (Hikvision) refusals. */
export const MAX_REFUSALS = 3;
export const HOLD_MS = 10 * 60_000;

export type LoginService = 'onvif' | 'rtsp' | 'http';

/**
 * How often in a row a login that was taken before may be refused until others are tried. An RTSP server that has no
 * session left refuses the right one (R7).
 */
const PATIENCE: Readonly<Record<LoginService, number>> = { onvif: 1, rtsp: 2, http: 2 };

/** What survives a restart; credentials by their place in the list. */
export interface KeptLogin {
  readonly worked: Readonly<Partial<Record<LoginService, number>>>;
  readonly refusals: Readonly<Partial<Record<LoginService, readonly number[]>>>;
  /** Milliseconds since the epoch. */
  readonly heldUntilMs?: number | undefined;
}

export interface LoginMemory {
  /** From an earlier life, of the same credentials. */
  readonly kept?: KeptLogin | undefined;
  /** Something is to be kept. */
  readonly changed?: (isRefusal: boolean) => void;
  /** False: it may be another device, which is not tried with one password after the other. */
  readonly isSureOfDevice?: () => boolean;
}

type Refusals = Map<LoginService, Map<Credentials, number>>;

export class CredentialChooser {
  readonly #now: () => number;
  readonly #memory: LoginMemory;
  #candidates: readonly Credentials[];
  readonly #worked = new Map<LoginService, Credentials>();
  readonly #refusals: Refusals = new Map();
  #heldUntilMs: number | undefined;
  /** Counted although it was not sure which device it was. */
  readonly #unsure: [LoginService, Credentials][] = [];

  constructor(candidates: readonly Credentials[], now: () => number, memory: LoginMemory = {}) {
    this.#candidates = candidates;
    this.#now = now;
    this.#memory = memory;
    if (memory.kept !== undefined) this.#restore(memory.kept);
  }

  /** When the next try is allowed; undefined when one is allowed now. In ms since the epoch. */
  get heldUntilMs(): number | undefined {
    const until = this.#heldUntilMs;
    if (until === undefined) return undefined;
    const leftMs = until - this.#now();
    // A clock that was set back must not make a hold of years.
    return leftMs > 0 && leftMs <= HOLD_MS ? until : undefined;
  }

  /**
   * The credentials to try: those that worked, else the first least often refused; undefined when
   * none are configured. Throws without touching the device while on hold.
   */
  next(service: LoginService = 'onvif'): Credentials | undefined {
    const { heldUntilMs } = this;
    if (heldUntilMs !== undefined) {
      throw new AuthenticationError(
        `refused ${this.#refusalCount} times; not trying again before ${new Date(heldUntilMs).toISOString()} or until the credentials change`,
        true,
        heldUntilMs,
      );
    }
    const worked = [this.#worked.get(service), ...this.#worked.values()];
    const taken = worked.find(
      (each) => each !== undefined && this.#count(service, each) < PATIENCE[service],
    );
    return taken ?? this.#leastRefused(service);
  }

  /** Whether one that has not been refused may be tried at once. */
  get hasUntried(): boolean {
    return this.#hasUntried('onvif');
  }

  /** The same for RTSP, where nothing is known of the device: a refusal of what it took before means something else. */
  get mayTryAnotherByRtsp(): boolean {
    return this.#worked.size === 0 && this.heldUntilMs === undefined && this.#hasUntried('rtsp');
  }

  hasWorked(service: LoginService): boolean {
    return this.#worked.has(service);
  }

  worked(credentials: Credentials | undefined, service: LoginService = 'onvif'): void {
    const isNews = this.#worked.get(service) !== credentials || this.#refusals.has(service);
    if (credentials === undefined) this.#worked.delete(service);
    else this.#worked.set(service, credentials);
    this.#refusals.delete(service);
    if (this.#refusalCount < MAX_REFUSALS) this.#heldUntilMs = undefined;
    if (isNews) this.#memory.changed?.(false);
  }

  /** Until nothing more is sent. */
  get refusalsLeft(): number {
    return Math.max(0, MAX_REFUSALS - this.#refusalCount);
  }

  /** Counts a refusal; true when another try is allowed now. */
  refused(credentials: Credentials | undefined, service: LoginService = 'onvif'): boolean {
    if (credentials === undefined) return true;
    const ofService = this.#refusals.get(service) ?? new Map<Credentials, number>();
    this.#refusals.set(service, ofService);
    ofService.set(credentials, (ofService.get(credentials) ?? 0) + 1);
    if (this.#memory.isSureOfDevice?.() === false) this.#unsure.push([service, credentials]);
    const isHeld = this.#refusalCount >= MAX_REFUSALS;
    if (isHeld) this.#heldUntilMs = this.#now() + HOLD_MS;
    this.#memory.changed?.(true);
    return !isHeld;
  }

  /** It was another device that refused while that was not sure. */
  forgive(): void {
    const isNews = this.#unsure.length > 0;
    for (const [service, credentials] of this.#unsure.splice(0)) {
      const count = this.#count(service, credentials);
      if (count > 0) this.#refusals.get(service)?.set(credentials, count - 1);
    }
    if (this.#refusalCount < MAX_REFUSALS) this.#heldUntilMs = undefined;
    if (isNews) this.#memory.changed?.(false);
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
    this.#worked.clear();
    this.#refusals.clear();
    this.#heldUntilMs = undefined;
  }

  /** The list that `KeptLogin` counts in. */
  get candidates(): readonly Credentials[] {
    return this.#candidates;
  }

  toKeep(): KeptLogin {
    const places = [...this.#worked].map(([service, each]) => [
      service,
      this.#candidates.indexOf(each),
    ]);
    const counts = [...this.#refusals.keys()].map((service) => [
      service,
      this.#candidates.map((each) => this.#count(service, each)),
    ]);
    return {
      worked: Object.fromEntries(places),
      refusals: Object.fromEntries(counts),
      ...(this.#heldUntilMs === undefined ? {} : { heldUntilMs: this.#heldUntilMs }),
    };
  }

  #restore({ worked, refusals, heldUntilMs }: KeptLogin): void {
    for (const service of SERVICES) {
      const taken = this.#candidates[worked[service] ?? -1];
      if (taken !== undefined) this.#worked.set(service, taken);
      const counts = (refusals[service] ?? []).flatMap((count, index): [Credentials, number][] => {
        const refused = this.#candidates[index];
        return refused === undefined || count === 0 ? [] : [[refused, count]];
      });
      if (counts.length > 0) this.#refusals.set(service, new Map(counts));
    }
    this.#heldUntilMs = heldUntilMs;
  }

  get #refusalCount(): number {
    let sum = 0;
    for (const ofService of this.#refusals.values()) {
      for (const count of ofService.values()) sum += count;
    }
    return sum;
  }

  #hasUntried(service: LoginService): boolean {
    if (this.#memory.isSureOfDevice?.() === false) return false;
    return this.#candidates.some((candidate) => this.#count(service, candidate) === 0);
  }

  #leastRefused(service: LoginService): Credentials | undefined {
    let best: Credentials | undefined;
    for (const candidate of this.#candidates) {
      if (best === undefined || this.#count(service, candidate) < this.#count(service, best)) {
        best = candidate;
      }
    }
    return best;
  }

  #count(service: LoginService, credentials: Credentials): number {
    return this.#refusals.get(service)?.get(credentials) ?? 0;
  }
}

const SERVICES: readonly LoginService[] = ['onvif', 'rtsp', 'http'];
