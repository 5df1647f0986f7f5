/**
 * WS-Discovery on every interface: probes from a socket of its own on each (so the answer comes
 * back whatever the routing table says), and listens for Hello and Bye on the well-known port.
 *
 * Devices lose probes, so there are several, with and without types (ONVIF Core §7.3.3), spread by
 * jitter. The address a packet came from is trusted over the XAddrs inside.
 */
import { randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Logger } from 'pino';
import { ParseError } from '../../codecs/errors.ts';
import {
  bareUuid,
  type DiscoveredEndpoint,
  isOnvifEndpoint,
  type ProbeType,
  parseWsDiscoveryMessage,
  serializeProbe,
  WS_DISCOVERY_GROUP_V4,
  WS_DISCOVERY_GROUP_V6,
  WS_DISCOVERY_PORT,
} from '../../protocols/ws-discovery/message.ts';
import { parseScopes } from '../../protocols/ws-discovery/scopes.ts';
import type { LocalInterface } from './interfaces.ts';
import { ProbeLoop } from './probe-loop.ts';
import type { SightingSink } from './sighting.ts';

const PROBE_TYPES: readonly ProbeType[] = ['NetworkVideoTransmitter', 'Device', undefined];
/** Rounds at 0, 0.5 and 1.5 s, plus jitter. */
const BURST_PAUSES_MS = [0, 500, 1000];
/** A Hello without XAddrs makes us ask, but not more often than this. */
const HELLO_PROBE_GAP_MS = 5000;
/** Answers refer to a probe by its id; a few rounds on every interface are remembered. */
const MAX_REMEMBERED_PROBES = 512;
/** Per second; a thousand cameras answering at once send about 3 MB. What is above is not parsed. */
const MAX_BYTES_PER_SECOND = 8 * 1024 * 1024;

export interface WsDiscoveryOptions {
  readonly intervalMs: number;
  readonly listInterfaces: () => readonly LocalInterface[];
  /** 3702 but in tests. */
  readonly port?: number;
}

export interface WsDiscoveryStats {
  probesSent: number;
  datagrams: number;
  /** Not WS-Discovery, or broken. */
  junk: number;
  /** Well-formed, but no ONVIF device: printers, computers. */
  foreign: number;
  /** Answers that name no probe of ours; used all the same. */
  unrelated: number;
  /** Not looked at because too much came at once. */
  dropped: number;
  sendErrors: number;
}

export class WsDiscovery {
  readonly stats: WsDiscoveryStats = {
    probesSent: 0,
    datagrams: 0,
    junk: 0,
    foreign: 0,
    unrelated: 0,
    dropped: 0,
    sendErrors: 0,
  };
  readonly #options: WsDiscoveryOptions;
  readonly #port: number;
  readonly #sink: SightingSink;
  readonly #log: Logger;
  readonly #probers = new Map<string, Prober>();
  readonly #listeners = new Map<'IPv4' | 'IPv6', GroupListener>();
  readonly #probeIds = new Set<string>();
  readonly #loop: ProbeLoop;
  #lastHelloProbeMs = Number.NEGATIVE_INFINITY;
  #second = 0;
  #bytesThisSecond = 0;

