/**
 * The client's side of an RTSP dialogue over one connection, RFC 2326: requests and their answers,
 * login, session and keepalive. Bytes in by `push`, bytes out by the given `write`.
 */
import timers from 'node:timers/promises';
import { AuthenticationError, ParseError, ProtocolError } from '../../codecs/errors.ts';
import {
  HttpAuthenticator,
  type HttpCredentials,
  WANTS_CLEAR_TEXT,
} from '../http-auth/authenticator.ts';
import { parseSdp, type SessionDescription } from '../sdp/sdp.ts';
import { redactUrl } from '../source-url.ts';
import { AwaitedAnswers, type OnAnswer, toError } from './awaited-answers.ts';
import { baseUrl } from './control-url.ts';
import { keepaliveIntervalMs, keepaliveMethod } from './keepalive.ts';
import {
  type RtspMessage,
  type RtspResponse,
  serializeRequest,
  serializeResponse,
} from './message.ts';
import { RtspParser } from './rtsp-parser.ts';
import {
  parseRtpInfo,
  parseSession,
  parseTransport,
  type RtpInfo,
  type SessionHeader,
  serializeTransport,
  type TransportAnswer,
  type TransportRequest,
} from './transport.ts';

/** How long a clean end may wait for the answer to TEARDOWN. */
const TEARDOWN_TIMEOUT_MS = 500;
/** Asked for again and again by a nonce that never lasts: stop. */
const MAX_LOGIN_ROUNDS = 4;
/** What some cameras ask to see whether we are alive, or tell; RFC 2326 §10. */
const POLITE_METHODS: ReadonlySet<string> = new Set([
  'OPTIONS',
  'GET_PARAMETER',
  'SET_PARAMETER',
  'ANNOUNCE',
]);

export interface RtspSessionOptions {
  /** Without user-info. */
  readonly url: string;
  readonly credentials: HttpCredentials | undefined;
  readonly write: (bytes: Uint8Array) => void;
  readonly onFrame: (channel: number, bytes: Uint8Array, start: number, end: number) => void;
  /** Instead of the verb that `Public` suggests. */
  readonly keepaliveMethod?: string | undefined;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
}

/** How the session is kept alive; the last keepalive is undefined before the first one. */
export interface KeepaliveFacts {
  readonly method: string;
  readonly timeoutMs: number;
  readonly sentAtMs: number | undefined;
  readonly isAnswered: boolean;
}

/** The camera sends us elsewhere (301, 302, 303, 307, 308). */
export class RedirectError extends Error {
  override readonly name = 'RedirectError';
  readonly location: string;

  constructor(location: string) {
    super(`redirected to ${redactUrl(location.slice(0, 100))}`);
    this.location = location;
  }
}

export interface Description {
  readonly sdp: SessionDescription;
  /** What relative control URLs are joined to. */
  readonly base: string;
}

type SessionState =
  | { readonly at: 'open' }
  | { readonly at: 'ready'; readonly session: SessionHeader }
  | { readonly at: 'closed'; readonly cause: Error };

export class RtspSession {
  readonly #options: RtspSessionOptions;
  readonly #parser: RtspParser;
  readonly #authenticator: HttpAuthenticator | undefined;
  readonly #awaited = new AwaitedAnswers((words) => this.#noAnswer(words));
  readonly #channels = new Set<number>();
  #state: SessionState = { at: 'open' };
  #cseq = 0;
  #publicMethods: string | undefined;
  #keepaliveSentAtMs: number | undefined;
  #isKeepaliveAnswered = false;

