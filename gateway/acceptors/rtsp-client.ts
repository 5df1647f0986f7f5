/** One connection of an RTSP client: its dialogue, and the player or publisher that it becomes. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { ParseError, ProtocolError, UnsupportedError } from '../../codecs/errors.ts';
import type { Track } from '../../codecs/track.ts';
import { isSameFormat } from '../../protocols/rtp/packetize/payload-formats.ts';
import { RtspError } from '../../protocols/rtsp/rtsp-error.ts';
import type {
  PlayedStream,
  ServerHost,
  TrackBeginning,
  TrackTransport,
} from '../../protocols/rtsp/server-host.ts';
import type { Action, ServerAccess } from '../../protocols/rtsp/server-login.ts';
import { RtspServerSession, SESSION_TIMEOUT_MS } from '../../protocols/rtsp/server-session.ts';
import type { SessionDescription } from '../../protocols/sdp/sdp.ts';
import type { AcceptorConfig } from '../config/schema.ts';
import type { Hub } from '../hub/hub.ts';
import { plainAddress } from '../peer.ts';
import type { FanOut, Viewing } from '../viewers/fan-out.ts';
import type { Access } from './access.ts';
import { DescribedStream } from './described-stream.ts';
import { PublicationRefused, type Publications } from './publications.ts';
import { RtspPublisher } from './rtsp-publisher.ts';
import { RtspViewer, type ViewedTrack } from './rtsp-viewer.ts';
import type { UdpPair, UdpPorts } from './udp-ports.ts';

/** What is said last may still go out. */
const LAST_WORDS_MS = 500;
/** 8 Mbit/s for a second: an answer that waits behind more has a client that reads nothing. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** Above what a player may have waiting on its connection (viewers/seat.ts), a GOP and a picture included. */
const MAX_PLAYER_UNREAD_BYTES = 32 * 1024 * 1024;

export interface RtspClientContext {
  readonly config: AcceptorConfig;
  readonly hub: Hub;
  readonly publications: Publications;
  readonly fanOut: FanOut;
  readonly ports: UdpPorts;
  readonly access: Readonly<Record<Action, Access>>;
  /** Of our reports. */
  readonly cname: string;
  readonly isEncrypted: boolean;
  readonly log: Logger;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  readonly closed: (client: RtspClient) => void;
}

type Role =
  | { readonly is: 'undecided' }
  | {
      readonly is: 'player';
      readonly streamName: string;
      readonly tracks: Map<number, ViewedTrack>;
      playing: { readonly viewer: RtspViewer; readonly viewing: Viewing } | undefined;
    }
  | { readonly is: 'publisher'; readonly publisher: RtspPublisher };

export class RtspClient implements ServerHost {
  readonly #socket: Socket;
  readonly #peer: string;
  readonly #context: RtspClientContext;
  readonly #session: RtspServerSession;
  readonly #openedAtMs: number;
  readonly #described: DescribedStream;
  #role: Role = { is: 'undecided' };
  #hasBeenActive = false;
  #bytesBefore = 0;
  #isClosed = false;

