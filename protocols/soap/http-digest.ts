/**
 * HTTP Digest access authentication, the client's side: RFC 7616 with the RFC 2069 form without
 * qop. MD5 and SHA-256, their `-sess` forms not; qop `auth` only.
 */
import { createHash, randomBytes } from 'node:crypto';

const MAX_HEADER_CHARS = 4096;

export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: 'MD5' | 'SHA-256';
  /** As written, to be sent back; undefined when the challenge did not name it. */
  readonly algorithmText: string | undefined;
  readonly hasQop: boolean;
  readonly opaque: string | undefined;
  /** The nonce was too old, the password may be right (RFC 7616 §3.3). */
  readonly stale: boolean;
}

/** The strongest Digest challenge we can answer in these WWW-Authenticate headers. */
export function chooseDigestChallenge(headers: readonly string[]): DigestChallenge | undefined {
  const challenges = headers.flatMap((header) => parseDigestChallenges(header));
  return challenges.find((each) => each.algorithm === 'SHA-256') ?? challenges[0];
}

/** One header may hold several challenges, of several schemes (RFC 9110 §11.6.1). */
function parseDigestChallenges(header: string): DigestChallenge[] {
  return header
    .slice(0, MAX_HEADER_CHARS)
    .split(/(?:^|[,\s])Digest\s+/i)
    .slice(1)
    .flatMap((parameters) => toChallenge(parseParameters(parameters)) ?? []);
}

function parseParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const pattern = /([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/gi;
  for (const [, name, quoted, bare] of text.matchAll(pattern)) {
    const key = name?.toLowerCase() ?? '';
    if (!parameters.has(key)) {
      parameters.set(key, quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1'));
    }
  }
  return parameters;
}

function toChallenge(parameters: ReadonlyMap<string, string>): DigestChallenge | undefined {
  const nonce = parameters.get('nonce');
  const algorithmText = parameters.get('algorithm');
  const algorithm = (algorithmText ?? 'MD5').toUpperCase();
  const qop = parameters.get('qop');
  const hasQop = qop !== undefined && qop !== '';
  if (nonce === undefined || (algorithm !== 'MD5' && algorithm !== 'SHA-256')) return undefined;
  if (hasQop && !qop.split(/[\s,]+/).includes('auth')) return undefined;
  return {
    realm: parameters.get('realm') ?? '',
    nonce,
    algorithm,
    algorithmText,
    hasQop,
    opaque: parameters.get('opaque'),
    stale: parameters.get('stale')?.toLowerCase() === 'true',
  };
}

/** Answers one challenge for as many requests as its nonce lasts. */
export class DigestResponder {
  readonly nonce: string;
  readonly #challenge: DigestChallenge;
  readonly #username: string;
  readonly #password: string;
  #count = 0;

  constructor(challenge: DigestChallenge, username: string, password: string) {
    this.nonce = challenge.nonce;
    this.#challenge = challenge;
    this.#username = username;
    this.#password = password;
  }

  /** The value of the Authorization header. */
  authorize(method: string, uri: string, cnonce = randomBytes(8).toString('hex')): string {
    const { realm, nonce, algorithmText, hasQop, opaque } = this.#challenge;
    this.#count += 1;
    const nc = this.#count.toString(16).padStart(8, '0');
    const ha1 = this.#hash(`${this.#username}:${realm}:${this.#password}`);
    const ha2 = this.#hash(`${method}:${uri}`);
    const middle = hasQop ? `${nonce}:${nc}:${cnonce}:auth` : nonce;
    const parts = [
      `username=${quote(this.#username)}`,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      `uri=${quote(uri)}`,
      `response="${this.#hash(`${ha1}:${middle}:${ha2}`)}"`,
    ];
    if (algorithmText !== undefined) parts.push(`algorithm=${algorithmText}`);
    if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`);
    if (hasQop) parts.push('qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`);
    return `Digest ${parts.join(', ')}`;
  }

  #hash(text: string): string {
    const name = this.#challenge.algorithm === 'MD5' ? 'md5' : 'sha256';
    return createHash(name).update(text).digest('hex');
  }
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
