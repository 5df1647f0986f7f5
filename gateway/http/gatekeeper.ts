/**
 * Who gets in. Without an administrator's login the server listens on this machine only, and being here is
 * the login; else HTTP Basic (RFC 7617), and for viewers a token, in the query for players and video tags, or as
 * Bearer (RFC 6750).
 */
import type { IncomingMessage } from 'node:http';
import { Access as Login } from '../acceptors/access.ts';
import type { HttpConfig } from '../config/schema.ts';
import { peerOf } from '../peer.ts';
import type { AdminLogin } from './admin-login.ts';
import { type Answer, problem } from './answer.ts';
import { isLocalHost } from './local-host.ts';
import type { Access } from './route.ts';

const TOKEN_PARAMETER = 'token';
const RETRY_AFTER_S = 60;

export interface GatekeeperConfig {
  /** undefined: whoever is on this machine. */
  readonly admin: AdminLogin | undefined;
  readonly play: HttpConfig['play'];
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
}

export class Gatekeeper {
  readonly #admin: Login | undefined;
  readonly #play: Login | 'open' | undefined;

  /** `now`: milliseconds. */
  constructor({ admin, play }: GatekeeperConfig, now: () => number) {
    this.#admin = admin && new Login(admin, now);
    this.#play = typeof play === 'object' ? new Login(play, now) : play;
  }

  /** undefined: come in. */
  refusal(access: Access, request: IncomingMessage, query: URLSearchParams): Answer | undefined {
    const isViewer = access === 'viewer';
    const play = isViewer ? this.#play : undefined;
    if (play === 'open') return undefined;
    if (this.#admin === undefined && play === undefined) return hostRefusal(request);
    if (access === 'everybody') return undefined;
    const logins = [play, this.#admin].filter((login) => login !== undefined);
    const peer = peerOf(request.socket.remoteAddress);
    if (logins.some((login) => login.isBlocked(peer))) {
      const headers = { 'retry-after': String(RETRY_AFTER_S) };
      return problem(429, 'too-many-attempts', 'too many wrong logins; wait a minute', headers);
    }
    const credentials = credentialsOf(request, isViewer ? query : undefined);
    if (credentials === undefined) return this.#challenge(play, 'a login is needed');
    if (logins.some((login) => isRight(login, credentials))) return undefined;
    for (const login of logins) login.failed(peer);
    return this.#challenge(play, 'this login is wrong');
  }

  #challenge(play: Login | undefined, words: string): Answer {
    const takesPassword = (play ?? this.#admin)?.username !== undefined;
    const scheme = takesPassword
      ? 'Basic realm="Sluice", charset="UTF-8"'
      : 'Bearer realm="Sluice"';
    return problem(401, 'unauthorized', words, { 'www-authenticate': scheme });
  }
}

/** A web page could have its own name point here (DNS rebinding), and read what is for this machine only. */
function hostRefusal({ headers }: IncomingMessage): Answer | undefined {
  if (isLocalHost(headers.host)) return undefined;
  return problem(403, 'forbidden-host', 'expected localhost, 127.0.0.1 or [::1] as Host');
}

function isRight(login: Login, { username, password, token }: Credentials): boolean {
  if (token !== undefined) return login.isToken(token);
  return login.isPassword(username ?? '', password ?? '');
}

/** What is in the query is meant for this server; what a browser remembers may be of another login. */
function credentialsOf(
  { headers }: IncomingMessage,
  query: URLSearchParams | undefined,
): Credentials | undefined {
  const token = query?.get(TOKEN_PARAMETER);
  if (token !== null && token !== undefined) return { token };
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(headers.authorization ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return { token: value };
    case 'basic': {
      const text = Buffer.from(value, 'base64').toString('utf8');
      const colon = text.indexOf(':');
      return { username: text.slice(0, Math.max(0, colon)), password: text.slice(colon + 1) };
    }
    default:
      return undefined;
  }
}
