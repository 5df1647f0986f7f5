/** RTMP through HTTP at one acceptor: its sessions and HTTP connections, and how long each is waited for. */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { peerOf } from '../peer.ts';
import { TunnelConnection, type TunnelPipe, type TunnelSessions } from './tunnel-connection.ts';
import { SESSION_SILENCE_MS, type TunnelEnd, TunnelSession } from './tunnel-session.ts';

/** Nobody guesses the name of a session: it is all that ties a request to it. */
const NAME_BYTES = 16;
const TICK_MS = 1_000;

export interface TunnelsOptions {
  readonly maxSessions: number;
  readonly maxSessionsPerAddress: number;
  /** How long the first request of a connection is waited for. */
  readonly handshakeMs: number;
  readonly log: Logger;
  /** Milliseconds on a clock that never goes backwards. */
  readonly now: () => number;
  /** Makes the RTMP side of a session. */
  readonly open: (session: TunnelSession, address: string) => TunnelEnd;
}

export class Tunnels implements TunnelSessions {
  readonly now: () => number;
  readonly #options: TunnelsOptions;
  readonly #sessions = new Map<string, TunnelSession>();
  readonly #connections = new Set<TunnelConnection>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TunnelsOptions) {
    this.#options = options;
    this.now = options.now;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** A connection whose first byte says HTTP; `closed` is to be told of its end. */
  connect(pipe: TunnelPipe, address: string): { push(chunk: Uint8Array): void; closed(): void } {
    this.#timer ??= setInterval(() => this.tick(this.now()), TICK_MS);
    const connection = new TunnelConnection(pipe, address, this);
    this.#connections.add(connection);
    return {
      push: (chunk) => connection.push(chunk),
      closed: () => {
        connection.closed();
        this.#connections.delete(connection);
      },
    };
  }

  /** Ends every session and connection. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const session of this.#sessions.values()) session.stop('this gateway is stopping');
    this.#sessions.clear();
    for (const connection of this.#connections) connection.destroy();
    this.#connections.clear();
  }

  open(address: string): TunnelSession | undefined {
    const { maxSessions, maxSessionsPerAddress, log, open } = this.#options;
    let ofAddress = 0;
    const peer = peerOf(address);
    for (const session of this.#sessions.values()) if (session.peer === peer) ofAddress += 1;
    if (this.#sessions.size >= maxSessions || ofAddress >= maxSessionsPerAddress) {
      log.debug({ address, ofAddress, sessions: this.#sessions.size }, 'too many tunnels');
      return undefined;
    }
    const name = randomBytes(NAME_BYTES).toString('hex');
    const session = new TunnelSession(name, address, this.now(), open);
    this.#sessions.set(name, session);
    return session;
  }

  get(name: string): TunnelSession | undefined {
    return this.#sessions.get(name);
  }

  remove(session: TunnelSession): void {
    this.#sessions.delete(session.name);
    session.close();
  }

  /** Once a second: sessions and connections that have not been heard of for long. */
  tick(nowMs: number): void {
    for (const session of this.#sessions.values()) {
      if (nowMs - session.heardAtMs >= SESSION_SILENCE_MS) this.remove(session);
    }
    for (const connection of this.#connections) {
      const patienceMs = connection.isNew ? this.#options.handshakeMs : SESSION_SILENCE_MS;
      if (nowMs - connection.heardAtMs < patienceMs) continue;
      connection.destroy();
      this.#connections.delete(connection);
    }
    if (this.#sessions.size > 0 || this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
