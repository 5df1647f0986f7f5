/** Whether a client of our RTSP server may do what it asks: by Digest, or by a token in the URL. Once for a connection. */
import type { HttpCredentials } from '../http-auth/authenticator.ts';
import { DigestVerifier } from '../http-auth/digest-verifier.ts';
import type { RtspRequest } from './message.ts';
import { RtspError } from './rtsp-error.ts';

export type Action = 'play' | 'publish';

/** Who may do one of the two. */
export interface ServerAccess {
  readonly isOpen: boolean;
  /** What Digest is asked for; undefined: only a token is a login. */
  readonly credentials: HttpCredentials | undefined;
  isToken(token: string): boolean;
  /** It guesses: it is not listened to for a while. */
  isBlocked(): boolean;
  failed(): void;
}

export class ServerLogin {
  readonly #access: Readonly<Record<Action, ServerAccess>>;
  readonly #verifier: DigestVerifier;
  /** What this connection has logged in for; the nonce may end, the login stays. */
  readonly #allowed = new Set<Action>();

  constructor(
    access: Readonly<Record<Action, ServerAccess>>,
    nonces: { readonly newNonce: () => string; readonly now: () => number },
  ) {
    this.#access = access;
    this.#verifier = new DigestVerifier({ realm: 'Sluice', ...nonces });
  }

  /** Throws what the client is answered when it may not. */
  authorize(action: Action, { method, headers }: RtspRequest, token: string | undefined): void {
    const access = this.#access[action];
    if (access.isOpen || this.#allowed.has(action)) return;
    if (access.isBlocked()) throw new RtspError(403);
    const authorization = headers.get('authorization');
    const verdict = this.#judge(access, authorization, method, token);
    if (verdict === 'right') {
      this.#allowed.add(action);
      return;
    }
    if (verdict === 'wrong') access.failed();
    if (access.credentials === undefined) throw new RtspError(403);
    const challenges = this.#verifier.challenges(verdict === 'stale');
    throw new RtspError(
      401,
      challenges.map((each) => ['WWW-Authenticate', each]),
    );
  }

  #judge(
    access: ServerAccess,
    authorization: string | undefined,
    method: string,
    token: string | undefined,
  ): 'right' | 'wrong' | 'stale' | 'nothing' {
    const { credentials } = access;
    if (token !== undefined && access.isToken(token)) return 'right';
    if (authorization !== undefined && credentials !== undefined) {
      return this.#verifier.verify(authorization, { method, ...credentials });
    }
    return token === undefined ? 'nothing' : 'wrong';
  }
}
