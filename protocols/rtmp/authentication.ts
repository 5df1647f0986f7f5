/**
 * Authentication of publishers as Adobe's and Limelight's servers do it: the master rejects the
 * connect and says why in the error's description, and the client connects anew with the next
 * part of the exchange in the query of `app` and `tcUrl`. Three connections in all.
 *
 *   1  (nothing)                                 →  "code=403 need auth; authmod=adobe"
 *   2  ?authmod=adobe&user=U                     →  "?reason=needauth&user=U&salt=…&challenge=…&opaque=…"
 *   3  ?authmod=adobe&user=U&challenge=…&response=…&opaque=…
 *
 * Neither is written down in a specification. Limelight's is HTTP Digest with fixed realm and method.
 */
import { createHash, randomBytes } from 'node:crypto';
import { AuthenticationError } from '../../codecs/errors.ts';

export interface RtmpCredentials {
  readonly username: string;
  readonly password: string;
}

/** Whether the description of a rejected connect is part of this exchange. */
export function isAuthenticationDemand(description: string): boolean {
  return /authmod=|need auth|reason=(needauth|authfailed|nosuchuser)/.test(description);
}

/** The query for the next connection; throws when the master has refused for good. */
export function nextAuthQuery(
  description: string,
  credentials: RtmpCredentials | undefined,
  app: string,
  sentQuery: string,
  clientNonce = randomBytes(4).toString('hex'),
): string {
  if (credentials === undefined) {
    throw new AuthenticationError('the master asks for a user name and a password', false);
  }
  if (/reason=(authfailed|nosuchuser)/.test(description)) {
    throw new AuthenticationError('wrong user name or password', true);
  }
  const mode = /authmod=(\w+)/.exec(description)?.[1];
  if (mode !== 'adobe' && mode !== 'llnw') {
    throw new AuthenticationError(`unknown authentication mode ${mode ?? '(none)'}`, true);
  }
  const parameters = parametersOf(description);
  if (parameters.get('reason') !== 'needauth') {
    if (sentQuery !== '') throw new AuthenticationError('the master asks again and again', true);
    return `authmod=${mode}&user=${encodeURIComponent(credentials.username)}`;
  }
  if (sentQuery.includes('response=')) {
    throw new AuthenticationError('wrong user name or password', true);
  }
  return mode === 'adobe'
    ? adobeQuery(credentials, parameters, clientNonce)
    : limelightQuery(credentials, parameters, app, clientNonce);
}

/** base64(MD5(base64(MD5(user salt password)) opaque-or-challenge client-challenge)). */
export function adobeResponse(
  { username, password }: RtmpCredentials,
  salt: string,
  serverPart: string,
  clientChallenge: string,
): string {
  const secret = md5(username + salt + password, 'base64');
  return md5(secret + serverPart + clientChallenge, 'base64');
}

function adobeQuery(
  credentials: RtmpCredentials,
  parameters: ReadonlyMap<string, string>,
  clientChallenge: string,
): string {
  const salt = parameters.get('salt') ?? '';
  const opaque = parameters.get('opaque') ?? '';
  const serverPart = opaque === '' ? (parameters.get('challenge') ?? '') : opaque;
  const response = adobeResponse(credentials, salt, serverPart, clientChallenge);
  const query = `authmod=adobe&user=${encodeURIComponent(credentials.username)}&challenge=${clientChallenge}&response=${response}`;
  return opaque === '' ? query : `${query}&opaque=${opaque}`;
}

/** RFC 2617 §3.2.2 with realm "live", method "publish", qop "auth" and the application as URI. */
function limelightQuery(
  { username, password }: RtmpCredentials,
  parameters: ReadonlyMap<string, string>,
  app: string,
  clientNonce: string,
): string {
  const nonce = parameters.get('nonce') ?? '';
  const path = app.split('?', 1)[0] ?? '';
  const uri = path.includes('/') ? `/${path}` : `/${path}/_definst_`;
  const secret = md5(`${username}:live:${password}`, 'hex');
  const request = md5(`publish:${uri}`, 'hex');
  const response = md5(`${secret}:${nonce}:00000001:${clientNonce}:auth:${request}`, 'hex');
  return `authmod=llnw&user=${encodeURIComponent(username)}&nonce=${nonce}&cnonce=${clientNonce}&nc=00000001&response=${response}`;
}

/** What stands behind the question mark. Values are base64, never percent-encoded. */
function parametersOf(description: string): ReadonlyMap<string, string> {
  const query = /\?([^\s\]]*)/.exec(description)?.[1] ?? '';
  const pairs = query.split('&').map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
  });
  return new Map(pairs);
}

function md5(text: string, encoding: 'base64' | 'hex'): string {
  return createHash('md5').update(text).digest(encoding);
}
