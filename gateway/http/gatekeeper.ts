/**
 * Who gets in. Without an administrator's login the server listens on this machine only, and being here is
 * the login; else a session's cookie for the web page, HTTP Basic (RFC 7617) for scripts, a token as Bearer (RFC 6750) for
 * programs, and for viewers one in the query, too, for players and video tags.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { Access as Login } from '../acceptors/access.ts';
import type { HttpConfig } from '../config/schema.ts';
import { peerOf } from '../peer.ts';
import { WrongLogins } from '../wrong-logins.ts';
import type { AdminAccount } from './admin-account.ts';
import { type Answer, problem } from './answer.ts';
import { isLocalHost } from './local-host.ts';
import { MachineTokens } from './machine-tokens.ts';
import { HashingBusyError } from './password-hash.ts';
import type { Access } from './route.ts';
import { type Session, Sessions } from './sessions.ts';

const TOKEN_PARAMETER = 'token';
/** Passwords of one address that are being checked at once; the bound on wrong ones counts what has been checked. */
const MAX_CHECKING = 3;

export interface GatekeeperConfig {
  /** undefined: whoever is on this machine. */
  readonly admin: AdminAccount | undefined;
  readonly play: HttpConfig['play'];
  readonly tokens?: HttpConfig['tokens'];
  readonly log: Logger;
}

/** Who asks, by what they have shown. */
export type Visitor =
  | { readonly by: 'nothing' }
  | { readonly by: 'machine' }
  | { readonly by: 'session'; readonly session: Session }
  | { readonly by: 'password' }
  | { readonly by: 'play-login' }
  | { readonly by: 'token'; readonly access: 'read' | 'admin' };

export type Admission = { readonly visitor: Visitor } | { readonly refusal: Answer };

interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
}

export class Gatekeeper {
  readonly admin: AdminAccount | undefined;
  readonly sessions: Sessions;
  readonly #play: Login | 'open' | undefined;
  readonly #tokens: MachineTokens;
  readonly #log: Logger;
  readonly #wrong: WrongLogins;
  /** Passwords under way, by address. */
  readonly #checking = new Map<string, number>();
  /** What goes on because a password came with the request. */
  readonly #passwordSockets = new Set<Socket>();

  /** `now`: milliseconds. */
  constructor({ admin, play, tokens = [], log }: GatekeeperConfig, now: () => number) {
    this.admin = admin;
    this.sessions = new Sessions(now);
    this.#play = typeof play === 'object' ? new Login(play, now) : play;
    this.#tokens = new MachineTokens(tokens);
    this.#log = log;
    this.#wrong = new WrongLogins(now);
  }

