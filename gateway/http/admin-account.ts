/** The one who may do everything: as the configuration says, or with a password that is kept as a hash in dataDir. */
import { createHmac, randomBytes } from 'node:crypto';
import { isSameText } from '../same-text.ts';
import type { PasswordHash, PasswordHashing } from './password-hash.ts';

/** Scripts of one box; each has the same login with every request, which must not be hashed anew. */
const MAX_REMEMBERED = 8;

export interface AdminAccount {
  readonly username: string;
  /** It was made at the first start. */
  readonly mustSetPassword: boolean;
  readonly canSetPassword: boolean;
  /** True: it has been right before, or can be seen at once. */
  isKnown(username: string, password: string): boolean;
  /** Rejects with a `HashingBusyError`. A wrong name takes as long as a wrong password. */
  isRight(username: string, password: string): Promise<boolean>;
  /** Rejects where it cannot be kept: then the old one holds. Only where `canSetPassword`. */
  setPassword(password: string): Promise<void>;
}

export class ConfiguredAdmin implements AdminAccount {
  readonly username: string;
  readonly mustSetPassword = false;
  readonly canSetPassword = false;
  readonly #password: string;

  constructor(username: string, password: string) {
    this.username = username;
    this.#password = password;
  }

  isKnown(username: string, password: string): boolean {
    const isName = isSameText(username, this.username);
    return isSameText(password, this.#password) && isName;
  }

  isRight(username: string, password: string): Promise<boolean> {
    return Promise.resolve(this.isKnown(username, password));
  }

  setPassword(): Promise<void> {
    return Promise.reject(new Error('the configuration says the password (http.admin)'));
  }
}

export interface KeptLogin {
  readonly username: string;
  /** At the first start; it is to be replaced. */
  readonly isMade: boolean;
  readonly hash: PasswordHash;
}

export class KeptAdmin implements AdminAccount {
  readonly canSetPassword = true;
  readonly #hashing: PasswordHashing;
  readonly #keep: (login: KeptLogin) => Promise<void>;
  #login: KeptLogin;
  /** Keyed, so that neither memory nor the time of a look-up tells a password. */
  readonly #markKey = randomBytes(32);
  readonly #remembered = new Set<string>();
  readonly #underWay = new Map<string, Promise<boolean>>();

  constructor(
    login: KeptLogin,
    hashing: PasswordHashing,
    keep: (login: KeptLogin) => Promise<void>,
  ) {
    this.#login = login;
    this.#hashing = hashing;
    this.#keep = keep;
  }

  get username(): string {
    return this.#login.username;
  }

  get mustSetPassword(): boolean {
    return this.#login.isMade;
  }

  isKnown(username: string, password: string): boolean {
    return this.#remembered.has(this.#markOf(username, password));
  }

  isRight(username: string, password: string): Promise<boolean> {
    const mark = this.#markOf(username, password);
    if (this.#remembered.has(mark)) return Promise.resolve(true);
    // A script may open with several requests at once.
    const underWay = this.#underWay.get(mark);
    if (underWay !== undefined) return underWay;
    const answer = this.#verify(username, password, mark).finally(() =>
      this.#underWay.delete(mark),
    );
    this.#underWay.set(mark, answer);
    return answer;
  }

  async setPassword(password: string): Promise<void> {
    const hash = await this.#hashing.hash(password);
    const login = { username: this.username, isMade: false, hash };
    await this.#keep(login);
    this.#login = login;
    this.#remembered.clear();
  }

  #markOf(username: string, password: string): string {
    const text = JSON.stringify([username, password]);
    return createHmac('sha256', this.#markKey).update(text).digest('base64');
  }

  async #verify(username: string, password: string, mark: string): Promise<boolean> {
    const login = this.#login;
    const isPassword = await this.#hashing.isRight(password, login.hash);
    const isName = isSameText(username, login.username);
    // It may have been changed meanwhile.
    if (!isPassword || !isName || login !== this.#login) return false;
    for (const oldest of this.#remembered) {
      if (this.#remembered.size < MAX_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    this.#remembered.add(mark);
    return true;
  }
}
