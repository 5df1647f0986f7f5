/**
 * The server's side of Adobe's authentication; the exchange is in authentication.ts. It keeps nothing between the
 * connections of one client: what it issues is signed and holds its time. A name that does not exist gets a
 * challenge like any other.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { adobeResponse, type RtmpCredentials } from './authentication.ts';
import type { RtmpQuery } from './query.ts';

/** The client's third connection follows its second at once. */
const CHALLENGE_LIFETIME_MS = 60_000;
/** Hexadecimal digits. */
const TIME_DIGITS = 12;
const MAC_DIGITS = 32;
/** Clients know what they are called: a name that would have to be written otherwise is left out. */
const ECHOED_USER = /^[\w.@-]{1,128}$/;

export type AdobeStep =
  /** The client knows the password. */
  | { readonly at: 'accepted' }
  /** To be said in the refusal of connect. `isWrong`: it was a wrong user name or password. */
  | { readonly at: 'rejected'; readonly description: string; readonly isWrong: boolean };

export class AdobeAuthenticator {
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  readonly #salt = randomBytes(4).toString('hex');

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** `query`: of connect. */
  answer(query: RtmpQuery, login: RtmpCredentials): AdobeStep {
    if (query.get('authmod') !== 'adobe') return rejected('code=403 need auth; authmod=adobe');
    const user = query.get('user') ?? '';
    const response = query.get('response') ?? '';
    const opaque = query.get('opaque') ?? '';
    if (response === '' || !this.#isOurs(opaque)) return this.#challenge(user);
    const expected = adobeResponse(login, this.#salt, opaque, query.get('challenge') ?? '');
    // The user's name is in the response.
    if (isSame(response, expected)) return { at: 'accepted' };
    return rejected('authmod=adobe', '?reason=authfailed', true);
  }

  #challenge(user: string): AdobeStep {
    const opaque = this.#issue();
    const name = ECHOED_USER.test(user) ? user : '';
    const salt = this.#salt;
    return rejected(
      'authmod=adobe',
      `?reason=needauth&user=${name}&salt=${salt}&challenge=${opaque}&opaque=${opaque}`,
    );
  }

  #issue(): string {
    const time = Math.floor(this.#now()).toString(16).padStart(TIME_DIGITS, '0');
    return time + this.#mac(time);
  }

  #isOurs(opaque: string): boolean {
    const time = opaque.slice(0, TIME_DIGITS);
    if (!isSame(opaque, time + this.#mac(time))) return false;
    const ageMs = this.#now() - Number.parseInt(time, 16);
    return ageMs >= -1 && ageMs < CHALLENGE_LIFETIME_MS;
  }

  #mac(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('hex').slice(0, MAC_DIGITS);
  }
}

/** As Adobe's server writes it: clients search for these words. */
function rejected(inBrackets: string, query = '', isWrong = false): AdobeStep {
  const description = `[ AccessManager.Reject ] : [ ${inBrackets} ] : ${query}`;
  return { at: 'rejected', description, isWrong };
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
