/** A stream at an RTMP server, or at a camera or encoder that is one: pulled as a player does. */
import { AuthenticationError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { type PlayUrl, parsePlayUrl } from '../../protocols/rtmp/play-url.ts';
import type { SourceDescription } from '../catalog.ts';
import { type DriverContext, emptyStats, type SourceStats, type StreamDriver } from '../driver.ts';
import { RtmpPull } from './rtmp-pull.ts';

/** Asked for a login, told how, logged in. */
const MAX_CONNECTIONS = 3;

export class RtmpEncoder implements StreamDriver {
  readonly #description: SourceDescription;
  readonly #source: PlayUrl;
  readonly #context: DriverContext;
  readonly #stats: SourceStats = emptyStats();
  #pull: RtmpPull | undefined;

  /** Throws ParseError when the URL is none. */
  constructor(description: SourceDescription, context: DriverContext) {
    this.#description = description;
    this.#source = parsePlayUrl(description.url);
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
    Object.assign(this.#stats, emptyStats());
    let authQuery = '';
    try {
      for (let count = 0; count < MAX_CONNECTIONS; count += 1) {
        const end = await this.#connection(authQuery, sink, signal);
        if (end.at === 'ended') return;
        authQuery = end.authQuery;
      }
      throw new AuthenticationError('the server asks for the login again and again', true);
    } finally {
      sink.stop();
    }
  }

  #connection(authQuery: string, sink: StreamSink, signal: AbortSignal) {
    const { credentials = this.#source.credentials, tls } = this.#description;
    const options = { source: this.#source, credentials, tls, authQuery, stats: this.#stats };
    this.#pull = new RtmpPull(options, sink, this.#context);
    return this.#pull.run(signal);
  }
}