  /** At once, but where a password has to be hashed. */
  admit(
    access: Access,
    request: IncomingMessage,
    query: URLSearchParams,
  ): Admission | Promise<Admission> {
    const isViewer = access === 'viewer';
    const play = isViewer ? this.#play : undefined;
    if (play === 'open') return { visitor: NOBODY };
    if (this.admin === undefined && play === undefined) {
      const refusal = hostRefusal(request);
      return refusal === undefined ? { visitor: { by: 'machine' } } : { refusal };
    }
    if (access === 'everybody') return { visitor: NOBODY };
    const session = this.admin && this.sessions.find(request);
    if (session !== undefined) return { visitor: { by: 'session', session } };
    const credentials = credentialsOf(request, isViewer ? query : undefined);
    if (credentials === undefined) return { refusal: this.#challenge(request, play, NEEDED) };
    return this.#check(request, credentials, access, play);
  }

  /** Whose right it is that something goes on, so that it ends with that. */
  follow(visitor: Visitor, socket: Socket): Disposable {
    const sockets = this.#socketsOf(visitor);
    sockets?.add(socket);
    return { [Symbol.dispose]: () => void sockets?.delete(socket) };
  }

  /** Whether it is the administrator's; else why that is not looked at. */
  async checkPassword(
    request: IncomingMessage,
    username: string,
    password: string,
  ): Promise<Answer | 'right' | 'wrong'> {
    const address = addressOf(request);
    const blocked = this.#blocked(address);
    if (blocked !== undefined) return blocked;
    const underWay = this.#checking.get(address) ?? 0;
    if (underWay >= MAX_CHECKING) return BUSY;
    this.#checking.set(address, underWay + 1);
    try {
      const isRight = (await this.admin?.isRight(username, password)) === true;
      if (isRight) this.#wrong.succeeded(address);
      else this.#tellWrong(request);
      return isRight ? 'right' : 'wrong';
    } catch (error) {
      if (error instanceof HashingBusyError) return BUSY;
      throw error;
    } finally {
      const left = (this.#checking.get(address) ?? 1) - 1;
      if (left === 0) this.#checking.delete(address);
      else this.#checking.set(address, left);
    }
  }

  /** The password is another now: what came in by the old one ends, but for the session that changed it. */
  endOthers(kept: Session | undefined): void {
    this.sessions.endAllBut(kept);
    for (const socket of this.#passwordSockets) socket.destroy();
  }

  tellNotKept(err: unknown): void {
    this.#log.error({ err }, 'cannot write to dataDir: the password for HTTP stays as it was');
  }

  #socketsOf(visitor: Visitor): Set<Socket> | undefined {
    if (visitor.by === 'session') return visitor.session.sockets;
    return visitor.by === 'password' ? this.#passwordSockets : undefined;
  }

  #check(
    request: IncomingMessage,
    credentials: Credentials,
    access: Access,
    play: Login | undefined,
  ): Admission | Promise<Admission> {
    const blocked = this.#blocked(addressOf(request));
    if (blocked !== undefined) return { refusal: blocked };
    const { username, password, token } = credentials;
    if (token !== undefined) {
      const ofMachine = this.#tokens.accessOf(token);
      if (ofMachine === 'read' && access === 'admin') return { refusal: ONLY_READS };
      if (ofMachine !== undefined) return { visitor: { by: 'token', access: ofMachine } };
      if (play?.isToken(token) === true) return { visitor: { by: 'play-login' } };
      return this.#wrongLogin(request, play);
    }
    if (username === undefined || password === undefined) return this.#wrongLogin(request, play);
    if (play?.isPassword(username, password) === true) return { visitor: { by: 'play-login' } };
    return this.#checkAdmin(request, username, password, play);
  }

  #checkAdmin(
    request: IncomingMessage,
    username: string,
    password: string,
    play: Login | undefined,
  ): Admission | Promise<Admission> {
    if (this.admin?.isKnown(username, password) === true) return BY_PASSWORD;
    return this.checkPassword(request, username, password).then((outcome) => {
      if (outcome === 'right') return BY_PASSWORD;
      if (outcome === 'wrong') return { refusal: this.#challenge(request, play, WRONG) };
      return { refusal: outcome };
    });
  }

  #wrongLogin(request: IncomingMessage, play: Login | undefined): Admission {
    this.#tellWrong(request);
    return { refusal: this.#challenge(request, play, WRONG) };
  }

  /** Once for each address and minute. */
  #tellWrong(request: IncomingMessage): void {
    const address = addressOf(request);
    if (this.#wrong.failed(address)) {
      this.#log.warn(
        { address },
        'a wrong login for HTTP; further ones of this address and minute are not told',
      );
    }
  }

  #blocked(address: string): Answer | undefined {
    const waitMs = this.#wrong.blockedForMs(address);
    if (waitMs === 0) return undefined;
    const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) };
    return problem(429, 'too-many-attempts', 'too many wrong logins; wait a minute', headers);
  }

  /** A browser that is told "Basic" asks its user with a window of its own: not where a page of ours asks better. */
  #challenge({ headers }: IncomingMessage, play: Login | undefined, words: string): Answer {
    const takesPassword = (play ?? this.admin)?.username !== undefined;
    const mode = headers['sec-fetch-mode'];
    const isScript =
      mode === undefined
        ? /^Mozilla\//.test(headers['user-agent'] ?? '') && !/text\/html/.test(headers.accept ?? '')
        : mode !== 'navigate';
    const basic = isScript ? 'Session realm="Sluice"' : 'Basic realm="Sluice", charset="UTF-8"';
    const scheme = takesPassword ? basic : 'Bearer realm="Sluice"';
    return problem(401, 'unauthorized', words, { 'www-authenticate': scheme });
  }
}

const NOBODY: Visitor = { by: 'nothing' };
const BY_PASSWORD: Admission = { visitor: { by: 'password' } };
const NEEDED = 'a login is needed';
const WRONG = 'this login is wrong';
const ONLY_READS = problem(403, 'read-only', 'this token may only read (http.tokens: access)');
const BUSY = problem(503, 'busy', 'many log in at this moment; try again', { 'retry-after': '2' });

/** A web page could have its own name point here (DNS rebinding), and read what is for this machine only. */
function hostRefusal({ headers }: IncomingMessage): Answer | undefined {
  if (isLocalHost(headers.host)) return undefined;
  return problem(403, 'forbidden-host', 'expected localhost, 127.0.0.1 or [::1] as Host');
}

function addressOf({ socket }: IncomingMessage): string {
  return peerOf(socket.remoteAddress);
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
