/**
 * Who may do what at an RTMP acceptor. Adobe's login comes with connect, before the server knows what the client is after, and
 * clients speak it only when connect is refused for the want of it. A token, or user and password in plain text, may stand behind
 * the application or behind the stream's name.
 *
 * So a client without a login is refused its connect where it needs one, if Adobe's is the only one there is; where a token will
 * do, it may still come with the stream's name. Encoders are told from players by how they introduce themselves, as by
 * the ancestor and Flash Media Server.
 */
import { AdobeAuthenticator } from '../../protocols/rtmp/adobe-authenticator.ts';
import type { RtmpCredentials } from '../../protocols/rtmp/authentication.ts';
import type { ConnectRequest } from '../../protocols/rtmp/connect-request.ts';
import type { RtmpQuery } from '../../protocols/rtmp/query.ts';
import type { LoginConfig } from '../config/schema.ts';
import { Access } from './access.ts';

export type RtmpRight = 'publish' | 'play';

const RIGHTS: readonly RtmpRight[] = ['publish', 'play'];
/** Without "authmod" in it, so that clients do not come again. */
const TOO_MANY = 'too many wrong logins from this address; wait a minute';
const WRONG = 'wrong user name, password or token';

/** What connect has earned; `refusal`: it is refused, in these words. */
export interface RtmpWelcome {
  readonly rights: ReadonlySet<RtmpRight>;
  readonly refusal: string | undefined;
  /** The login was wrong, or is not looked at; else the refusal only asks for one. */
  readonly isWrong: boolean;
}

export class RtmpLogin {
  readonly #logins: Readonly<Record<RtmpRight, LoginConfig | undefined>>;
  readonly #access: Readonly<Record<RtmpRight, Access>>;
  readonly #adobe: AdobeAuthenticator;

  /** `now`: milliseconds. */
  constructor(publish: LoginConfig | undefined, play: LoginConfig | undefined, now: () => number) {
    this.#logins = { publish, play };
    this.#access = { publish: new Access(publish, now), play: new Access(play, now) };
    this.#adobe = new AdobeAuthenticator(now);
  }

  atConnect({ query, isEncoder }: ConnectRequest, address: string): RtmpWelcome {
    const rights = new Set(RIGHTS.filter((right) => this.#isGiven(right, query, address)));
    const wanted = isEncoder ? 'publish' : 'play';
    if (!query.has('authmod')) {
      if (rights.has(wanted)) return welcome(rights);
      if (this.#access[wanted].isBlocked(address)) return refused(TOO_MANY);
      if (hasLogin(query)) {
        this.#access[wanted].failed(address);
        return refused(WRONG);
      }
      if (!isForAdobe(this.#logins[wanted])) return welcome(rights);
    }
    return this.#adobeStep(query, rights, wanted, address);
  }

  /** Why it may not publish or play; undefined: it may. `query`: of the stream's name. */
  atStream(
    right: RtmpRight,
    earned: ReadonlySet<RtmpRight>,
    query: RtmpQuery,
    address: string,
  ): string | undefined {
    if (earned.has(right) || this.#isGiven(right, query, address)) return undefined;
    if (this.#access[right].isBlocked(address)) return TOO_MANY;
    if (!hasLogin(query)) return `a login is needed to ${right} here`;
    this.#access[right].failed(address);
    return WRONG;
  }

  #isGiven(right: RtmpRight, query: RtmpQuery, address: string): boolean {
    const access = this.#access[right];
    if (access.isOpen) return true;
    if (access.isBlocked(address)) return false;
    const { token, user, pass } = loginIn(query);
    if (token !== undefined && access.isToken(token)) return true;
    return user !== undefined && pass !== undefined && access.isPassword(user, pass);
  }

  /** The first of the logins with that user's name is asked for; both rights may have the same. */
  #adobeStep(
    query: RtmpQuery,
    rights: Set<RtmpRight>,
    wanted: RtmpRight,
    address: string,
  ): RtmpWelcome {
    const user = query.get('user');
    const candidates = [wanted, ...RIGHTS].filter((right) => credentialsOf(this.#logins[right]));
    const [right] = [
      ...candidates.filter((candidate) => this.#logins[candidate]?.username === user),
      ...candidates,
    ];
    const login = right && credentialsOf(this.#logins[right]);
    if (right === undefined || login === undefined) return welcome(rights);
    if (this.#access[right].isBlocked(address)) return refused(TOO_MANY);
    const step = this.#adobe.answer(query, login);
    if (step.at === 'rejected') {
      if (step.isWrong) this.#access[right].failed(address);
      return { rights, refusal: step.description, isWrong: step.isWrong };
    }
    const { username, password } = login;
    for (const other of candidates) {
      const same = this.#logins[other];
      if (same?.username === username && same.password === password) rights.add(other);
    }
    return welcome(rights);
  }
}

function welcome(rights: ReadonlySet<RtmpRight>): RtmpWelcome {
  return { rights, refusal: undefined, isWrong: false };
}

function refused(words: string): RtmpWelcome {
  const refusal = `[ AccessManager.Reject ] : [ ${words} ] : `;
  return { rights: new Set(), refusal, isWrong: true };
}

function isForAdobe(login: LoginConfig | undefined): boolean {
  return credentialsOf(login) !== undefined && login?.token === undefined;
}

function credentialsOf(login: LoginConfig | undefined): RtmpCredentials | undefined {
  const { username, password } = login ?? {};
  return username === undefined || password === undefined ? undefined : { username, password };
}

function hasLogin(query: RtmpQuery): boolean {
  const { token, pass } = loginIn(query);
  return token !== undefined || pass !== undefined;
}

/** `pass` as RTMP servers have it, `password` as people guess. */
function loginIn(query: RtmpQuery) {
  return {
    token: query.get('token'),
    user: query.get('user') ?? query.get('username'),
    pass: query.get('pass') ?? query.get('password'),
  };
}
