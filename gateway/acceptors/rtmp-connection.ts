/**
 * One client of our RTMP server, whatever carries its bytes: a socket, TLS, an HTTP tunnel. Decides what it may do, and
 * connects its streams with publications and fan-outs. Everything that a client can provoke ends this connection, and nothing else.
 */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../../codecs/errors.ts';
import { MAX_UNREAD_BYTES } from '../../drivers/dial.ts';
import type { ConnectRequest } from '../../protocols/rtmp/connect-request.ts';
import { LOOP_CODE } from '../../protocols/rtmp/publish-session.ts';
import { type ServerDialogue, ServerSession } from '../../protocols/rtmp/server-session.ts';
import type { ServerStream, StreamUse } from '../../protocols/rtmp/server-stream.ts';
import type {
  PlayRequest,
  PublishRequest,
  StreamName,
} from '../../protocols/rtmp/stream-request.ts';
import type { AcceptorConfig } from '../config/schema.ts';
import { toName } from '../names.ts';
import { hevcFormOf, type RtmpFanOuts } from '../viewers/rtmp-fan-outs.ts';
import { RtmpVodPlaying } from '../vod/rtmp-vod-playing.ts';
import { parseVodName, type VodLibrary } from '../vod/vod-library.ts';
import { PublicationRefused, type Publications, type RefusalCode } from './publications.ts';
import type { RtmpLogin, RtmpRight } from './rtmp-login.ts';
import { RtmpPlaying } from './rtmp-playing.ts';
import { RtmpPublishing } from './rtmp-publishing.ts';

/** Above what a player may have waiting (viewers/seat.ts), a GOP and a picture included: it asks and does not read. */
const MAX_PLAYER_BACKLOG_BYTES = 32 * 1024 * 1024;

const MAX_QUOTED_CHARACTERS = 64;

/** What carries a client's bytes. */
export interface RtmpTransport {
  /** What it still holds. */
  readonly backlogBytes: number;
  /** Carries them as they are. */
  readonly socket?: Socket | undefined;
  write(bytes: Uint8Array): void;
  /** Closes when what was written has gone out, or soon. */
  end(): void;
}

/** What all connections of an acceptor have in common. */
export interface RtmpService {
  /** For people: "RTMP", "RTMPS", "RTMPT". */
  readonly protocol: string;
  readonly config: Pick<AcceptorConfig, 'apps' | 'duplicatePublisher' | 'limits'>;
  readonly login: RtmpLogin;
  readonly publications: Publications;
  readonly fanOuts: RtmpFanOuts;
  readonly vod: VodLibrary;
  /** By the name as streams are known here. */
  readonly isLive: (name: string) => boolean;
  readonly log: Logger;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

type State =
  | { readonly at: 'arriving'; readonly timer: NodeJS.Timeout }
  /** Has published or played. */
  | { readonly at: 'welcome' }
  | { readonly at: 'over' };

export class RtmpConnection implements ServerDialogue {
  readonly #transport: RtmpTransport;
  readonly #address: string;
  readonly #service: RtmpService;
  readonly #session: ServerSession;
  readonly #log: Logger;
  #state: State;
  #receivedBytes = 0;
  #request: ConnectRequest | undefined;
  #rights: ReadonlySet<RtmpRight> = new Set();
  #hasPlayed = false;
  /** The length of a file is being looked up: one at a time. */
  #isMeasuring = false;
  /** By message stream. */
  readonly #filesClosed = new Map<number, Promise<void>>();

  constructor(transport: RtmpTransport, address: string, service: RtmpService) {
    this.#transport = transport;
    this.#address = address;
    this.#service = service;
    this.#log = service.log.child({ peer: address });
    const { handshakeMs, streamsPerConnection } = service.config.limits;
    this.#session = new ServerSession(
      this,
      streamsPerConnection,
      (bytes) => this.#write(bytes),
      service.now,
    );
    const timer = setTimeout(
      () => this.end(`it neither published nor played within ${handshakeMs} ms`),
      handshakeMs,
    );
    this.#state = { at: 'arriving', timer };
  }

