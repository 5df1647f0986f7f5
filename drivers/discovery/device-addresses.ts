/**
 * Where one device is: its addresses in the order in which they should be tried.
 *
 * A new address goes first, because the device has moved. One that is known keeps its place, because a camera with a
 * cable and Wi-Fi answers from both, in any order; it goes first when the one in front has fallen silent.
 */
import { isIPv6 } from 'node:net';

const MAX_ADDRESSES = 8;
/** Two networks, each with IPv4 and IPv6; so that nobody can name so many that those of before are forgotten. */
const MAX_HEARD_AT_ONCE = 4;
/** The answers to one round of probes come within so long. */
const ONE_ROUND_MS = 2000;
/** Heard for so long while the first was silent: several probes of a burst went by. */
const CONTEST_MS = 1000;

interface HeardAddress {
  readonly address: string;
  readonly firstHeardMs: number;
  lastHeardMs: number;
  /** It answered what was sent to this address, so there is a way there. */
  answered: boolean;
}

export class DeviceAddresses {
  readonly #expiresMs: number;
  #list: HeardAddress[] = [];
  #contestSinceMs: number | undefined;

  constructor(expiresMs: number) {
    this.#expiresMs = expiresMs;
  }

  /** Link-local IPv6 last: players and people can rarely use it. */
  get inOrder(): string[] {
    return this.#list
      .map(({ address }) => address)
      .sort((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)));
  }

  get first(): string | undefined {
    return this.#list[0]?.address;
  }

  get hasAnswered(): boolean {
    return this.#list.some(({ answered }) => answered);
  }

  has(address: string): boolean {
    return this.#list.some((each) => each.address === address);
  }

  firstHeardMs(address: string): number | undefined {
    return this.#list.find((each) => each.address === address)?.firstHeardMs;
  }

  lastHeardMs(address: string): number | undefined {
    return this.#list.find((each) => each.address === address)?.lastHeardMs;
  }

  /** Most trusted first. True when it is not sure which of them comes first: asking again tells. */
  hear(addresses: readonly string[], answered: boolean, nowMs: number): boolean {
    const heard = addresses.slice(0, MAX_HEARD_AT_ONCE);
    const [first] = this.#list;
    const known = this.#list.filter(
      (each) => heard.includes(each.address) || nowMs - each.lastHeardMs < this.#expiresMs,
    );
    // The last place that is known is better than none.
    if (heard.length === 0 && known.length === 0) return false;
    const isFirstHeard = first !== undefined && heard.includes(first.address);
    const fresh: HeardAddress[] = [];
    for (const address of new Set(heard)) {
      const existing = known.find((each) => each.address === address);
      if (existing === undefined) {
        fresh.push({ address, firstHeardMs: nowMs, lastHeardMs: nowMs, answered });
      } else {
        existing.lastHeardMs = nowMs;
        existing.answered ||= answered;
      }
    }
    const isContested = fresh.length === 0 && !isFirstHeard && known[0] === first;
    const [front = [], back = []] = isFirstHeard
      ? [known.slice(0, 1), known.slice(1)]
      : [[], known];
    this.#list = [...front, ...fresh, ...back];
    while (this.#list.length > MAX_ADDRESSES) this.#list.splice(this.#surplus(heard), 1);
    if (isContested && first !== undefined) return this.#contest(first, heard, nowMs);
    this.#contestSinceMs = undefined;
    return false;
  }

  drop(address: string): void {
    this.#list = this.#list.filter((each) => each.address !== address);
    this.#contestSinceMs = undefined;
  }

  absorb(other: DeviceAddresses): void {
    for (const theirs of other.#list) {
      const ours = this.#list.find((each) => each.address === theirs.address);
      if (ours === undefined) this.#list.push(theirs);
      else {
        ours.lastHeardMs = Math.max(ours.lastHeardMs, theirs.lastHeardMs);
        ours.answered ||= theirs.answered;
      }
    }
    this.#list = this.#list.slice(0, MAX_ADDRESSES);
  }

  /** Of those not heard now the newest: where it has been heard for long it is, whoever says that it is in many places. */
  #surplus(heard: readonly string[]): number {
    let surplus = -1;
    for (const [index, { address, firstHeardMs }] of this.#list.entries()) {
      const newestMs = this.#list[surplus]?.firstHeardMs ?? 0;
      if (!heard.includes(address) && firstHeardMs >= newestMs) surplus = index;
    }
    return surplus;
  }

  #contest(first: HeardAddress, heard: readonly string[], nowMs: number): boolean {
    if (nowMs - first.lastHeardMs < ONE_ROUND_MS) return false;
    if (this.#contestSinceMs === undefined) {
      this.#contestSinceMs = nowMs;
      return true;
    }
    if (nowMs - this.#contestSinceMs < CONTEST_MS) return false;
    this.#contestSinceMs = undefined;
    const isHeard = (each: HeardAddress) => heard.includes(each.address);
    this.#list = [...this.#list.filter(isHeard), ...this.#list.filter((each) => !isHeard(each))];
    return false;
  }
}
