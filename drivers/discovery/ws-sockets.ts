/** The sockets of WS-Discovery: one for each interface to ask from, one to ask a host alone, one to hear Hello and Bye. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import {
  WS_DISCOVERY_GROUP_V4,
  WS_DISCOVERY_GROUP_V6,
} from '../../protocols/ws-discovery/message.ts';
import type { LocalInterface } from './interfaces.ts';

const STALE_INTERFACE: ReadonlySet<unknown> = new Set(['ENODEV', 'EADDRNOTAVAIL', 'EINVAL']);

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

export type OnMessage = (bytes: Uint8Array, from: RemoteInfo) => void;
type OnError = (error: Error) => void;

/** Sends to the group on one interface, receives the answers sent back to its port. Before `onReady` nothing is sent. */
export class Prober {
  failed = false;
  readonly #socket: Socket;
  readonly #target: string;
  readonly #port: number;
  readonly #onError: OnError;
  #isReady = false;

  constructor(
    each: LocalInterface,
    port: number,
    onMessage: OnMessage,
    onReady: () => void,
    onError: OnError,
  ) {
    const isV4 = each.family === 'IPv4';
    this.#target = isV4 ? WS_DISCOVERY_GROUP_V4 : `${WS_DISCOVERY_GROUP_V6}%${each.name}`;
    this.#port = port;
    this.#onError = onError;
    this.#socket = createSocket(isV4 ? 'udp4' : 'udp6');
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('message', onMessage);
    this.#socket.bind(0, isV4 ? each.address : `${each.address}%${each.name}`, () => {
      try {
        this.#socket.setMulticastInterface(isV4 ? each.address : `::%${each.name}`);
        this.#socket.setMulticastTTL(1);
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      this.#isReady = true;
      onReady();
    });
  }

  send(probe: Uint8Array): void {
    if (this.failed || !this.#isReady) return;
    this.#socket.send(probe, this.#port, this.#target, (error) => {
      if (error === null) return;
      // The interface was replaced under us: open another socket at the next scan. Others, such as
      // ENETUNREACH, pass by themselves when the link comes up.
      if (STALE_INTERFACE.has(errorCode(error))) this.#fail(error);
      else this.#onError(error);
    });
  }

  close(): void {
    if (this.failed) return;
    this.failed = true;
    this.#socket.close();
  }

  #fail(error: Error): void {
    if (this.failed) return;
    this.close();
    this.#onError(error);
  }
}

/** Listens on the well-known port, shared with others on this machine, joined on each interface. */
export class GroupListener {
  failed = false;
  readonly #family: 'IPv4' | 'IPv6';
  readonly #socket: Socket;
  readonly #onError: OnError;
  #isBound = false;
  #waiting: LocalInterface[] = [];

  constructor(family: 'IPv4' | 'IPv6', port: number, onMessage: OnMessage, onError: OnError) {
    this.#family = family;
    this.#onError = onError;
    const isV4 = family === 'IPv4';
    this.#socket = createSocket(
      isV4 ? { type: 'udp4', reuseAddr: true } : { type: 'udp6', reuseAddr: true, ipv6Only: true },
    );
    this.#socket.on('error', (error) => {
      if (this.failed) return;
      this.close();
      onError(error);
    });
    this.#socket.on('message', onMessage);
    this.#socket.bind(port, isV4 ? '0.0.0.0' : '::', () => {
      this.#isBound = true;
      for (const each of this.#waiting) this.join(each);
      this.#waiting = [];
    });
  }

  /** Called at every scan: joining again is harmless, and needed when an interface came back. */
  join(each: LocalInterface): void {
    if (this.failed) return;
    if (!this.#isBound) {
      this.#waiting.push(each);
      return;
    }
    try {
      if (this.#family === 'IPv4') {
        this.#socket.addMembership(WS_DISCOVERY_GROUP_V4, each.address);
      } else {
        this.#socket.addMembership(WS_DISCOVERY_GROUP_V6, `::%${each.name}`);
      }
    } catch (error) {
      // EADDRINUSE: already a member. ENODEV, EADDRNOTAVAIL: it went away since it was listed.
      if (errorCode(error) !== 'EADDRINUSE' && error instanceof Error) this.#onError(error);
    }
  }

  close(): void {
    if (this.failed) return;
    this.failed = true;
    this.#socket.close();
  }
}

/** Asks hosts by their address; the kernel's routes say from where. */
export class HostProber {
  readonly #port: number;
  readonly #onMessage: OnMessage;
  readonly #onError: OnError;
  readonly #sockets = new Map<'udp4' | 'udp6', Socket>();

  constructor(port: number, onMessage: OnMessage, onError: OnError) {
    this.#port = port;
    this.#onMessage = onMessage;
    this.#onError = onError;
  }

  send(probe: Uint8Array, address: string): void {
    const family = isIPv6(address) ? 'udp6' : 'udp4';
    const socket = this.#sockets.get(family) ?? this.#open(family);
    // Node binds it to a port of its own first.
    socket.send(probe, this.#port, address, (error) => {
      if (error !== null) this.#onError(error);
    });
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #open(family: 'udp4' | 'udp6'): Socket {
    const socket = createSocket(family);
    socket.on('message', this.#onMessage);
    socket.on('error', (error) => {
      if (this.#sockets.get(family) === socket) this.#sockets.delete(family);
      socket.close();
      this.#onError(error);
    });
    this.#sockets.set(family, socket);
    return socket;
  }
}