  /** `chunk` may be changed. */
  push(chunk: Uint8Array): void {
    if (this.#state.at === 'over') return;
    this.#receivedBytes += chunk.length;
    try {
      this.#session.push(chunk);
    } catch (error) {
      if (!isOfClient(error)) throw error;
      this.end(`it cannot be understood: ${error.message}`);
      return;
    }
    if (this.#session.state.at === 'closed') this.end('it was refused, or closed the connection');
    else this.#checkPatience();
  }

  /** The transport is gone. */
  closed(): void {
    this.#finish('it closed the connection');
  }

  /** From our side; `words` say why, for people. */
  end(words: string): void {
    if (this.#state.at === 'over') return;
    this.#log.debug({ words, bytes: this.#receivedBytes }, 'RTMP client sent away');
    this.#finish(words);
    this.#transport.end();
  }

  connect(request: ConnectRequest): string | undefined {
    const { config, login } = this.#service;
    const [app = ''] = request.app.split('/');
    if (!config.apps.includes('*') && !config.apps.includes(app)) {
      const quoted = app.slice(0, MAX_QUOTED_CHARACTERS);
      this.#log.info({ app: quoted }, 'client asks for an application that is not answered (apps)');
      return `[ no such application here: ${quoted} ]`;
    }
    const { rights, refusal, isWrong } = login.atConnect(request, this.#address);
    if (isWrong) this.#log.info({ app }, 'wrong login');
    this.#request = request;
    this.#rights = rights;
    return refusal;
  }

  publish(stream: ServerStream, request: PublishRequest): StreamUse | undefined {
    const { publications, config, now } = this.#service;
    if (!this.#isAllowed('publish', stream, request)) return undefined;
    const { name, publishType } = request;
    try {
      const publication = publications.open({
        name,
        protocol: this.#protocol,
        peer: this.#address,
        via: this.#request?.via ?? [],
        publishType,
        duplicate: config.duplicatePublisher,
        end: (words) => this.#endPublisher(stream, 'Publish.Idle', words),
      });
      stream.begin();
      stream.status('status', 'Publish.Start', `${publication.name} is now published.`);
      this.#welcome();
      return new RtmpPublishing(publication, now, (words) =>
        this.#endPublisher(stream, 'Publish.Rejected', words),
      );
    } catch (error) {
      if (!(error instanceof PublicationRefused)) throw error;
      this.#log.info({ name, code: error.code, words: error.message }, 'publisher refused');
      stream.status('error', PUBLISH_REFUSALS[error.code], error.message);
      return undefined;
    }
  }

  play(stream: ServerStream, request: PlayRequest): StreamUse | undefined {
    if (!this.#isAllowed('play', stream, request)) return undefined;
    const name = toName(request.name, '');
    if (this.#isFile(request, name)) return this.#playFile(stream, request);
    if (name === '') {
      stream.status('error', 'Play.StreamNotFound', 'a stream name needs a letter or a digit');
      return undefined;
    }
    this.#welcome();
    const playing = new RtmpPlaying(stream, name, {
      fanOut: this.#service.fanOuts.for(this.#request?.fourCcs),
      isLive: () => this.#service.isLive(name),
      backlogBytes: () => this.#transport.backlogBytes,
      isEncrypted: this.#session.isEncrypted,
      socket: this.#transport.socket,
      tooSlow: (words) => this.end(words),
    });
    this.#hasPlayed = true;
    playing.start();
    return playing;
  }

  /** Of a file; what is live has none. */
  streamLength({ name, query }: StreamName, answer: (seconds: number) => void): void {
    const { login, vod } = this.#service;
    const isRefused = login.atStream('play', this.#rights, query, this.#address) !== undefined;
    if (isRefused || parseVodName(name) === undefined || this.#isMeasuring) {
      answer(0);
      return;
    }
    this.#isMeasuring = true;
    const measured = vod.open(name).then(async (file) => {
      await file.close();
      return file.durationMs / 1000;
    });
    void measured
      .catch(() => 0)
      .then((seconds) => {
        this.#isMeasuring = false;
        answer(seconds);
      });
  }

  /** Publishers of H.264 call their streams mp4:NAME, too: what is live goes before, unless a time is asked for. */
  #isFile({ name, startMs }: PlayRequest, liveName: string): boolean {
    if (parseVodName(name) === undefined) return false;
    return startMs !== undefined || !this.#service.isLive(liveName);
  }

  #playFile(stream: ServerStream, { name, startMs = 0, lengthMs }: PlayRequest): StreamUse {
    const { vod, now } = this.#service;
    this.#welcome();
    this.#hasPlayed = true;
    // One that follows another waits until that has closed its file.
    const playing = new RtmpVodPlaying(stream, {
      open: () => vod.open(name),
      ready: this.#filesClosed.get(stream.id),
      name,
      startMs,
      lengthMs,
      hevcForm: hevcFormOf(this.#request?.fourCcs),
      backlogBytes: () => this.#transport.backlogBytes,
      now,
      onProblem: (err) => this.#log.info({ err, name }, 'file cannot be played'),
    });
    this.#filesClosed.set(stream.id, playing.run());
    return playing;
  }

  get #protocol(): string {
    return `${this.#service.protocol}${this.#session.isEncrypted ? 'E' : ''}`;
  }

  #isAllowed(
    right: RtmpRight,
    stream: ServerStream,
    { query }: PublishRequest | PlayRequest,
  ): boolean {
    const { login } = this.#service;
    const refusal = login.atStream(right, this.#rights, query, this.#address);
    if (refusal === undefined) return true;
    this.#log.info({ right, words: refusal }, 'login refused');
    const code = right === 'publish' ? 'Publish.Denied' : 'Play.Failed';
    stream.status('error', code, refusal);
    this.end(refusal);
    return false;
  }

  #endPublisher(stream: ServerStream, code: string, words: string): void {
    stream.status('error', code, words);
    this.end(words);
  }

  #welcome(): void {
    if (this.#state.at !== 'arriving') return;
    clearTimeout(this.#state.timer);
    this.#state = { at: 'welcome' };
  }

  #checkPatience(): void {
    const { bytesBeforeLogin } = this.#service.config.limits;
    if (this.#state.at !== 'arriving' || this.#receivedBytes <= bytesBeforeLogin) return;
    this.end(`it has sent more than ${bytesBeforeLogin} bytes, and neither published nor played`);
  }

  #write(bytes: Uint8Array): void {
    if (this.#state.at === 'over') return;
    const maxBytes = this.#hasPlayed ? MAX_PLAYER_BACKLOG_BYTES : MAX_UNREAD_BYTES;
    if (this.#transport.backlogBytes <= maxBytes) this.#transport.write(bytes);
    else this.end('it does not read what it is answered');
  }

  #finish(words: string): void {
    if (this.#state.at === 'over') return;
    if (this.#state.at === 'arriving') clearTimeout(this.#state.timer);
    this.#state = { at: 'over' };
    this.#session.close(words);
  }
}

const PUBLISH_REFUSALS: Readonly<Record<RefusalCode, string>> = {
  'name-taken': 'Publish.BadName',
  'bad-name': 'Publish.BadName',
  busy: 'Publish.Failed',
  loop: LOOP_CODE.replace(/^NetStream\./, ''),
};

function isOfClient(error: unknown): error is Error {
  return (
    error instanceof ParseError ||
    error instanceof ProtocolError ||
    error instanceof UnsupportedError ||
    error instanceof AuthenticationError
  );
}
