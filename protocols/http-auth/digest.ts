/**
 * Digest access authentication: the answer to a challenge. RFC 7616 §3.4, RFC 2617 §3.2.2.
 *
 * MD5 and SHA-256, each also as -sess; qop=auth and the older form without qop.
 * Not handled: qop=auth-int alone, SHA-512-256, user name hashing.
 */
import { createHash } from 'node:crypto';
import type { Challenge } from './challenge.ts';

export interface DigestRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly uri: string;
  readonly username: string;
  readonly password: string;
  readonly cnonce: string;
  /** How often this nonce was used, from 1. */
  readonly nonceCount: number;
}

const HASHES: ReadonlyMap<string, string> = new Map([
  ['MD5', 'md5'],
  ['SHA-256', 'sha256'],
]);

/** 0 when it cannot be answered; the larger, the stronger. */
export function digestStrength(challenge: Challenge): number {
  if (challenge.scheme !== 'digest' || !challenge.parameters.has('nonce')) return 0;
  const { hash } = algorithmOf(challenge);
  if (hash === undefined || qopOf(challenge) === 'unknown') return 0;
  return hash === 'sha256' ? 3 : 2;
}

/** The value of the Authorization header; undefined when the challenge cannot be answered. */
export function digestAnswer(challenge: Challenge, request: DigestRequest): string | undefined {
  const { name, hash, isSession } = algorithmOf(challenge);
  const nonce = challenge.parameters.get('nonce');
  const qop = qopOf(challenge);
  if (hash === undefined || nonce === undefined || qop === 'unknown') return undefined;
  const realm = challenge.parameters.get('realm') ?? '';
  const { username, cnonce } = request;
  const nc = request.nonceCount.toString(16).padStart(8, '0');
  const response = digestResponse({
    ...request,
    hash,
    realm,
    nonce,
    isSession,
    nc: qop === 'auth' ? nc : undefined,
  });
  const fields = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(request.uri)}`,
    `response="${response}"`,
  ];
  if (name !== undefined) fields.push(`algorithm=${name}`);
  const opaque = challenge.parameters.get('opaque');
  if (opaque !== undefined) fields.push(`opaque=${quote(opaque)}`);
  if (qop === 'auth') fields.push('qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`);
  else if (isSession) fields.push(`cnonce="${cnonce}"`);
  return `Digest ${fields.join(', ')}`;
}

export interface DigestFields {
  /** As node:crypto names it. */
  readonly hash: string;
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly nonce: string;
  readonly cnonce: string;
  /** Eight hex digits; undefined: the older form without qop. */
  readonly nc: string | undefined;
  readonly method: string;
  readonly uri: string;
  /** MD5-sess, SHA-256-sess. */
  readonly isSession: boolean;
}

/** RFC 7616 §3.4.1. */
export function digestResponse(fields: DigestFields): string {
  const { hash, username, realm, password, nonce, cnonce, nc, method, uri, isSession } = fields;
  const h = (text: string) => createHash(hash).update(text).digest('hex');
  const secret = h(`${username}:${realm}:${password}`);
  const ha1 = isSession ? h(`${secret}:${nonce}:${cnonce}`) : secret;
  const middle = nc === undefined ? nonce : `${nonce}:${nc}:${cnonce}:auth`;
  return h(`${ha1}:${middle}:${h(`${method}:${uri}`)}`);
}

interface Algorithm {
  /** As the challenge named it, to be echoed; undefined when it named none. */
  readonly name: string | undefined;
  readonly hash: string | undefined;
  readonly isSession: boolean;
}

function algorithmOf(challenge: Challenge): Algorithm {
  const name = challenge.parameters.get('algorithm')?.trim();
  if (name === undefined || name === '') return { name: undefined, hash: 'md5', isSession: false };
  const upper = name.toUpperCase();
  const isSession = upper.endsWith('-SESS');
  const base = isSession ? upper.slice(0, -'-SESS'.length) : upper;
  return { name, hash: HASHES.get(base === 'SHA256' ? 'SHA-256' : base), isSession };
}

function qopOf(challenge: Challenge): 'auth' | 'none' | 'unknown' {
  const qop = challenge.parameters.get('qop');
  if (qop === undefined || qop.trim() === '') return 'none';
  const offered = qop.toLowerCase().split(/[\s,]+/);
  return offered.includes('auth') ? 'auth' : 'unknown';
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
