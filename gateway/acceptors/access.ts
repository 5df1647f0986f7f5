/**
 * Who may publish to an acceptor, or play from it. Comparing takes the same time for every wrong guess, and an
 * address that guesses too often is not listened to for a while.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList } from 'node:net';
import { parseAddressRange } from '../config/fields.ts';
import type { LoginConfig } from '../config/schema.ts';
import { peerOf } from '../peer.ts';

/** So many wrong logins of one address within the window, and it has to wait for the window's end. */
const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
/** Addresses remembered; the oldest go first. */
const MAX_ADDRESSES = 4_096;

interface Failures {
  count: number;
  readonly sinceMs: number;
}

export class Access {
  readonly #login: LoginConfig | undefined;
  readonly #addresses: BlockList | undefined;
  readonly #now: () => number;
  readonly #failures = new Map<string, Failures>();

  /** Without a login everybody may. `now`: milliseconds. */
  constructor(login: LoginConfig | undefined, now: () => number) {
    this.#login = login;
    this.#addresses = login?.addresses === undefined ? undefined : listOf(login.addresses);
    this.#now = now;
  }

  /** Nobody is asked for a login. */
  get isOpen(): boolean {
    return (this.#login?.username ?? this.#login?.token) === undefined;
  }

  /** False: whoever comes from there is not even listened to. */
  allowsAddress(address: string): boolean {
    if (this.#addresses === undefined) return true;
    const plain = address.replace(/%.*$/, '');
    return this.#addresses.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4');
  }

  get username(): string | undefined {
    return this.#login?.username;
  }

  /** For logins that prove to know the password (Digest, Adobe) without sending it. */
  get password(): string | undefined {
    return this.#login?.password;
  }

  isToken(token: string): boolean {
    const { token: wanted } = this.#login ?? {};
    return wanted !== undefined && isSame(token, wanted);
  }

  isPassword(username: string, password: string): boolean {
    const { username: wantedName, password: wanted } = this.#login ?? {};
    if (wantedName === undefined || wanted === undefined) return false;
    const isName = isSame(username, wantedName);
    return isSame(password, wanted) && isName;
  }

  /** Told of every wrong login. */
  failed(address: string): void {
    const nowMs = this.#now();
    const peer = peerOf(address);
    const known = this.#failures.get(peer);
    if (known !== undefined && nowMs - known.sinceMs < WINDOW_MS) {
      known.count += 1;
      return;
    }
    this.#failures.delete(peer);
    this.#failures.set(peer, { count: 1, sinceMs: nowMs });
    if (this.#failures.size <= MAX_ADDRESSES) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      break;
    }
  }

  /** True: say no without looking at the login. */
  isBlocked(address: string): boolean {
    const known = this.#failures.get(peerOf(address));
    if (known === undefined || known.count < MAX_FAILURES) return false;
    return this.#now() - known.sinceMs < WINDOW_MS;
  }
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of ranges) {
    const range = parseAddressRange(text);
    if (range === undefined) throw new RangeError(`not an address or range: ${text}`);
    list.addSubnet(range.address, range.prefix, range.family);
  }
  return list;
}

function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digestOf(a), digestOf(b));
}

function digestOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
