/**
 * Who may publish to an acceptor, or play from it. Comparing takes the same time for every wrong guess, and an
 * address that guesses too often is not listened to for a while.
 */
import { BlockList } from 'node:net';
import { parseAddressRange } from '../config/fields.ts';
import type { LoginConfig } from '../config/schema.ts';
import { isSameText } from '../same-text.ts';
import { WrongLogins } from '../wrong-logins.ts';

export class Access {
  readonly #login: LoginConfig | undefined;
  readonly #addresses: BlockList | undefined;
  readonly #wrong: WrongLogins;

  /** Without a login everybody may. `now`: milliseconds. */
  constructor(login: LoginConfig | undefined, now: () => number) {
    this.#login = login;
    this.#addresses = login?.addresses === undefined ? undefined : listOf(login.addresses);
    this.#wrong = new WrongLogins(now);
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
    return wanted !== undefined && isSameText(token, wanted);
  }

  isPassword(username: string, password: string): boolean {
    const { username: wantedName, password: wanted } = this.#login ?? {};
    if (wantedName === undefined || wanted === undefined) return false;
    const isName = isSameText(username, wantedName);
    return isSameText(password, wanted) && isName;
  }

  /** Told of every wrong login. */
  failed(address: string): void {
    this.#wrong.failed(address);
  }

  /** True: say no without looking at the login. */
  isBlocked(address: string): boolean {
    return this.#wrong.blockedForMs(address) > 0;
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