  constructor(options: RtspSessionOptions) {
    this.#options = options;
    const { credentials } = options;
    this.#authenticator =
      credentials === undefined ? undefined : new HttpAuthenticator(credentials);
    this.#parser = new RtspParser({
      frame: options.onFrame,
      message: (message) => this.#message(message),
      webServer: refuseWebServer,
      isChannel: (channel) => this.#channels.has(channel),
    });
  }

  /** Takes what came over the connection. Throws ParseError or ProtocolError when it is no RTSP. */
  push(bytes: Uint8Array): void {
    this.#parser.push(bytes);
  }

  /** The connection is gone: whoever waits for an answer learns why. */
  close(cause: Error): void {
    if (this.#state.at === 'closed') return;
    this.#state = { at: 'closed', cause };
    this.#awaited.fail(cause);
  }

  /** Learns which methods there are; cameras without OPTIONS are tolerated. */
  async options(signal: AbortSignal): Promise<void> {
    const response = await this.#exchange('OPTIONS', this.#options.url, {}, signal);
    if (response.status !== 200) return;
    this.#publicMethods = response.headers.get('public');
  }

  async describe(signal: AbortSignal): Promise<Description> {
    const { url } = this.#options;
    const response = await this.#request('DESCRIBE', url, { Accept: 'application/sdp' }, signal);
    const text = new TextDecoder().decode(response.body);
    const contentType = response.headers.get('content-type') ?? 'application/sdp';
    if (!/^application\/sdp\b/i.test(contentType) && !/^\s*v=/.test(text)) {
      throw new ProtocolError(
        'RTSP_CONTENT_TYPE',
        `DESCRIBE answered with ${contentType.slice(0, 80)} instead of SDP`,
      );
    }
    const base = baseUrl(
      url,
      response.headers.get('content-base'),
      response.headers.get('content-location'),
    );
    return { sdp: parseSdp(text), base };
  }

  async setup(
    url: string,
    transport: TransportRequest,
    signal: AbortSignal,
  ): Promise<TransportAnswer> {
    const asked = serializeTransport(transport);
    const response = await this.#request('SETUP', url, { Transport: asked }, signal);
    this.#takeSession(response);
    return parseTransport(response.headers.get('transport') ?? asked);
  }

  /** `onRtpInfo` is called before any media that comes behind the answer, even in the same read. */
  async play(
    url: string,
    onRtpInfo: (rtpInfo: readonly RtpInfo[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const onAnswer = ({ status, headers }: RtspResponse) => {
      if (status === 200) onRtpInfo(parseRtpInfo(headers.get('rtp-info') ?? ''));
    };
    const response = await this.#request('PLAY', url, { Range: 'npt=0.000-' }, signal, onAnswer);
    // Some name the session only now.
    if (this.#state.at === 'open') this.#takeSession(response);
  }

  get keepalive(): KeepaliveFacts {
    return {
      method: this.#options.keepaliveMethod ?? keepaliveMethod(this.#publicMethods),
      timeoutMs: this.#timeoutMs,
      sentAtMs: this.#keepaliveSentAtMs,
      isAnswered: this.#isKeepaliveAnswered,
    };
  }

  /** A camera that names no session keeps none, or goes by its connection: ask now and then. */
  get #timeoutMs(): number {
    return this.#state.at === 'ready' ? this.#state.session.timeoutMs : 60_000;
  }

  #takeSession({ headers }: RtspResponse): void {
    const session = headers.get('session');
    if (session !== undefined) this.#state = { at: 'ready', session: parseSession(session) };
  }

  /**
   * Keeps the session alive until `signal` aborts: by the verb the camera offers, well before the
   * timeout it stated. Answers do not matter, save 454: the camera has forgotten the session.
   */
  async keepAlive(url: string, signal: AbortSignal): Promise<void> {
    const { method } = this.keepalive;
    while (!signal.aborted) {
      await timers.setTimeout(keepaliveIntervalMs(this.#timeoutMs), undefined, { signal });
      this.#keepaliveSentAtMs = this.#options.now();
      this.#isKeepaliveAnswered = false;
      const response = await this.#exchange(method, url, {}, signal).catch((error: unknown) => {
        // Cameras that play but do not answer keepalives exist; the media watchdog sees a dead one.
        if (signal.aborted || this.#state.at === 'closed' || !isTimeout(error)) throw error;
      });
      this.#isKeepaliveAnswered = response !== undefined;
      if (response?.status === 454) {
        throw new ProtocolError(
          'RTSP_SESSION_LOST',
          'the camera has forgotten the session (454)',
          454,
        );
      }
    }
  }

  /** Frames of this track come over these channels, whatever the answer to SETUP said of others. */
  expectChannels(...channels: readonly number[]): void {
    for (const channel of channels) this.#channels.add(channel);
  }

  /** Best effort, bounded in time, never throws. */
  async teardown(url: string): Promise<void> {
    if (this.#state.at !== 'ready') return;
    try {
      await this.#exchange('TEARDOWN', url, {}, AbortSignal.timeout(TEARDOWN_TIMEOUT_MS));
    } catch {
      // The connection is closed next in any case.
    }
  }

  /** Like `#exchange`, for requests whose failure ends the attempt. */
  async #request(
    method: string,
    uri: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    onAnswer?: OnAnswer,
  ): Promise<RtspResponse> {
    const response = await this.#exchange(method, uri, headers, signal, onAnswer);
    const { status, reason } = response;
    if (status >= 200 && status < 300) return response;
    const location = response.headers.get('location');
    if (status >= 300 && status < 400 && location !== undefined) throw new RedirectError(location);
    throw new ProtocolError(
      'RTSP_STATUS',
      `${method} was answered with ${status} ${reason.slice(0, 80)}`,
      status,
    );
  }

  /** One request and its answer, logging in when asked to. */
  async #exchange(
    method: string,
    uri: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    onAnswer?: OnAnswer,
  ): Promise<RtspResponse> {
    for (let round = 1; ; round += 1) {
      const authorization = this.#authenticator?.authorize(method, uri);
      const login: Record<string, string> =
        authorization === undefined ? {} : { Authorization: authorization };
      const response = await this.#send(method, uri, { ...headers, ...login }, signal, onAnswer);
      if (response.status !== 401) {
        if (authorization !== undefined) this.#authenticator?.accepted();
        return response;
      }
      this.#logIn(method, response, authorization !== undefined, round);
    }
  }

  /** Takes the challenge of a 401, or throws when there is no use in trying again. */
  #logIn(method: string, response: RtspResponse, wasSent: boolean, round: number): void {
    if (this.#authenticator === undefined) {
      throw new AuthenticationError(
        `${method} was answered with 401: the camera wants a user name and a password`,
        false,
      );
    }
    const challenges = response.headers.getAll('www-authenticate');
    const verdict = this.#authenticator.challenge(challenges, wasSent);
    if (verdict === 'clear-text') {
      throw new ProtocolError('CLEAR_TEXT_LOGIN', `the camera ${WANTS_CLEAR_TEXT}`, 401);
    }
    if (verdict === 'unsupported') {
      throw new ProtocolError(
        'RTSP_AUTH_SCHEME',
        `the camera asks for a login of a kind that is not known here: ${challenges.join(', ').slice(0, 120)}`,
        401,
      );
    }
    if (verdict === 'retry' && round < MAX_LOGIN_ROUNDS) return;
    // Dahua and others answer so when they are out of sessions (rroller/dahua#603).
    if (this.#authenticator.wasAccepted) throw outOfSessions(method);
    throw new AuthenticationError(
      `${method} was answered with 401: the user name or the password is wrong`,
      true,
    );
  }

  #send(
    method: string,
    uri: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    onAnswer: OnAnswer | undefined,
  ): Promise<RtspResponse> {
    if (this.#state.at === 'closed') return Promise.reject(this.#state.cause);
    if (signal.aborted) return Promise.reject(toError(signal.reason));
    this.#cseq += 1;
    const cseq = this.#cseq;
    const all: [string, string][] = [
      ['CSeq', String(cseq)],
      ['User-Agent', 'Sluice'],
      ...Object.entries(headers),
    ];
    if (this.#state.at === 'ready') all.push(['Session', this.#state.session.id]);
    const answer = this.#awaited.wait(method, cseq, signal, onAnswer);
    this.#write(serializeRequest(method, uri, all));
    return answer;
  }

  /** Noise is not silence: who sends something else is found at a wrong port, not behind a firewall. */
  #noAnswer(words: string): Error {
    const { hasUnderstood, skippedBytes } = this.#parser;
    return hasUnderstood || skippedBytes === 0
      ? new DOMException(words, 'TimeoutError')
      : new ParseError(`${words}, but ${skippedBytes} bytes that are no RTSP`);
  }

  #write(text: string): void {
    this.#options.write(new TextEncoder().encode(text));
  }

  #message(message: RtspMessage): void {
    if (message.kind === 'request') {
      const cseq = message.headers.get('cseq') ?? '0';
      const [status, reason] = POLITE_METHODS.has(message.method)
        ? [200, 'OK']
        : [501, 'Not Implemented'];
      this.#write(serializeResponse(status, reason, [['CSeq', cseq]]));
      return;
    }
    this.#awaited.answered(message);
  }
}

function refuseWebServer(status: number): never {
  throw new ProtocolError(
    'RTSP_WEB_SERVER',
    `answers as a web server (HTTP ${status}), not RTSP. Check the port of the source URL: RTSP is usually at 554; where it comes through HTTP, set transport: http`,
  );
}

/** 401 for credentials that were right before. */
export function outOfSessions(method: string): ProtocolError {
  return new ProtocolError(
    'RTSP_OUT_OF_SESSIONS',
    `${method} was answered with 401 although the password was right before`,
    401,
  );
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}
