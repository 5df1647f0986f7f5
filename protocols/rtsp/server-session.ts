/**
 * The server's side of an RTSP dialogue over one connection, RFC 2326: who publishes says ANNOUNCE, SETUP, RECORD, who
 * plays DESCRIBE, SETUP, PLAY. Bytes in by `push`, bytes out by the given `write`; media and streams are the host's.
 *
 * Requests are answered one after the other; interleaved frames pass meanwhile. One session for a connection.
 * Not here: RTSP 2.0, scale and ranges (all is live), tracks of one session torn down one by one.
 */
import { ParseError, ProtocolError } from '../../codecs/errors.ts';
import { RequestBudget } from '../request-budget.ts';
import { parseSdp } from '../sdp/sdp.ts';
import { joinControl } from './control-url.ts';
import { type RtspMessage, type RtspRequest, serializeResponse } from './message.ts';
import { parseRequestedUrl, type RequestedUrl } from './requested-url.ts';
import { type Headers, REASONS, RtspError, type Status, wrongState } from './rtsp-error.ts';
import { CLIENT_GRAMMAR, RtspParser } from './rtsp-parser.ts';
import type { ServerHost, TrackBeginning, TrackTransport } from './server-host.ts';
import { type Action, type ServerAccess, ServerLogin } from './server-login.ts';
import { TrackChannels, transportFor } from './track-channels.ts';
import { parseTransportOffers } from './transport.ts';

/** Stated to clients, who say something in half of it (§12.37). */
export const SESSION_TIMEOUT_MS = 60_000;
/** Clients ask one thing after the other; a few send two or three at once. */
const MAX_WAITING_REQUESTS = 16;
/** Pictures and sound; a description may have more, of which some are not taken. */
const MAX_TRACKS = 16;
const MAX_CSEQ_CHARACTERS = 20;

export interface ServerSessionOptions {
  readonly host: ServerHost;
  readonly access: Readonly<Record<Action, ServerAccess>>;
  readonly write: (bytes: Uint8Array) => void;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  /** Random hex digits nobody can guess, for sessions and nonces. */
  readonly newId: () => string;
}

interface Reply {
  readonly headers?: Headers;
  readonly body?: string;
  /** Called when it has been written. */
  readonly afterwards?: () => void;
}

interface Session {
  readonly id: string;
  readonly action: Action;
  readonly url: RequestedUrl;
  readonly transports: Map<number, TrackTransport>;
}

type State =
  | { readonly at: 'idle' }
  | { readonly at: 'announced'; readonly url: RequestedUrl; readonly controls: readonly string[] }
  | {
      readonly at: 'ready' | 'playing' | 'recording';
      readonly session: Session;
      readonly controls: readonly string[];
    }
  | { readonly at: 'closed' };

type Method = (request: RtspRequest, url: RequestedUrl) => Reply | Promise<Reply>;

export class RtspServerSession {
  readonly #options: ServerSessionOptions;
  readonly #parser: RtspParser;
  readonly #login: ServerLogin;
  readonly #waiting: RtspRequest[] = [];
  readonly #budget: RequestBudget;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #channels = new TrackChannels();
  #state: State = { at: 'idle' };
  #isAnswering = false;
  #heardAtMs: number;