  constructor(options: WsDiscoveryOptions, sink: SightingSink, log: Logger) {
    this.#options = options;
    this.#port = options.port ?? WS_DISCOVERY_PORT;
    this.#sink = sink;
    this.#log = log;
    this.#loop = new ProbeLoop({
      intervalMs: options.intervalMs,
      burstPausesMs: BURST_PAUSES_MS,
      rescan: () => this.#rescan(),
      probe: () => this.#probe(),
    });
  }

  /** Probes and listens until aborted; never throws for what the network does. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#loop.run(signal);
    } finally {
      for (const prober of this.#probers.values()) prober.close();
      for (const listener of this.#listeners.values()) listener.close();
      this.#probers.clear();
      this.#listeners.clear();
    }
  }

  probeNow(): void {
    this.#loop.burst();
  }

  #probe(): void {
    for (const type of PROBE_TYPES) {
      for (const prober of this.#probers.values()) {
        if (prober.failed) continue;
        const id = randomUUID();
        this.#remember(id);
        this.stats.probesSent += 1;
        prober.send(serializeProbe(id, type));
      }
    }
  }

  #remember(id: string): void {
    this.#probeIds.add(id);
    if (this.#probeIds.size <= MAX_REMEMBERED_PROBES) return;
    for (const oldest of this.#probeIds) {
      this.#probeIds.delete(oldest);
      break;
    }
  }

  #rescan(): boolean {
    const interfaces = this.#options.listInterfaces();
    const keys = new Set(interfaces.map((each) => each.key));
    for (const [key, prober] of this.#probers) {
      if (prober.failed || !keys.has(key)) {
        prober.close();
        this.#probers.delete(key);
      }
    }
    let hasNew = false;
    for (const each of interfaces) {
      if (!this.#probers.has(each.key)) {
        hasNew = true;
        this.#probers.set(each.key, this.#openProber(each));
      }
      this.#listener(each.family).join(each);
    }
    return hasNew;
  }

  #openProber(each: LocalInterface): Prober {
    this.#log.debug({ interface: each.name, address: each.address }, 'ws-discovery probes here');
    return new Prober(
      each,
      this.#port,
      (bytes, from) => this.#receive(bytes, from),
      (error) => {
        this.stats.sendErrors += 1;
        this.#log.debug({ interface: each.name, err: error }, 'ws-discovery cannot send here');
      },
    );
  }

  #listener(family: 'IPv4' | 'IPv6'): GroupListener {
    const existing = this.#listeners.get(family);
    if (existing !== undefined && !existing.failed) return existing;
    const listener = new GroupListener(
      family,
      this.#port,
      (bytes, from) => this.#receive(bytes, from),
      (error) => this.#log.debug({ family, err: error }, 'ws-discovery cannot listen for hello'),
    );
    this.#listeners.set(family, listener);
    return listener;
  }

  #receive(datagram: Uint8Array, from: RemoteInfo): void {
    this.stats.datagrams += 1;
    if (!this.#withinBudget(datagram.length)) {
      this.stats.dropped += 1;
      return;
    }
    try {
      this.#handle(datagram, from.address);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.stats.junk += 1;
      this.#log.debug(
        { address: from.address, err: error },
        'ws-discovery datagram not understood',
      );
    }
  }

  #handle(datagram: Uint8Array, address: string): void {
    const message = parseWsDiscoveryMessage(datagram);
    switch (message.kind) {
      case 'matches': {
        // Some firmwares answer with an empty or mangled RelatesTo: counted, and used.
        const relatesTo = bareUuid(message.relatesTo ?? '');
        if (!this.#probeIds.has(relatesTo)) this.stats.unrelated += 1;
        for (const endpoint of message.endpoints) this.#see(endpoint, address);
        break;
      }
      case 'hello':
        this.#see(message.endpoint, address);
        // A Hello may leave out the XAddrs (§4.1): ask for them.
        if (message.endpoint.xaddrs.length === 0) this.#probeAfterHello();
        break;
      case 'bye':
        this.#sink.lose('ws-discovery', endpointKey(message.endpoint, address));
        break;
      case 'probe':
      case 'other':
        break;
    }
  }

  #probeAfterHello(): void {
    const now = performance.now();
    if (now - this.#lastHelloProbeMs < HELLO_PROBE_GAP_MS) return;
    this.#lastHelloProbeMs = now;
    this.probeNow();
  }

  #see(endpoint: DiscoveredEndpoint, address: string): void {
    if (!isOnvifEndpoint(endpoint)) {
      this.stats.foreign += 1;
      return;
    }
    const scopes = parseScopes(endpoint.scopes);
    this.#sink.see({
      via: 'ws-discovery',
      key: endpointKey(endpoint, address),
      addresses: [address],
      endpointReference: endpoint.endpointReference,
      serial: scopes.serial,
      mac: scopes.mac,
      manufacturer: scopes.manufacturer,
      model: scopes.hardware,
      name: scopes.name,
      xaddrs: endpoint.xaddrs,
    });
  }

  #withinBudget(bytes: number): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#bytesThisSecond = 0;
    }
    this.#bytesThisSecond += bytes;
    return this.#bytesThisSecond <= MAX_BYTES_PER_SECOND;
  }
}

function endpointKey(endpoint: DiscoveredEndpoint, address: string): string {
  return endpoint.endpointReference === undefined ? address : bareUuid(endpoint.endpointReference);
}

const STALE_INTERFACE: ReadonlySet<unknown> = new Set(['ENODEV', 'EADDRNOTAVAIL', 'EINVAL']);

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

type OnMessage = (bytes: Uint8Array, from: RemoteInfo) => void;
type OnError = (error: Error) => void;

/** Sends to the group on one interface, receives the answers sent back to its port. */
class Prober {
  failed = false;
  readonly #socket: Socket;
  readonly #target: string;
  readonly #port: number;
  readonly #onError: OnError;
  #backlog: Uint8Array[] | undefined = [];

  constructor(each: LocalInterface, port: number, onMessage: OnMessage, onError: OnError) {
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
      const waiting = this.#backlog ?? [];
      this.#backlog = undefined;
      for (const probe of waiting) this.send(probe);
    });
  }

  send(probe: Uint8Array): void {
    if (this.failed) return;
    if (this.#backlog !== undefined) {
      this.#backlog.push(probe);
      return;
    }
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
class GroupListener {
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
