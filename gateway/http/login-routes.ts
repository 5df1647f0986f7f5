/** `/api/v1/session`, `/login`, `/logout` and `/password`: what the web page asks of logins. */
import type { IncomingMessage } from 'node:http';
import { type Answer, problem, sendAnswer } from './answer.ts';
import type { Gatekeeper, Visitor } from './gatekeeper.ts';
import { HashingBusyError } from './password-hash.ts';
import { passwordProblem } from './password-rules.ts';
import type { HttpCall, Route } from './route.ts';
import type { SessionState } from './session-state.ts';
import { expiredCookie, type Session } from './sessions.ts';

/** Two passwords, each letter six bytes as JSON may write it. */
const MAX_BODY_BYTES = 4_096;
/** No name or password of ours is longer; scrypt takes any length. */
const MAX_TEXT_LENGTH = 512;

const WRONG_LOGIN = problem(401, 'wrong-login', 'user name or password is wrong', {
  // Not "Basic": the page asks better than a browser's own window.
  'www-authenticate': 'Session realm="Sluice"',
});
const WRONG_PASSWORD = problem(401, 'wrong-login', 'the present password is wrong', {
  'www-authenticate': 'Session realm="Sluice"',
});
const CONFIGURED = problem(
  409,
  'configured',
  'the password is not kept here: http.admin in the configuration says it, or no login is needed',
);
const CANNOT_KEEP = problem(
  500,
  'cannot-keep',
  'dataDir cannot be written to: the password is as it was; see the log',
);
const BUSY = problem(503, 'busy', 'many log in at this moment; try again', { 'retry-after': '2' });

export function loginRoutes(gatekeeper: Gatekeeper): Route[] {
  const logins = new Logins(gatekeeper);
  const post = (path: RegExp, run: (call: HttpCall) => Promise<Answer> | Answer): Route => ({
    path,
    // Each looks by itself at who asks.
    access: 'everybody',
    maxBodyBytes: MAX_BODY_BYTES,
    handle: async (call) => sendAnswer(call.response, await run(call)),
  });
  return [
    {
      path: /^\/api\/v1\/session$/,
      access: 'everybody',
      handle: async ({ request, response, query }) =>
        sendAnswer(response, await logins.session(request, query)),
    },
    post(/^\/api\/v1\/login$/, (call) => logins.login(call)),
    post(/^\/api\/v1\/logout$/, (call) => logins.logout(call)),
    post(/^\/api\/v1\/password$/, (call) => logins.setPassword(call)),
  ];
}

class Logins {
  readonly #gatekeeper: Gatekeeper;

  constructor(gatekeeper: Gatekeeper) {
    this.#gatekeeper = gatekeeper;
  }

  async session(request: IncomingMessage, query: URLSearchParams): Promise<Answer> {
    const admission = await this.#gatekeeper.admit('reader', request, query);
    const visitor: Visitor = 'visitor' in admission ? admission.visitor : { by: 'nothing' };
    return { status: 200, body: this.#state(visitor) };
  }

  async login({ request, body }: HttpCall): Promise<Answer> {
    const { sessions, admin } = this.#gatekeeper;
    if (admin === undefined) return { status: 200, body: this.#state({ by: 'machine' }) };
    const { username, password } = textsOf(body);
    if (username === undefined || password === undefined) {
      return problem(400, 'bad-request', 'expected { "username": "…", "password": "…" }');
    }
    const outcome = await this.#gatekeeper.checkPassword(request, username, password);
    if (outcome === 'wrong') return WRONG_LOGIN;
    if (outcome !== 'right') return outcome;
    const before = sessions.find(request);
    if (before !== undefined) sessions.end(before);
    const { session, cookie } = sessions.open(request);
    return this.#withCookie(session, cookie);
  }

  logout({ request }: HttpCall): Answer {
    const { sessions, admin } = this.#gatekeeper;
    const session = sessions.find(request);
    if (session !== undefined) sessions.end(session);
    const body = this.#state({ by: admin === undefined ? 'machine' : 'nothing' });
    return { status: 200, body, headers: { 'set-cookie': expiredCookie(request) } };
  }

  /** Whoever asks is logged in, and knows the present password besides: a browser left open does not suffice. */
  async setPassword({ request, query, body }: HttpCall): Promise<Answer> {
    const { admin, sessions } = this.#gatekeeper;
    const admission = await this.#gatekeeper.admit('admin', request, query);
    if ('refusal' in admission) return admission.refusal;
    if (admin?.canSetPassword !== true) return CONFIGURED;
    const { current, password } = textsOf(body);
    if (current === undefined || password === undefined) {
      return problem(400, 'bad-request', 'expected { "current": "…", "password": "…" }');
    }
    const outcome = await this.#gatekeeper.checkPassword(request, admin.username, current);
    if (outcome === 'wrong') return WRONG_PASSWORD;
    if (outcome !== 'right') return outcome;
    const weak = passwordProblem(password, admin.username, current);
    if (weak !== undefined) return problem(400, 'weak-password', weak);
    try {
      await admin.setPassword(password);
    } catch (error) {
      if (error instanceof HashingBusyError) return BUSY;
      this.#gatekeeper.tellNotKept(error);
      return CANNOT_KEEP;
    }
    const { visitor } = admission;
    const session = visitor.by === 'session' ? visitor.session : undefined;
    this.#gatekeeper.endOthers(session);
    if (session === undefined) return { status: 200, body: this.#state(visitor) };
    return this.#withCookie(session, sessions.renew(session, request));
  }

  #withCookie(session: Session, cookie: string): Answer {
    const body = this.#state({ by: 'session', session });
    return { status: 200, body, headers: { 'set-cookie': cookie } };
  }

  #state(visitor: Visitor): SessionState {
    const { admin } = this.#gatekeeper;
    const access = accessOf(visitor);
    const isAdmin = access === 'admin';
    return {
      access,
      loginNeeded: access === 'none',
      // What strangers need not know.
      mustSetPassword: isAdmin && admin?.mustSetPassword === true,
      canSetPassword: isAdmin && admin?.canSetPassword === true,
      username: isAdmin ? (admin?.username ?? null) : null,
    };
  }
}

function accessOf(visitor: Visitor): SessionState['access'] {
  switch (visitor.by) {
    case 'machine':
    case 'session':
    case 'password':
      return 'admin';
    case 'token':
      return visitor.access;
    case 'play-login':
    case 'nothing':
      return 'none';
  }
}

/** The texts of a JSON object; what is none, or too long, is left out. */
function textsOf(body: Uint8Array): Readonly<Record<string, string | undefined>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(
      Object.entries(value).filter(
        ([, text]) => typeof text === 'string' && text.length <= MAX_TEXT_LENGTH,
      ),
    );
  } catch {
    // No JSON: nothing is given.
    return {};
  }
}
