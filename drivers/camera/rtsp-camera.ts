/**
 * A camera with an RTSP URL. `transport: auto` begins with TCP, which no firewall or busy switch thins out,
 * goes on to UDP and multicast where the camera refuses it, and further where UDP stays silent.
 * What was learned of a camera (transport, keepalive, refused logins) is kept from attempt to attempt.
 */
import { AuthenticationError, ParseError, ProtocolError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { KeepaliveHabit } from '../../protocols/rtsp/keepalive.ts';
import { outOfSessions, RedirectError } from '../../protocols/rtsp/rtsp-session.ts';
import {
  isSameHost,
  parseSourceUrl,
  redactUrl,
  type SourceUrl,
} from '../../protocols/source-url.ts';
import {
  type Credentials,
  type DriverContext,
  emptyStats,
  type SourceStats,
  type StreamDriver,
  type TransportChoice,
} from '../driver.ts';
import { CredentialChooser } from '../onvif/credential-chooser.ts';
import type { TlsTrust } from '../tls-trust.ts';
import { RtspPull } from './rtsp-pull.ts';
import { type LowerTransport, nameOf, nextTransport, TransportError } from './track-setup.ts';

const MAX_REDIRECTS = 5;
/** A camera that forgets its session again so soon is left to the supervisor's patience. */
const RENEWAL_MS = 10_000;
const SESSION_NOT_FOUND = 454;
/** Where RTSP goes through HTTP and the URL states no port. */
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

export interface RtspCameraOptions {
  /** May carry credentials; those given separately win. */
  readonly url: string;
  readonly credentials?: Credentials;
  /** Instead: shared with whoever else logs in to the camera, so that all refusals are counted together. */
  readonly logins?: CredentialChooser;
  readonly transport: TransportChoice;
  /** For multicast: the name of an interface, or one of our addresses. */
  readonly interface?: string | undefined;
  /** For rtsps; left out: the certificate must be of one of the system's authorities. */
  readonly tls?: TlsTrust;
}

export class RtspCamera implements StreamDriver {
  readonly #options: RtspCameraOptions;
  readonly #source: SourceUrl;
  readonly #chooser: CredentialChooser;
  readonly #context: DriverContext;
  readonly #stats: SourceStats = emptyStats();
  readonly #notes = new Set<string>();
  readonly #habit = new KeepaliveHabit();
  /** What worked, or did not fail, last time. */
  #preferred: LowerTransport;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #pull: RtspPull | undefined;

  /** Throws ParseError when the URL is none. */
  constructor(options: RtspCameraOptions, context: DriverContext) {
    const { transport, credentials, logins } = options;
    this.#options = options;
    this.#source = sourceOf(options);
    const known = credentials ?? this.#source.credentials;
    this.#chooser =
      logins ?? new CredentialChooser(known === undefined ? [] : [known], context.now);
    this.#preferred = transport === 'udp' || transport === 'multicast' ? transport : 'tcp';
    this.#context = context;
  }

  get stats(): SourceStats {
    this.#pull?.readCounters();
    return this.#stats;
  }

  get notes(): readonly string[] {
    return [...this.#notes, ...(this.#pull?.notes ?? [])];
  }

  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    let source = this.#source;
    let redirects = 0;
    const tried = new Set<LowerTransport>();
    this.#notes.clear();
    for (;;) {
      try {
        return await this.#pullOnce(source, sink, signal);
      } catch (error) {
        signal.throwIfAborted();
        const used = this.#pull?.transport ?? this.#preferred;
        this.#preferred = used;
        tried.add(used);
        if (error instanceof RedirectError && redirects < MAX_REDIRECTS) {
          redirects += 1;
          source = followRedirect(source, error.location);
        } else if (error instanceof TransportError && this.#mayChangeTransport) {
          this.#preferred = nextTransport(used);
          if (tried.has(this.#preferred)) throw error;
          this.#note(`Changed from ${nameOf(used)}: ${error.message}.`);
        } else if (this.#mayRenew(error)) {
          this.#renewedAtMs = this.#context.now();
          this.#note('The camera forgot the session (454); a new one was begun at once.');
        } else if (error instanceof AuthenticationError && this.#mayTryAnother(error)) {
          this.#context.log.debug('rtsp: next credentials');
        } else {
          throw error;
        }
      }
    }
  }

  async #pullOnce(source: SourceUrl, sink: StreamSink, signal: AbortSignal): Promise<void> {
    // A password goes to the host it was given for, and to no other.
    const credentials = isSameHost(source, this.#source) ? this.#nextCredentials() : undefined;
    const pull = new RtspPull(
      {
        source,
        credentials,
        transport: this.#preferred,
        mayChangeTransport: this.#mayChangeTransport,
        isTunnelled: this.#options.transport === 'http',
        interface: this.#options.interface,
        tls: source.scheme === 'rtsps' ? (this.#options.tls ?? {}) : undefined,
        keepaliveMethod: this.#habit.method,
        stats: this.#stats,
        note: (words) => this.#note(words),
        played: () => this.#chooser.worked(credentials, 'rtsp'),
      },
      this.#context,
    );
    this.#pull = pull;
    try {
      await pull.run(sink, signal);
    } catch (error) {
      this.#learn(pull, credentials, error, signal.aborted);
      throw this.#isRefusal(error) ? (this.#otherReason() ?? error) : error;
    }
  }

  #mayTryAnother(error: AuthenticationError): boolean {
    return error.credentialsSent && this.#chooser.mayTryAnotherByRtsp;
  }

  /** Why a login is refused that is known to be right. */
  #otherReason(): ProtocolError | undefined {
    if (this.#chooser.hasWorked('rtsp')) return outOfSessions('The login');
    if (!this.#chooser.hasWorked('onvif')) return undefined;
    return new ProtocolError(
      'RTSP_ONVIF_LOGIN_REFUSED',
      'RTSP was answered with 401 although ONVIF takes the login',
      401,
    );
  }

  /** What the end of a session tells about the next one. */
  #learn(
    pull: RtspPull,
    credentials: Credentials | undefined,
    error: unknown,
    wasAborted: boolean,
  ): void {
    if (this.#isRefusal(error)) this.#chooser.refused(credentials, 'rtsp');
    const end = error instanceof TransportError ? undefined : pull.sessionEnd(wasAborted);
    if (end === undefined || !this.#habit.learn(end)) return;
    this.#note(
      `The camera ended the session in spite of ${end.method}; ${this.#habit.method} keeps it alive from now on.`,
    );
  }

  #isRefusal(error: unknown): boolean {
    return (
      (error instanceof AuthenticationError && error.credentialsSent) ||
      (error instanceof ProtocolError && error.code === 'RTSP_OUT_OF_SESSIONS')
    );
  }

  /** Throws while refused logins are on hold, without touching the camera. */
  #nextCredentials(): Credentials | undefined {
    try {
      return this.#chooser.next('rtsp');
    } catch (error) {
      throw this.#otherReason() ?? error;
    }
  }

  /** Through TLS only what is interleaved is secret; through HTTP nothing else comes. */
  get #mayChangeTransport(): boolean {
    return this.#options.transport === 'auto' && this.#source.scheme === 'rtsp';
  }

  #mayRenew(error: unknown): boolean {
    return (
      error instanceof ProtocolError &&
      error.status === SESSION_NOT_FOUND &&
      this.#context.now() - this.#renewedAtMs >= RENEWAL_MS
    );
  }

  #note(words: string): void {
    if (this.#notes.has(words)) return;
    this.#notes.add(words);
    this.#context.log.info({ note: words }, 'noted');
  }
}

function sourceOf({ url, transport }: RtspCameraOptions): SourceUrl {
  const source = parseSourceUrl(url);
  const statesPort = /^[a-z]+:\/\/(\[[^\]]*\]|[^/?#:]*):\d/i.test(source.url);
  if (transport !== 'http' || statesPort) return source;
  return { ...source, port: source.scheme === 'rtsps' ? HTTPS_PORT : HTTP_PORT };
}

/** Never from rtsps to rtsp: whoever redirects may be in the middle. */
function followRedirect(from: SourceUrl, location: string): SourceUrl {
  const isAbsolute = /^[a-z]+:\/\//i.test(location);
  if (isAbsolute || URL.canParse(location, from.url)) {
    try {
      const to = parseSourceUrl(isAbsolute ? location : new URL(location, from.url).toString());
      if (from.scheme !== 'rtsps' || to.scheme === 'rtsps') return to;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  }
  throw new ProtocolError(
    'RTSP_REDIRECT',
    `redirected to a place that is not followed: ${redactUrl(location.slice(0, 100))}`,
  );
}
