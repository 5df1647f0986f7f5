/**
 * Tells whether a list of credentials is the one it was, without keeping any of it: what is kept of refused logins
 * counts for the same list only. Passwords are short, so the mark is made with scrypt, and salted.
 */
import { randomBytes, scryptSync } from 'node:crypto';
import type { Credentials } from '../../drivers/driver.ts';

/** 4 MiB and some 60 ms on a Raspberry Pi 3, once for a list and a life. */
const COST = 4096;
const BYTES = 16;

export class CredentialMarks {
  readonly #salt: string;
  readonly #known = new Map<string, string>();

  /** `earlier`: any mark of an earlier life, to compare with. */
  constructor(earlier: string | undefined) {
    const [salt = ''] = /^[0-9a-f]{32}(?=:)/.exec(earlier ?? '') ?? [];
    this.#salt = salt === '' ? randomBytes(BYTES).toString('hex') : salt;
  }

  of(credentials: readonly Credentials[]): string {
    const text = JSON.stringify(credentials.map(({ username, password }) => [username, password]));
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const hash = scryptSync(text, this.#salt, BYTES, { N: COST }).toString('hex');
    const mark = `${this.#salt}:${hash}`;
    this.#known.set(text, mark);
    return mark;
  }
}
