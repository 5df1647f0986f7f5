/**
 * Who has logged in on the web page: a random number in a cookie, kept here as its hash. Sessions are in memory only, so
 * that there is nothing to steal from a card, and a restart ends them.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** A page that is looked at has a connection open and is not idle. */
const IDLE_MS = 3 * 24 * 3600 * 1000;
/** Whatever is done with it. */
const MAX_AGE_MS = 14 * 24 * 3600 * 1000;
/** One administrator's browsers; the one not used for longest goes. */
const MAX_SESSIONS = 64;
/** 256 bits. */
const TOKEN_BYTES = 32;

export class Session {
  readonly startedMs: number;
  lastUsedMs: number;
  /** What goes on by its right: WebSockets, streams. */
  readonly sockets = new Set<Socket>();
  /** A connection that was upgraded asks nothing again. */
  expiry: NodeJS.Timeout | undefined;

  constructor(nowMs: number) {
    this.startedMs = nowMs;
    this.lastUsedMs = nowMs;
  }
}

export class Sessions {
  readonly #now: () => number;
  /** The least lately used first. */
  readonly #byHash = new Map<string, Session>();

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The value of the Set-Cookie header with it. */
  open(request: IncomingMessage): { readonly session: Session; readonly cookie: string } {
    for (const leastUsed of [...this.#byHash.values()]) {
      if (this.#byHash.size < MAX_SESSIONS) break;
      this.end(leastUsed);
    }
    const session = new Session(this.#now());
    session.expiry = setTimeout(() => this.end(session), MAX_AGE_MS).unref();
    return { session, cookie: this.#give(session, request) };
  }

  /** From now on it has another number. */
  renew(session: Session, request: IncomingMessage): string {
    this.#forget(session);
    return this.#give(session, request);
  }

  find(request: IncomingMessage): Session | undefined {
    const token = cookieOf(request);
    if (token === undefined) return undefined;
    const hash = hashOf(token);
    const session = this.#byHash.get(hash);
    if (session === undefined) return undefined;
    const nowMs = this.#now();
    const isIdle = session.sockets.size === 0 && nowMs - session.lastUsedMs >= IDLE_MS;
    if (isIdle || nowMs - session.startedMs >= MAX_AGE_MS) {
      this.end(session);
      return undefined;
    }
    session.lastUsedMs = nowMs;
    this.#byHash.delete(hash);
    this.#byHash.set(hash, session);
    return session;
  }

  end(session: Session): void {
    clearTimeout(session.expiry);
    this.#forget(session);
    for (const socket of session.sockets) socket.destroy();
  }

  endAllBut(kept: Session | undefined): void {
    for (const session of [...this.#byHash.values()]) if (session !== kept) this.end(session);
  }

  #give(session: Session, request: IncomingMessage): string {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    this.#byHash.set(hashOf(token), session);
    return `${nameFor(request)}=${token}; ${attributesFor(request)}; Max-Age=${MAX_AGE_MS / 1000}`;
  }

  #forget(session: Session): void {
    for (const [hash, known] of this.#byHash) if (known === session) this.#byHash.delete(hash);
  }
}

/** The value of a Set-Cookie header that takes it away. */
export function expiredCookie(request: IncomingMessage): string {
  return `${nameFor(request)}=; ${attributesFor(request)}; Max-Age=0`;
}

/** Browsers give a cookie to every port of a host: gateways on one host would log one another's users out. */
function nameFor({ socket }: IncomingMessage): string {
  const name = `sluice-${socket.localPort}`;
  return isTls(socket) ? `__Host-${name}` : name;
}

function attributesFor({ socket }: IncomingMessage): string {
  return `Path=/; HttpOnly; SameSite=Strict${isTls(socket) ? '; Secure' : ''}`;
}

function isTls(socket: Socket): boolean {
  return socket instanceof TLSSocket;
}

/** The first of that name (RFC 6265 §5.4: the one with the longest path, and ours is for all). */
function cookieOf(request: IncomingMessage): string | undefined {
  const { cookie } = request.headers;
  if (cookie === undefined) return undefined;
  const start = `${nameFor(request)}=`;
  const pair = cookie
    .split(';')
    .map((text) => text.trim())
    .find((text) => text.startsWith(start));
  return pair?.slice(start.length);
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
