/**
 * One client's side of HTTP authentication, for RTSP and HTTP alike: remembers the challenge, counts the
 * uses of its nonce, and knows whether another 401 means a stale nonce or a wrong password.
 *
 *   const header = authenticator.authorize(method, uri);   undefined until challenged
 *   … on 401: authenticator.challenge(headers, wasAuthorized) → 'retry' | 'refused' | 'unsupported'
 */
import { randomBytes } from 'node:crypto';
import { type Challenge, parseChallenges } from './challenge.ts';
import { digestAnswer, digestStrength } from './digest.ts';

export interface HttpCredentials {
  readonly username: string;
  readonly password: string;
  /** Never sent as it is (Basic), only as a digest. */
  readonly isSecretive?: boolean;
}

/** For people, after "the camera" or "it". */
export const WANTS_CLEAR_TEXT =
  'asks for the password as it is (Basic). One that is tried on every device found is not sent so, because any device could ask for it; give this device a login of its own';

export interface AnswerContext {
  readonly method: string;
  /** As it stands in the request line. */
  readonly uri: string;
  readonly nonceCount?: number;
  readonly cnonce?: string;
}

/** Answers the strongest of the challenges (SHA-256, then MD5, then Basic); undefined when none can be answered. */
export function answerChallenge(
  wwwAuthenticate: readonly string[],
  credentials: HttpCredentials,
  context: AnswerContext,
): string | undefined {
  const challenge = strongest(parseChallenges(wwwAuthenticate), credentials);
  return challenge && answer(challenge, credentials, context);
}

export class HttpAuthenticator {
  readonly #credentials: HttpCredentials;
  readonly #newCnonce: () => string;
  #challenge: Challenge | undefined;
  #nonceCount = 0;
  /** The credentials were accepted once with a challenge of this session. */
  #wasAccepted = false;

  constructor(credentials: HttpCredentials, newCnonce: () => string = randomCnonce) {
    this.#credentials = credentials;
    this.#newCnonce = newCnonce;
  }

  get wasAccepted(): boolean {
    return this.#wasAccepted;
  }

  /** The Authorization header of the next request; undefined before the first challenge. */
  authorize(method: string, uri: string): string | undefined {
    if (this.#challenge === undefined) return undefined;
    this.#nonceCount += 1;
    const context = { method, uri, nonceCount: this.#nonceCount, cnonce: this.#newCnonce() };
    return answer(this.#challenge, this.#credentials, context);
  }

  /** A request with our Authorization header was answered otherwise than 401. */
  accepted(): void {
    this.#wasAccepted = true;
  }

  /** Takes the challenge of a 401. `sent`: the refused request carried our answer. */
  challenge(
    wwwAuthenticate: readonly string[],
    sent: boolean,
  ): 'retry' | 'refused' | 'unsupported' | 'clear-text' {
    const challenges = parseChallenges(wwwAuthenticate);
    const challenge = strongest(challenges, this.#credentials);
    if (challenge === undefined) {
      if (challenges.some(({ scheme }) => scheme === 'basic')) return 'clear-text';
      return sent ? 'refused' : 'unsupported';
    }
    const isFresh = challenge.parameters.get('nonce') !== this.#challenge?.parameters.get('nonce');
    this.#challenge = challenge;
    if (isFresh) this.#nonceCount = 0;
    if (!sent) return 'retry';
    const isStale = challenge.parameters.get('stale')?.toLowerCase() === 'true';
    // Some cameras let a nonce expire without saying `stale`: right credentials get one more try.
    return isStale || (isFresh && this.#wasAccepted) ? 'retry' : 'refused';
  }
}

function strongest(
  challenges: readonly Challenge[],
  { isSecretive = false }: HttpCredentials,
): Challenge | undefined {
  let best: Challenge | undefined;
  for (const challenge of challenges) {
    if (isSecretive && challenge.scheme === 'basic') continue;
    if (strengthOf(challenge) > (best === undefined ? 0 : strengthOf(best))) best = challenge;
  }
  return best;
}

function strengthOf(challenge: Challenge): number {
  return challenge.scheme === 'basic' ? 1 : digestStrength(challenge);
}

function answer(
  challenge: Challenge,
  credentials: HttpCredentials,
  context: AnswerContext,
): string | undefined {
  const { username, password } = credentials;
  if (challenge.scheme === 'basic') return basicAnswer(username, password);
  const { method, uri, nonceCount = 1, cnonce = randomCnonce() } = context;
  return digestAnswer(challenge, { method, uri, username, password, cnonce, nonceCount });
}

/** RFC 7617 §2, with UTF-8 as of §2.1. */
function basicAnswer(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function randomCnonce(): string {
  return randomBytes(8).toString('hex');
}
