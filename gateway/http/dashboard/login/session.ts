/** Who is logged in at the gateway that serves the page, and what changes that (`../../session-state.ts`). */
import type { SessionState } from '../../session-state.ts';
import { fieldOf } from '../field-of.ts';
import { within } from '../within.ts';

/** The server said no, or nothing (`offline`). */
export class SessionRefusal extends Error {
  override readonly name = 'SessionRefusal';
  readonly code: string;
  /** When it makes sense to try again. */
  readonly retryAfterS: number | undefined;

  constructor(code: string, message: string, retryAfterS?: number) {
    super(message);
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

/** Until then there is nothing to see but a login. */
export function mayEnter({ access, mustSetPassword }: SessionState): boolean {
  return access === 'admin' && !mustSetPassword;
}

export function loadSession(): Promise<SessionState> {
  return ask('session');
}

export function logIn(username: string, password: string): Promise<SessionState> {
  return ask('login', { username, password });
}

export function logOut(): Promise<SessionState> {
  return ask('logout', {});
}

export function setPassword(current: string, password: string): Promise<SessionState> {
  return ask('password', { current, password });
}

/** A small box hashes one password after the other. */
const PATIENCE_MS = 30_000;

/** Relative to the page, which may be behind a proxy's path. */
async function ask(what: string, body?: Readonly<Record<string, string>>): Promise<SessionState> {
  const { response, content } = await within(PATIENCE_MS, async (signal) => {
    const response = await answer(`api/v1/${what}`, body, signal);
    return { response, content: await jsonOf(response) };
  });
  if (!response.ok) {
    const { code = 'failed', message = `HTTP ${response.status}` } = errorOf(content);
    const retryAfterS = Number(response.headers.get('retry-after') ?? Number.NaN);
    throw new SessionRefusal(code, message, retryAfterS > 0 ? retryAfterS : undefined);
  }
  const state = sessionOf(content);
  if (state === undefined) throw new SessionRefusal('failed', 'expected the state of the session');
  return state;
}

async function answer(
  path: string,
  body: Readonly<Record<string, string>> | undefined,
  signal: AbortSignal,
): Promise<Response> {
  try {
    if (body === undefined) return await fetch(path, { signal });
    return await fetch(path, {
      signal,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  } catch (error) {
    // The browser's own words say nothing: "Failed to fetch".
    throw new SessionRefusal('offline', String(error));
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // A proxy's page, or nothing.
    return undefined;
  }
}

function errorOf(content: unknown): { readonly code?: string; readonly message?: string } {
  const error = fieldOf(content, 'error');
  const code = fieldOf(error, 'code');
  const message = fieldOf(error, 'message');
  return {
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof message === 'string' ? { message } : {}),
  };
}

function sessionOf(content: unknown): SessionState | undefined {
  const access = fieldOf(content, 'access');
  if (access !== 'none' && access !== 'read' && access !== 'admin') return undefined;
  const username = fieldOf(content, 'username');
  return {
    access,
    loginNeeded: fieldOf(content, 'loginNeeded') === true,
    mustSetPassword: fieldOf(content, 'mustSetPassword') === true,
    canSetPassword: fieldOf(content, 'canSetPassword') === true,
    username: typeof username === 'string' ? username : null,
  };
}