  constructor(options: ServerSessionOptions) {
    const { now, newId } = options;
    this.#options = options;
    this.#heardAtMs = now();
    this.#budget = new RequestBudget(now);
    this.#login = new ServerLogin(options.access, { newNonce: newId, now });
    this.#parser = new RtspParser(
      {
        frame: (channel, bytes, start, end) => this.#frame(channel, bytes, start, end),
        message: (message) => this.#message(message),
        webServer: () => undefined,
        // Clients frame properly; what comes on a channel of nobody is passed over as a whole.
        isChannel: () => true,
      },
      CLIENT_GRAMMAR,
    );
    this.#methods = new Map<string, Method>([
      ['OPTIONS', () => ({ headers: [publicMethods(this.#methods)] })],
      ['DESCRIBE', (request, url) => this.#describe(request, url)],
      ['ANNOUNCE', (request, url) => this.#announce(request, url)],
      ['SETUP', (request, url) => this.#setUp(request, url)],
      ['PLAY', (request) => this.#play(request)],
      ['PAUSE', (request) => this.#pause(request)],
      ['RECORD', (request) => this.#record(request)],
      ['TEARDOWN', (request) => this.#teardown(request)],
      ['GET_PARAMETER', (request) => this.#parameter(request)],
      ['SET_PARAMETER', (request) => this.#parameter(request)],
    ]);
  }

  /** It plays or publishes, or has and pauses. */
  get hasSession(): boolean {
    return 'session' in this.#state;
  }

  get isActive(): boolean {
    return this.#state.at === 'playing' || this.#state.at === 'recording';
  }

  /** When anything came: a request, a frame, or what the host has heard over UDP. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  heard(): void {
    this.#heardAtMs = this.#options.now();
  }

  /** Takes what came over the connection. Throws ParseError when it is no RTSP; that has been answered then. */
  push(bytes: Uint8Array): void {
    if (this.#state.at === 'closed') return;
    this.heard();
    try {
      this.#parser.push(bytes);
    } catch (error) {
      if (error instanceof ParseError) this.#write(serializeResponse(400, REASONS[400], []));
      throw error;
    }
  }

  /** Nothing is answered any more. */
  close(): void {
    this.#state = { at: 'closed' };
    this.#waiting.length = 0;
  }

  #frame(channel: number, bytes: Uint8Array, start: number, end: number): void {
    const { host } = this.#options;
    const rtp = this.#channels.rtpTrack(channel);
    if (rtp !== undefined) host.rtp(rtp, bytes, start, end);
    const rtcp = this.#channels.rtcpTrack(channel);
    if (rtcp !== undefined) host.rtcp(rtcp, bytes, start, end);
  }

  #message(message: RtspMessage): void {
    // We ask nothing, so an answer is none of ours.
    if (message.kind === 'response') return;
    this.#budget.take();
    if (this.#waiting.length >= MAX_WAITING_REQUESTS) {
      throw new ProtocolError('RTSP_FLOOD', `${MAX_WAITING_REQUESTS} requests wait for an answer`);
    }
    this.#waiting.push(message);
    if (!this.#isAnswering) void this.#answerAll();
  }

  async #answerAll(): Promise<void> {
    this.#isAnswering = true;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        await this.#answer(next);
      }
    } catch (error) {
      this.#options.host.failed(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#isAnswering = false;
    }
  }

  async #answer(request: RtspRequest): Promise<void> {
    let status: Status = 200;
    let reason: string = REASONS[200];
    let reply: Reply;
    try {
      reply = await this.#handle(request);
    } catch (error) {
      if (!(error instanceof RtspError)) throw error;
      ({ status, message: reason } = error);
      reply = { headers: error.headers };
    }
    if (this.#state.at === 'closed') return;
    const { headers = [], body, afterwards } = reply;
    const cseq = request.headers.get('cseq')?.slice(0, MAX_CSEQ_CHARACTERS);
    const all: Headers = [
      ...(cseq === undefined ? [] : [['CSeq', cseq] as const]),
      ['Server', 'Sluice'],
      ...headers,
    ];
    this.#write(serializeResponse(status, reason.replace(/[\r\n]+/g, ' '), all, body));
    afterwards?.();
  }

  #handle(request: RtspRequest): Reply | Promise<Reply> {
    const method = this.#methods.get(request.method);
    if (method === undefined) throw new RtspError(501, [publicMethods(this.#methods)]);
    const required = ['require', 'proxy-require'].flatMap((name) => request.headers.getAll(name));
    if (required.length > 0) throw new RtspError(551, [['Unsupported', required.join(', ')]]);
    return method(request, parseRequestedUrl(request.url));
  }

  async #describe(request: RtspRequest, url: RequestedUrl): Promise<Reply> {
    this.#login.authorize('play', request, url.token);
    const { sdp } = await this.#options.host.describe(url.name);
    return {
      headers: [
        ['Content-Type', 'application/sdp'],
        ['Content-Base', `${url.base}/`],
      ],
      body: sdp,
    };
  }

  #announce(request: RtspRequest, url: RequestedUrl): Reply {
    this.#login.authorize('publish', request, url.token);
    if (this.hasSession) throw wrongState();
    const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== undefined && type !== 'application/sdp') throw new RtspError(415);
    const description = parseSdp(new TextDecoder().decode(request.body));
    const { medias } = description;
    if (medias.length === 0) throw new RtspError(400);
    if (medias.length > MAX_TRACKS) throw new RtspError(453);
    this.#options.host.announce(url.name, description);
    const controls = medias.map(({ control }) => joinControl(url.base, control));
    this.#state = { at: 'announced', url, controls };
    return {};
  }

  async #setUp(request: RtspRequest, url: RequestedUrl): Promise<Reply> {
    const state = this.#state;
    if (state.at === 'closed' || this.isActive) throw wrongState();
    const before = 'session' in state ? this.#session(request, false) : undefined;
    const action = before?.action ?? (state.at === 'announced' ? 'publish' : 'play');
    this.#login.authorize(action, request, url.token);
    const controls = 'controls' in state ? state.controls : [];
    const track =
      action === 'publish' ? announcedTrack(controls, request.url) : await this.#playedTrack(url);
    if (before?.action === 'play' && before.url.name !== url.name) throw wrongState();
    const session = before ?? { id: this.#options.newId(), action, url, transports: new Map() };
    const transport = await this.#chooseTransport(request, session, track);
    if (this.#state !== state) throw wrongState(); // closed meanwhile
    this.#state = { at: 'ready', session, controls };
    return { headers: [['Transport', transport], sessionHeader(session)] };
  }

  /** Of a stream's two tracks, or its only one when the URL names none. */
  async #playedTrack(url: RequestedUrl): Promise<number> {
    const { tracks } = await this.#options.host.lookUp(url.name);
    if (url.track === undefined && tracks > 1) throw new RtspError(459);
    return url.track ?? 0;
  }

  /** The first offer that can be had; returns what the client is answered. */
  async #chooseTransport(request: RtspRequest, session: Session, track: number): Promise<string> {
    const offers = parseTransportOffers(request.headers.get('transport') ?? '');
    const mode = session.action === 'publish' ? ';mode=record' : '';
    for (const offer of offers) {
      const transport = transportFor(offer, session.transports, track);
      const accepted = await this.#options.host.setUp(session.action, track, transport);
      if (accepted === undefined) continue;
      session.transports.set(track, transport);
      if (transport.lower === 'tcp') {
        const { channel, rtcpChannel } = transport;
        this.#channels.set(track, channel, rtcpChannel);
        return `RTP/AVP/TCP;unicast;interleaved=${channel}-${rtcpChannel}${mode}`;
      }
      const { port, rtcpPort } = transport;
      const [ours, oursRtcp] = accepted.serverPorts ?? [0, 0];
      return `RTP/AVP;unicast;client_port=${port}-${rtcpPort};server_port=${ours}-${oursRtcp}${mode}`;
    }
    throw new RtspError(461);
  }

  #play(request: RtspRequest): Reply {
    const session = this.#session(request, true);
    if (session.action !== 'play' || this.#state.at === 'recording') throw wrongState();
    const headers: (readonly [string, string])[] = [sessionHeader(session), ['Range', 'npt=now-']];
    if (this.#state.at === 'playing') return { headers };
    const { beginnings, begin } = this.#options.host.play();
    this.#become('playing');
    const infos = beginnings.flatMap((beginning) => rtpInfo(session.url.base, beginning));
    if (infos.length > 0) headers.push(['RTP-Info', infos.join(',')]);
    return { headers, afterwards: begin };
  }

  #pause(request: RtspRequest): Reply {
    const session = this.#session(request, true);
    if (session.action !== 'play') throw wrongState();
    if (this.#state.at === 'playing') {
      this.#options.host.pause();
      this.#become('ready');
    }
    return { headers: [sessionHeader(session)] };
  }

  #record(request: RtspRequest): Reply {
    const session = this.#session(request, true);
    if (session.action !== 'publish') throw wrongState();
    if (this.#state.at === 'ready') {
      this.#options.host.record();
      this.#become('recording');
    }
    return { headers: [sessionHeader(session)] };
  }

  #teardown(request: RtspRequest): Reply {
    this.#session(request, true);
    this.#state = { at: 'idle' };
    this.#channels.clear();
    this.#options.host.teardown();
    return {};
  }

  /** Without a body they keep the session alive; there are no parameters. */
  #parameter(request: RtspRequest): Reply {
    if (request.body.length > 0) throw new RtspError(451);
    const given = request.headers.get('session');
    return given === undefined ? {} : { headers: [sessionHeader(this.#session(request, false))] };
  }

  #become(at: 'ready' | 'playing' | 'recording'): void {
    if ('session' in this.#state) this.#state = { ...this.#state, at };
  }

  /** The session that a request is about. */
  #session(request: RtspRequest, mustBeNamed: boolean): Session {
    const named = request.headers.get('session')?.split(';')[0]?.trim();
    const session = 'session' in this.#state ? this.#state.session : undefined;
    if (session === undefined) throw named === undefined ? wrongState() : new RtspError(454);
    if (named === undefined ? mustBeNamed : named !== session.id) throw new RtspError(454);
    return session;
  }

  #write(text: string): void {
    this.#options.write(new TextEncoder().encode(text));
  }
}

function publicMethods(methods: ReadonlyMap<string, Method>): readonly [string, string] {
  return ['Public', [...methods.keys()].join(', ')];
}

function sessionHeader({ id }: Session): readonly [string, string] {
  return ['Session', `${id};timeout=${SESSION_TIMEOUT_MS / 1000}`];
}

/** By the URL its control makes; clients that write another host or path there are known by the end of it. */
function announcedTrack(controls: readonly string[], url: string): number {
  const exact = controls.indexOf(url);
  if (exact !== -1) return exact;
  const lastOf = (text: string) => text.slice(text.lastIndexOf('/'));
  const alike = controls.findIndex((control) => lastOf(control) === lastOf(url));
  if (alike !== -1) return alike;
  if (controls.length === 1) return 0;
  throw new RtspError(404);
}

function rtpInfo(base: string, { track, seq, rtpTimestamp }: TrackBeginning): string[] {
  const first = seq === undefined ? '' : `;seq=${seq}`;
  const time = rtpTimestamp === undefined ? '' : `;rtptime=${rtpTimestamp}`;
  return first + time === '' ? [] : [`url=${base}/trackID=${track}${first}${time}`];
}
