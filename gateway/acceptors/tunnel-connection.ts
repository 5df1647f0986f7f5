/** One HTTP connection to an RTMP acceptor: requests of tunnels come in, of one session or of several, answers go out in their order. */
import { ParseError } from '../../codecs/errors.ts';
import { serializeTunnelAnswer } from '../../protocols/rtmp/tunnel-answer.ts';
import {
  parseTunnelPath,
  type TunnelRequest,
  TunnelRequestParser,
} from '../../protocols/rtmp/tunnel-request.ts';
import type { TunnelCarrier, TunnelSession } from './tunnel-session.ts';

/** ffmpeg puts all it has into one POST; four pictures of 4 MB are more than anybody sends. */
const MAX_POST_BYTES = 16 * 1024 * 1024;
/** A client that asks on and on and reads nothing is not served. librtmp as a publisher is one, for as long as the kernel bears with it. */
const MAX_UNREAD_ANSWERS = 1_000;
const MAX_UNREAD_BYTES = 2 * 1024 * 1024;
/** How long a poll without anything to say is held back, so that clients that ask again at once (librtmp) do not spin. */
const HOLD_MS = 50;
const NOTHING = Uint8Array.of(0);

/** The part of a socket that is used here. */
export interface TunnelPipe {
  readonly writableLength: number;
  write(bytes: Uint8Array): unknown;
  cork(): void;
  uncork(): void;
  end(): unknown;
  destroy(): unknown;
}

/** Where the sessions are. */
export interface TunnelSessions {
  /** undefined: no more of them. */
  open(address: string): TunnelSession | undefined;
  get(name: string): TunnelSession | undefined;
  remove(session: TunnelSession): void;
  readonly now: () => number;
}

type Current =
  | { readonly does: 'open' }
  | { readonly does: 'refuse'; readonly status: string }
  | { readonly does: 'send' | 'idle' | 'close'; readonly session: TunnelSession };

export class TunnelConnection implements TunnelCarrier {
  /** When the last request was whole. */
  heardAtMs: number;
  /** None was yet. */
  isNew = true;
  readonly #pipe: TunnelPipe;
  readonly #address: string;
  readonly #sessions: TunnelSessions;
  readonly #parser = new TunnelRequestParser();
  #current: Current | undefined;
  #keepsConnection = true;
  #held: { readonly session: TunnelSession; readonly timer: NodeJS.Timeout } | undefined;
  /** Since the client had read them all. */
  #unreadAnswers = 0;
  #isOver = false;

  constructor(pipe: TunnelPipe, address: string, sessions: TunnelSessions) {
    this.#pipe = pipe;
    this.#address = address;
    this.#sessions = sessions;
    this.heardAtMs = sessions.now();
  }

  get unreadBytes(): number {
    return this.#pipe.writableLength;
  }

  /** `chunk` may be changed. */
  push(chunk: Uint8Array): void {
    if (this.#isOver) return;
    try {
      for (const event of this.#parser.push(chunk)) {
        if (event.at === 'request') this.#begin(event.request);
        else if (event.at === 'body') this.#receive(event.bytes);
        else this.#finish();
        if (this.#isOver) return;
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#refuse('400 Bad Request');
    }
  }

  /** The client has closed it; its sessions may go on over others. */
  closed(): void {
    this.#isOver = true;
    clearTimeout(this.#held?.timer);
    this.#held = undefined;
  }

  destroy(): void {
    this.closed();
    this.#pipe.destroy();
  }

  wake(): void {
    if (this.#held?.session.hasSomethingToSay) this.release();
  }

  release(): void {
    if (this.#held === undefined) return;
    const { session, timer } = this.#held;
    clearTimeout(timer);
    this.#held = undefined;
    this.#answerOf(session);
  }

  #begin(request: TunnelRequest): void {
    this.release();
    this.#keepsConnection = request.keepsConnection;
    const { bodyBytes = 0 } = request;
    // The body of what is refused so is not waited for.
    if (request.method !== 'POST') this.#refuse('404 Not Found');
    else if (request.bodyBytes === undefined) this.#refuse('411 Length Required');
    else if (bodyBytes > MAX_POST_BYTES) this.#refuse('413 Content Too Large');
    else this.#current = this.#decide(request);
  }

  #decide({ path }: TunnelRequest): Current {
    const command = parseTunnelPath(path);
    if (command?.name === 'open') return { does: 'open' };
    if (command === undefined || command.name === 'ident') {
      // Flash asks /fcs/ident2 for the address of a server behind the load balancer, and goes on without.
      return { does: 'refuse', status: '404 Not Found' };
    }
    const session = this.#sessions.get(command.session);
    session?.begin(command.sequence, this, this.#sessions.now());
    if (session?.isOver === true) this.#sessions.remove(session);
    if (session === undefined || session.isOver) return { does: 'refuse', status: '404 Not Found' };
    return { does: command.name, session };
  }

  #receive(bytes: Uint8Array): void {
    if (this.#current?.does === 'send') this.#current.session.receive(bytes);
  }

  #finish(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    this.heardAtMs = this.#sessions.now();
    this.isNew = false;
    switch (current.does) {
      case 'open':
        this.#open();
        return;
      case 'refuse':
        this.#answer(current.status, []);
        return;
      case 'close':
        this.#sessions.remove(current.session);
        this.#answer('200 OK', [NOTHING]);
        return;
      case 'send':
        current.session.received(this.heardAtMs);
        this.#answerOf(current.session);
        return;
      case 'idle':
        current.session.received(this.heardAtMs);
        if (current.session.hasSomethingToSay) this.#answerOf(current.session);
        else this.#hold(current.session);
    }
  }

  #open(): void {
    const session = this.#sessions.open(this.#address);
    if (session === undefined) this.#refuse('503 Service Unavailable');
    else this.#answer('200 OK', [new TextEncoder().encode(`${session.name}\n`)]);
  }

  #hold(session: TunnelSession): void {
    const timer = setTimeout(() => this.release(), HOLD_MS);
    this.#held = { session, timer };
  }

  #answerOf(session: TunnelSession): void {
    this.#answer('200 OK', session.answer());
    if (session.isOver) this.#sessions.remove(session);
  }

  /** And no more requests on this connection. */
  #refuse(status: string): void {
    this.#keepsConnection = false;
    this.#answer(status, []);
  }

  #answer(status: string, parts: readonly Uint8Array[]): void {
    if (this.#isOver) return;
    const { writableLength } = this.#pipe;
    this.#unreadAnswers = writableLength === 0 ? 1 : this.#unreadAnswers + 1;
    if (this.#unreadAnswers > MAX_UNREAD_ANSWERS || writableLength > MAX_UNREAD_BYTES) {
      this.destroy();
      return;
    }
    const byteLength = parts.reduce((sum, part) => sum + part.length, 0);
    this.#pipe.cork();
    this.#pipe.write(serializeTunnelAnswer(status, byteLength, this.#keepsConnection));
    for (const part of parts) this.#pipe.write(part);
    this.#pipe.uncork();
    if (this.#keepsConnection) return;
    this.closed();
    this.#pipe.end();
  }
}
