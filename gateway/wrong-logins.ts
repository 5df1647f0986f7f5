/** Wrong logins, counted: an address that guesses too often is not listened to for a while, nor are strangers while many guess. */
import { peerOf } from './peer.ts';

/** So many wrong logins of one address within the window, and it has to wait for the window's end. */
const MAX_OF_ADDRESS = 10;
const WINDOW_MS = 60_000;
/** Of all together: a botnet guesses 170 000 times a day, not millions. */
const MAX_OF_ALL = 120;
/** Addresses remembered; the oldest go first. */
const MAX_ADDRESSES = 4_096;
/** From where the right login came lately: whoever owns this box is not locked out by others' guesses. */
const MAX_WELCOME = 64;

interface Failures {
  count: number;
  readonly sinceMs: number;
}

export class WrongLogins {
  readonly #now: () => number;
  readonly #ofAddress = new Map<string, Failures>();
  readonly #welcome = new Set<string>();
  #ofAll: Failures = { count: 0, sinceMs: 0 };

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How long to say no without looking at the login; 0: not at all. */
  blockedForMs(address: string): number {
    const peer = peerOf(address);
    const known = this.#ofAddress.get(peer);
    const ofAddressMs = known === undefined ? 0 : this.#waitMs(known, MAX_OF_ADDRESS);
    if (ofAddressMs > 0 || this.#welcome.has(peer)) return ofAddressMs;
    return this.#waitMs(this.#ofAll, MAX_OF_ALL);
  }

  /** Told of every wrong login. True: the first of this address within the window. */
  failed(address: string): boolean {
    const nowMs = this.#now();
    if (this.#isOver(this.#ofAll)) this.#ofAll = { count: 0, sinceMs: nowMs };
    this.#ofAll.count += 1;
    const peer = peerOf(address);
    const known = this.#ofAddress.get(peer);
    if (known !== undefined && !this.#isOver(known)) {
      known.count += 1;
      return false;
    }
    this.#ofAddress.delete(peer);
    this.#ofAddress.set(peer, { count: 1, sinceMs: nowMs });
    dropOldest(this.#ofAddress, MAX_ADDRESSES);
    return true;
  }

  succeeded(address: string): void {
    const peer = peerOf(address);
    this.#welcome.delete(peer);
    this.#welcome.add(peer);
    dropOldest(this.#welcome, MAX_WELCOME);
  }

  #waitMs(failures: Failures, max: number): number {
    if (failures.count < max) return 0;
    return Math.max(0, failures.sinceMs + WINDOW_MS - this.#now());
  }

  #isOver({ sinceMs }: Failures): boolean {
    return this.#now() - sinceMs >= WINDOW_MS;
  }
}

function dropOldest(
  entries: Pick<Map<string, unknown>, 'size' | 'keys' | 'delete'>,
  max: number,
): void {
  for (const oldest of entries.keys()) {
    if (entries.size <= max) return;
    entries.delete(oldest);
  }
}
