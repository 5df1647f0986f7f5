/** A stream at an RTMP server, or at a camera or encoder that is one: pulled as a player does. */
import { AuthenticationError } from '../../codecs/errors.ts';
import type { StreamSink } from '../../codecs/stream-sink.ts';
import { type PlayUrl, parsePlayUrl } from '../../protocols/rtmp/play-url.ts';
import type { SourceDescription } from '../catalog.ts';
import {
  type Credentials,
  type DriverContext,
  emptyStats,
  type SourceStats,
  type StreamDriver,
} from '../driver.ts';
import { CredentialChooser } from '../onvif/credential-chooser.ts';
import { RtmpPull } from './rtmp-pull.ts';

/** Asked for a login, told how, logged in. */
const MAX_CONNECTIONS = 3;

export class RtmpEncoder implements StreamDriver {
  readonly #description: SourceDescription;
  readonly #source: PlayUrl;
  readonly #context: DriverContext;
  readonly #stats: SourceStats = emptyStats();
  readonly #chooser: CredentialChooser;
  #pull: RtmpPull | undefined;

  /** Throws ParseError when the URL is none. */
  constructor(description: SourceDescription, context: DriverContext) {
    this.#description = description;
    this.#source = parsePlayUrl(description.url);
    const { credentials = this.#source.credentials } = description;
    this.#chooser = new CredentialChooser(
      credentials === undefined ? [] : [credentials],
      context.now,
    );
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
    // Throws while refused logins are on hold, without touching the server.
    const credentials = this.#chooser.next();
    try {
      await this.#connections(credentials, sink, signal);
    } catch (error) {
      const isRefused = error instanceof AuthenticationError && error.credentialsSent;
      if (isRefused) this.#chooser.refused(credentials);
      throw error;
    } finally {
      sink.stop();
    }
  }

  async #connections(
    credentials: Credentials | undefined,
    sink: StreamSink,
    signal: AbortSignal,
  ): Promise<void> {
    const { tls } = this.#description;
    let authQuery = '';
    for (let count = 0; count < MAX_CONNECTIONS; count += 1) {
      const onAccepted = () => this.#chooser.worked(credentials);
      const options = { source: this.#source, credentials, tls, authQuery, onAccepted };
      this.#pull = new RtmpPull({ ...options, stats: this.#stats }, sink, this.#context);
      const end = await this.#pull.run(signal);
      if (end.at === 'ended') return;
      authQuery = end.authQuery;
    }
    throw new AuthenticationError('the server asks for the login again and again', true);
  }
}