  constructor(socket: Socket, peer: string, context: RtspClientContext) {
    this.#socket = socket;
    this.#peer = peer;
    this.#context = context;
    this.#openedAtMs = context.now();
    this.#described = new DescribedStream(context.hub, plainAddress(socket.localAddress));
    this.#session = new RtspServerSession({
      host: this,
      access: { play: this.#accessTo('play'), publish: this.#accessTo('publish') },
      write: (bytes) => this.#write(bytes),
      now: context.now,
      newId: () => randomBytes(16).toString('hex'),
    });
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', (err) => this.close(`its connection broke: ${err.message}`));
    socket.on('close', () => this.close('it closed the connection'));
  }

  /** Every second. */
  look(nowMs: number): void {
    const { handshakeMs } = this.#context.config.limits;
    if (!this.#hasBeenActive && nowMs - this.#openedAtMs >= handshakeMs) {
      this.close(`neither played nor published within ${handshakeMs / 1000} s`);
    } else if (this.#mayBeGone && nowMs - this.#session.heardAtMs >= SESSION_TIMEOUT_MS) {
      this.close(`nothing was heard of it for ${SESSION_TIMEOUT_MS / 1000} s`);
    }
  }

  report(): void {
    if (this.#role.is === 'publisher') this.#role.publisher.report();
  }

  /** Who plays over its connection is there as long as that is; of others a sign of life is asked. */
  get #mayBeGone(): boolean {
    if (!this.#session.isActive || this.#role.is !== 'player') return true;
    return [...this.#role.tracks.values()].some(({ pair }) => pair !== undefined);
  }

  describe(name: string): Promise<PlayedStream> {
    return this.#described.describe(name);
  }

  lookUp(name: string): Promise<PlayedStream> {
    return this.#described.lookUp(name);
  }

  announce(name: string, description: SessionDescription): void {
    const { log, now } = this.#context;
    try {
      const publisher = new RtspPublisher({
        ...{ name, description, now, ssrc: randomInt(2 ** 32) },
        sendInterleaved: (channel, packet) => this.#sendInterleaved(channel, packet),
      });
      if (publisher.leftOut.length > 0) log.info({ leftOut: publisher.leftOut }, 'left out');
      this.#leave('it announced another stream');
      this.#role = { is: 'publisher', publisher };
    } catch (error) {
      if (error instanceof UnsupportedError) throw new RtspError(415, [], error.message);
      throw error;
    }
  }

  async setUp(action: Action, track: number, transport: TrackTransport) {
    if (!this.#mayUse(transport)) return undefined;
    const pair =
      transport.lower === 'udp' ? await this.#openPair(action, track, transport) : undefined;
    if (transport.lower === 'udp' && pair === undefined) return undefined;
    if (this.#isClosed) {
      pair?.close();
      return undefined;
    }
    if (this.#role.is === 'publisher') this.#role.publisher.setUp(track, transport, pair);
    else this.#setUpViewed(track, transport, pair);
    return pair === undefined ? {} : { serverPorts: [pair.port, pair.port + 1] as const };
  }

  play() {
    const { fanOut, hub, cname, isEncrypted, now } = this.#context;
    const role = this.#role;
    if (role.is !== 'player') throw new RtspError(455);
    const { streamName } = role;
    const places = [...role.tracks.keys()];
    const viewer = new RtspViewer({
      ...{ socket: this.#socket, hub, streamName, cname, isEncrypted, now },
      tracks: [...role.tracks.values()],
      over: (words) => this.close(words),
    });
    const current = hub.get(streamName)?.tracks ?? [];
    if (![...role.tracks.values()].every(({ track }) => isStillSo(track, current))) {
      throw new RtspError(455, [], 'The stream has changed, describe it again');
    }
    const viewing = fanOut.join(streamName, viewer);
    role.playing = { viewer, viewing };
    this.#hasBeenActive = true;
    this.#context.log.debug({ stream: streamName }, 'RTSP player');
    const beginnings = viewer.beginnings.map((beginning, index): TrackBeginning => {
      return { track: places[index] ?? 0, ...beginning };
    });
    return { beginnings, begin: () => viewer.begin() };
  }

  pause(): void {
    if (this.#role.is === 'player') this.#stopPlaying(this.#role);
  }

  record(): void {
    const { publications, config } = this.#context;
    if (this.#role.is !== 'publisher') throw new RtspError(455);
    const { publisher } = this.#role;
    if (!publisher.canRecord) throw new RtspError(455);
    try {
      const publication = publications.open({
        name: publisher.name,
        protocol: 'RTSP',
        peer: this.#peer,
        via: [],
        publishType: 'live',
        duplicate: config.duplicatePublisher,
        end: (words) => this.close(words),
      });
      publisher.record(publication);
      this.#hasBeenActive = true;
    } catch (error) {
      if (error instanceof PublicationRefused) throw refusedWith(error);
      throw error;
    }
  }

  teardown(): void {
    this.#leave('it ended the session');
  }

  rtp(track: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#role.is === 'publisher') this.#role.publisher.rtp(track, bytes, start, end);
  }

  rtcp(track: number, bytes: Uint8Array, start: number, end: number): void {
    this.#session.heard();
    if (this.#role.is === 'publisher') this.#role.publisher.rtcp(track, bytes, start, end);
  }

  /** Everything a peer can provoke ends its connection, and nothing else. */
  failed(err: Error): void {
    const isOfPeer =
      err instanceof ParseError || err instanceof ProtocolError || err instanceof UnsupportedError;
    this.#context.log[isOfPeer ? 'debug' : 'error']({ err }, 'RTSP session failed');
    this.close(err.message);
  }

  /** `words`: why, for people. */
  close(words: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#session.close();
    this.#described.giveUp();
    if (this.#role.is === 'player') this.#role.playing?.viewer.bye();
    this.#leave(words);
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), LAST_WORDS_MS).unref();
    this.#context.log.debug({ reason: words }, 'RTSP connection closed');
    this.#context.closed(this);
  }

  #read(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (!this.#hasBeenActive) {
      this.#bytesBefore += bytes.length;
      if (this.#bytesBefore > this.#context.config.limits.bytesBeforeLogin) {
        this.close('too many bytes before it played or published');
        return;
      }
    }
    try {
      this.#session.push(bytes);
    } catch (error) {
      this.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #write(bytes: Uint8Array): void {
    const maxBytes = this.#takesMedia ? MAX_PLAYER_UNREAD_BYTES : MAX_UNREAD_BYTES;
    if (this.#socket.writableLength > maxBytes) {
      this.close('it does not read its answers');
      return;
    }
    this.#socket.write(bytes);
  }

  /** It plays over its connection: of media the fan-out knows how much may wait. */
  get #takesMedia(): boolean {
    if (this.#role.is !== 'player' || this.#role.playing === undefined) return false;
    return [...this.#role.tracks.values()].every(({ pair }) => pair === undefined);
  }

  #sendInterleaved(channel: number, packet: Uint8Array): void {
    const { length } = packet;
    const header = Uint8Array.of(0x24, channel, length >> 8, length & 0xff);
    this.#write(Buffer.concat([header, packet]));
  }

  #accessTo(action: Action): ServerAccess {
    const access = this.#context.access[action];
    const { isOpen, username, password } = access;
    return {
      isOpen,
      credentials:
        username === undefined || password === undefined ? undefined : { username, password },
      isToken: (token) => access.isToken(token),
      isBlocked: () => access.isBlocked(this.#peer),
      failed: () => access.failed(this.#peer),
    };
  }

  /** All tracks go the same way; what is encrypted stays in its connection. */
  #mayUse({ lower }: TrackTransport): boolean {
    if (lower === 'udp' && this.#context.isEncrypted) return false;
    if (this.#role.is !== 'player') return true;
    return [...this.#role.tracks.values()].every(({ transport }) => transport.lower === lower);
  }

  async #openPair(
    action: Action,
    track: number,
    transport: TrackTransport & { readonly lower: 'udp' },
  ): Promise<UdpPair | undefined> {
    const publisher =
      action === 'publish' && this.#role.is === 'publisher' ? this.#role.publisher : undefined;
    const ignore = () => this.#session.heard();
    const guarded =
      (take: (bytes: Uint8Array, start: number, end: number) => void) =>
      (bytes: Uint8Array, start: number, end: number) => {
        if (this.#isClosed) return;
        this.#session.heard();
        take(bytes, start, end);
      };
    const pair = await this.#context.ports.open(this.#peer, {
      rtpMayWait: false,
      rtp: publisher === undefined ? ignore : guarded(publisher.ordered(track)),
      rtcp: guarded((bytes, start, end) => this.rtcp(track, bytes, start, end)),
      failed: (error) => this.failed(error),
    });
    pair?.media.sendTo(this.#peer, transport.port, transport.rtcpPort);
    return pair;
  }

  #setUpViewed(place: number, transport: TrackTransport, pair: UdpPair | undefined): void {
    const { streamName, offered } = this.#described;
    const track = offered.find(({ media }) => media.control === `trackID=${place}`)?.track;
    const only = offered.length === 1 ? offered[0]?.track : undefined;
    const wanted = track ?? only;
    if (wanted === undefined) {
      pair?.close();
      throw new RtspError(404);
    }
    if (this.#role.is !== 'player') {
      this.#role = { is: 'player', streamName, tracks: new Map(), playing: undefined };
    }
    // An only track is found under any number: it is set up once all the same.
    for (const [other, viewed] of this.#role.tracks) {
      if (other !== place && viewed.track !== wanted) continue;
      viewed.pair?.close();
      this.#role.tracks.delete(other);
    }
    this.#role.tracks.set(place, { track: wanted, transport, pair });
  }

  #stopPlaying(role: Role & { readonly is: 'player' }): void {
    role.playing?.viewing[Symbol.dispose]();
    role.playing?.viewer.stop();
    role.playing = undefined;
  }

  /** What it was it is no longer. */
  #leave(words: string): void {
    const role = this.#role;
    this.#role = { is: 'undecided' };
    if (role.is === 'publisher') role.publisher.close(words);
    if (role.is !== 'player') return;
    this.#stopPlaying(role);
    for (const { pair } of role.tracks.values()) pair?.close();
  }
}

/** A stream that is away keeps its promise. */
function isStillSo(told: Track, current: readonly Track[]): boolean {
  const now = current.find(({ kind }) => kind === told.kind);
  return now === undefined || isSameFormat(told, now);
}

function refusedWith({ code, message }: PublicationRefused): RtspError {
  switch (code) {
    case 'bad-name':
      return new RtspError(400, [], message);
    case 'busy':
      return new RtspError(453, [], message);
    case 'name-taken':
    case 'loop':
      return new RtspError(403, [], message);
  }
}
