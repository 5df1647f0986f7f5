/**
 * The answer to a GET for a live stream: redirects followed, login answered, and everything that is no
 * stream told as an error. The body is the caller's.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TLSSocket } from 'node:tls';
import { AuthenticationError, ParseError, ProtocolError } from '../../codecs/errors.ts';
import { HttpAuthenticator, WANTS_CLEAR_TEXT } from '../../protocols/http-auth/authenticator.ts';
import { isSameHost, parseSourceUrl, type SourceUrl } from '../../protocols/source-url.ts';
import type { Credentials } from '../driver.ts';
import { checkPin, type TlsTrust, tlsOptions } from '../tls-trust.ts';

const MAX_REDIRECTS = 5;
/** Asked for a login, logged in, a nonce that had gone stale. */
const MAX_LOGINS = 2;
/** From the request to the head of the answer; cameras that wake up take seconds. */
const ANSWER_TIMEOUT_MS = 10_000;

export const HTTP_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
]);

export interface HttpStreamRequest {
  readonly source: SourceUrl;
  readonly credentials: Credentials | undefined;
  readonly tls: TlsTrust | undefined;
}

/** Settles with an answer 200 whose body has not been read; the body ends when `signal` aborts. */
export async function getStream(
  { source: asked, credentials, tls }: HttpStreamRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let source = asked;
  let authenticator = credentials && new HttpAuthenticator(credentials);
  let redirects = 0;
  let logins = 0;
  for (;;) {
    const path = pathOf(source);
    const authorization = authenticator?.authorize('GET', path);
    const response = await get(source, path, authorization, tls, signal);
    const status = response.statusCode ?? 0;
    if (status === 200) return response;
    response.destroy();
    const { location } = response.headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      redirects += 1;
      if (redirects > MAX_REDIRECTS) throw redirectError('sends us from one place to the next');
      source = redirected(source, location);
      // A password goes to the host it was given for, and to no other.
      if (!isSameHost(source, asked)) authenticator = undefined;
    } else if (status === 403 && authorization !== undefined) {
      // Some devices say so of a wrong password, and of an account that is locked.
      throw new AuthenticationError('it answered 403 to the user name and the password', true);
    } else if (status === 401) {
      logins += 1;
      logIn(authenticator, challengesOf(response), authorization !== undefined, logins);
    } else {
      throw statusError(response);
    }
  }
}

/** Returns when another try with the login is worth it; throws otherwise. */
function logIn(
  authenticator: HttpAuthenticator | undefined,
  challenges: readonly string[],
  wasSent: boolean,
  logins: number,
): void {
  if (authenticator === undefined) {
    throw new AuthenticationError('it asks for a user name and a password', false);
  }
  const verdict = authenticator.challenge(challenges, wasSent);
  if (verdict === 'clear-text') {
    throw new ProtocolError('CLEAR_TEXT_LOGIN', `it ${WANTS_CLEAR_TEXT}`, 401);
  }
  if (verdict === 'unsupported') {
    throw new ProtocolError('HTTP_AUTH', 'it asks for a login of a kind that is not known', 401);
  }
  if (verdict === 'refused' || logins > MAX_LOGINS) {
    throw new AuthenticationError('wrong user name or password', true);
  }
}

function get(
  source: SourceUrl,
  path: string,
  authorization: string | undefined,
  tls: TlsTrust | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const isSecure = source.scheme === 'https';
  const options: RequestOptions = {
    host: source.host,
    port: source.port,
    path,
    agent: false,
    signal,
    // Firmwares end header lines with a bare LF, or send two Content-Lengths.
    insecureHTTPParser: true,
    headers: {
      Accept: '*/*',
      'User-Agent': 'Sluice',
      Connection: 'close',
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    },
    ...(isSecure ? tlsOptions(source.host, tls ?? {}) : {}),
  };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(options);
    const timer = setTimeout(() => {
      request.destroy(new DOMException('no answer to the HTTP request', 'TimeoutError'));
    }, ANSWER_TIMEOUT_MS);
    request.on('socket', (socket) => {
      if (!(socket instanceof TLSSocket) || tls === undefined) return;
      socket.once('secureConnect', () => {
        try {
          checkPin(socket, tls);
        } catch (error) {
          request.destroy(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(signal.aborted ? signal.reason : describeFailure(error));
    });
    // 101: for Node that is neither an answer nor an error.
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      reject(statusError(response));
    });
    request.on('close', () => clearTimeout(timer));
    request.on('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    request.end();
  });
}

/** Never from https to http: whoever redirects may be in the middle. */
function redirected(from: SourceUrl, location: string): SourceUrl {
  if (!URL.canParse(location, from.url)) throw redirectError('names no valid place to go to');
  try {
    const to = parseSourceUrl(new URL(location, from.url).toString(), HTTP_PORTS);
    if (from.scheme !== 'https' || to.scheme === 'https') return to;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
  throw redirectError('sends us to a place that is not https:// or cannot be read');
}

function redirectError(words: string): ProtocolError {
  return new ProtocolError('HTTP_REDIRECT', `its redirect ${words}`);
}

function statusError({ statusCode, statusMessage = '' }: IncomingMessage): ProtocolError {
  const words = statusMessage.replace(/[^\x20-\x7e]/g, '').slice(0, 100);
  return new ProtocolError(
    'HTTP_STATUS',
    `it answered ${statusCode} ${words}`.trimEnd(),
    statusCode,
  );
}

function challengesOf({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.filter(
    (_value, index) =>
      index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'www-authenticate',
  );
}

/** Path and query, as they stand in the URL. */
function pathOf({ url }: SourceUrl): string {
  const [, path = ''] = /^[a-z]+:\/\/[^/?#]*([^#]*)/.exec(url) ?? [];
  const absolute = path.startsWith('/') ? path : `/${path}`;
  // What people paste need not be a valid URL.
  return absolute.replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character));
}

/** Network errors stay as they are; what Node's HTTP parser refuses is the device's fault. */
function describeFailure(error: Error): Error {
  const code = 'code' in error ? String(error.code) : '';
  if (!code.startsWith('HPE_')) return error;
  return new ProtocolError('HTTP_PARSE', `it does not speak HTTP: ${error.message}`);
}
