/**
 * A camera with an RTSP URL. `transport: auto` begins with TCP, which no firewall or busy switch
 * thins out, and goes over to UDP where the camera refuses TCP, and back where UDP stays silent.
 */
import { ParseError, ProtocolError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { RedirectError } from '../../protocols/rtsp/rtsp-session.ts';
import { parseSourceUrl, type SourceUrl } from '../../protocols/source-url.ts';
import {
  type Credentials,
  type DriverContext,
  emptyStats,
  type SourceStats,
  type StreamDriver,
} from '../driver.ts';
import type { TlsTrust } from '../tls-trust.ts';
import { RtspPull, TransportError } from './rtsp-pull.ts';

const MAX_REDIRECTS = 5;

export interface RtspCameraOptions {
  /** May carry credentials; those given separately win. */
  readonly url: string;
  readonly credentials?: Credentials;
  readonly transport: 'auto' | 'tcp' | 'udp';
  /** For rtsps; left out: the certificate must be of one of the system's authorities. */
  readonly tls?: TlsTrust;
}

export class RtspCamera implements StreamDriver {
  readonly #source: SourceUrl;
  readonly #credentials: Credentials | undefined;
  readonly #transport: 'auto' | 'tcp' | 'udp';
  readonly #tls: TlsTrust;
  readonly #context: DriverContext;
  readonly #stats: SourceStats = emptyStats();
  /** What worked, or did not fail, last time. */
  #preferred: 'tcp' | 'udp';
  #pull: RtspPull | undefined;

  /** Throws ParseError when the URL is none. */
  constructor(options: RtspCameraOptions, context: DriverContext) {
    this.#source = parseSourceUrl(options.url);
    this.#credentials = options.credentials ?? this.#source.credentials;
    this.#transport = options.transport;
    this.#preferred = options.transport === 'udp' ? 'udp' : 'tcp';
    this.#tls = options.tls ?? {};
    this.#context = context;
  }

  get stats(): SourceStats {
    this.#pull?.readCounters();
    return this.#stats;
  }

  get notes(): readonly string[] {
    return this.#pull?.notes ?? [];
  }

  async run(sink: StreamSink, signal: AbortSignal): Promise<void> {
    let source = this.#source;
    let redirects = 0;
    let hasSwitched = false;
    for (;;) {
      try {
        return await this.#pullOnce(source, sink, signal);
      } catch (error) {
        signal.throwIfAborted();
        const used = this.#pull?.transport ?? this.#preferred;
        hasSwitched ||= used !== this.#preferred;
        this.#preferred = used;
        if (error instanceof RedirectError && redirects < MAX_REDIRECTS) {
          redirects += 1;
          source = followRedirect(source, error.location);
        } else if (this.#transport === 'auto' && !hasSwitched && error instanceof TransportError) {
          hasSwitched = true;
          this.#preferred = this.#preferred === 'tcp' ? 'udp' : 'tcp';
          this.#context.log.info({ transport: this.#preferred, err: error }, 'changing transport');
        } else {
          throw error;
        }
      }
    }
  }

  async #pullOnce(source: SourceUrl, sink: StreamSink, signal: AbortSignal): Promise<void> {
    // A password goes to the host it was given for, and to no other.
    const isSameHost = source.host === this.#source.host;
    const pull = new RtspPull(
      {
        source,
        credentials: isSameHost ? this.#credentials : undefined,
        transport: this.#preferred,
        mayChangeTransport: this.#transport === 'auto',
        tls: source.scheme === 'rtsps' ? this.#tls : undefined,
        stats: this.#stats,
      },
      this.#context,
    );
    this.#pull = pull;
    await pull.run(sink, signal);
  }
}

/** Never from rtsps to rtsp: whoever redirects may be in the middle. */
function followRedirect(from: SourceUrl, location: string): SourceUrl {
  const absolute = /^[a-z]+:\/\//i.test(location)
    ? location
    : new URL(location, from.url).toString();
  try {
    const to = parseSourceUrl(absolute);
    if (from.scheme !== 'rtsps' || to.scheme === 'rtsps') return to;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
  throw new ProtocolError(
    'RTSP_REDIRECT',
    `redirected to a place that is not followed: ${location.slice(0, 100)}`,
  );
}
