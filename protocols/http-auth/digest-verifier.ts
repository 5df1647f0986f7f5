/**
 * The server's side of Digest, RFC 7616 §3.3 and §3.4, for the requests of one connection: MD5 and SHA-256, with and
 * without qop. The nonce is the connection's own, so what is overheard there is of no use on another.
 */
import { timingSafeEqual } from 'node:crypto';
import { parseChallenges } from './challenge.ts';
import { digestResponse } from './digest.ts';

/** A login takes a few seconds; who comes later is told that the nonce is stale, and asks nobody for the password again. */
const NONCE_LIFETIME_MS = 300_000;

const HASHES: ReadonlyMap<string, string> = new Map([
  ['MD5', 'md5'],
  ['SHA-256', 'sha256'],
]);

export interface DigestVerifierOptions {
  readonly realm: string;
  readonly newNonce: () => string;
  /** Milliseconds. */
  readonly now: () => number;
}

export interface DigestClaim {
  readonly method: string;
  readonly username: string;
  readonly password: string;
}

export class DigestVerifier {
  readonly #options: DigestVerifierOptions;
  #nonce: string | undefined;
  #nonceAtMs = 0;

  constructor(options: DigestVerifierOptions) {
    this.#options = options;
  }

  /**
   * For WWW-Authenticate, one header each. MD5 is last, because ffmpeg and live555 answer the last one, and know nothing
   * else. Without qop, which many RTSP clients do not know either; with it they may answer all the same.
   */
  challenges(isStale: boolean): string[] {
    const { realm, newNonce, now } = this.#options;
    this.#nonce = newNonce();
    this.#nonceAtMs = now();
    const stale = isStale ? ', stale=true' : '';
    return ['SHA-256', 'MD5'].map(
      (name) => `Digest realm="${realm}", nonce="${this.#nonce}", algorithm=${name}${stale}`,
    );
  }

  /** Judges an Authorization header. 'stale': right, but for a nonce that is no longer, or of another connection. */
  verify(
    authorization: string,
    { method, username, password }: DigestClaim,
  ): 'right' | 'wrong' | 'stale' {
    const [claim] = parseChallenges([authorization]);
    if (claim?.scheme !== 'digest') return 'wrong';
    const get = (name: string) => claim.parameters.get(name) ?? '';
    const algorithm = get('algorithm') || 'MD5';
    const isSession = /-sess$/i.test(algorithm);
    const hash = HASHES.get(algorithm.toUpperCase().replace(/-SESS$/, ''));
    if (hash === undefined || get('username') !== username) return 'wrong';
    const { realm } = this.#options;
    const nonce = get('nonce');
    const expected = digestResponse({
      ...{ hash, username, realm, password, nonce, method, isSession },
      cnonce: get('cnonce'),
      nc: get('qop') === 'auth' ? get('nc') : undefined,
      // As the client has it: some write the path alone, some the URL of the whole presentation for a track of it.
      uri: get('uri'),
    });
    if (!isSame(get('response').toLowerCase(), expected)) return 'wrong';
    const isOver = this.#options.now() - this.#nonceAtMs >= NONCE_LIFETIME_MS;
    return nonce !== this.#nonce || isOver ? 'stale' : 'right';
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
