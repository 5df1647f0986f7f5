/**
 * WS-Discovery on every interface: probes from a socket of its own on each (so the answer comes
 * back whatever the routing table says), and listens for Hello and Bye on the well-known port.
 *
 * Devices lose probes, so there are several, with and without types (ONVIF Core §7.3.3), spread by
 * jitter. The address a packet came from is trusted over the XAddrs inside.
 */
import { randomUUID } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import type { Logger } from 'pino';
import { ParseError } from '../../codecs/errors.ts';
import {
  bareUuid,
  type DiscoveredEndpoint,
  isOnvifEndpoint,
  type ProbeType,
  parseWsDiscoveryMessage,
  serializeProbe,
  WS_DISCOVERY_PORT,
} from '../../protocols/ws-discovery/message.ts';
import { parseScopes } from '../../protocols/ws-discovery/scopes.ts';
import { FloodGuard } from './flood-guard.ts';
import type { LocalInterface } from './interfaces.ts';
import { ProbeLoop } from './probe-loop.ts';
import type { SightingSink } from './sighting.ts';
import { GroupListener, HostProber, Prober } from './ws-sockets.ts';

const PROBE_TYPES: readonly ProbeType[] = ['NetworkVideoTransmitter', 'Device', undefined];
/** To one host: by the type that all have, and without one, for firmwares that know no types. */
const HOST_PROBE_TYPES: readonly ProbeType[] = ['NetworkVideoTransmitter', undefined];
/** Rounds at 0, 0.5 and 1.5 s, plus jitter, and time for the sockets of other interfaces to be ready. */
const BURST_PAUSES_MS = [20, 500, 1000];
/** A Hello without XAddrs makes us ask, but not more often than this. */
const HELLO_PROBE_GAP_MS = 5000;
/** Answers refer to a probe by its id; a few rounds on every interface are remembered. */
const MAX_REMEMBERED_PROBES = 512;
const MAX_FAILING = 256;
/** So long nothing is heard when more comes than can be borne. */
const DEAF_MS = 5000;

export interface WsDiscoveryOptions {
  readonly intervalMs: number;
  readonly listInterfaces: () => readonly LocalInterface[];
  /** Who is listened to without having been asked; everybody by default. */
  readonly isHeard?: (address: string) => boolean;
  /** 3702 but in tests. */
  readonly port?: number;
  /** Milliseconds on a clock that never goes back; another one in tests. */
  readonly elapsedMs?: () => number;
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
  readonly #hostProber: HostProber;
  /** And whom each was sent to, where it was one alone. */
  readonly #probeIds = new Map<string, string | undefined>();
  /** Interfaces whose failure has been told. */
  readonly #failing = new Set<string>();
  readonly #loop: ProbeLoop;
  #lastHelloProbeMs = Number.NEGATIVE_INFINITY;
  readonly #elapsedMs: () => number;
  readonly #guard: FloodGuard;
  #deafUntilMs = 0;

  constructor(options: WsDiscoveryOptions, sink: SightingSink, log: Logger) {
    this.#options = options;
    this.#port = options.port ?? WS_DISCOVERY_PORT;
    this.#elapsedMs = options.elapsedMs ?? (() => performance.now());
    this.#guard = new FloodGuard(this.#elapsedMs);
    this.#sink = sink;
    this.#log = log;
    this.#hostProber = new HostProber(
      this.#port,
      (bytes, from) => this.#receive(bytes, from),
      (error) => {
        this.stats.sendErrors += 1;
        log.debug({ err: error }, 'ws-discovery cannot ask a host');
      },
    );
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
      this.#close();
    }
  }

  probeNow(): void {
    this.#loop.burst();
  }

  /** Asks one host alone, beside the rounds. */
  probeHost(address: string): void {
    if (this.#elapsedMs() < this.#deafUntilMs) return;
    for (const type of HOST_PROBE_TYPES) {
      const id = randomUUID();
      this.#remember(id, address);
      this.stats.probesSent += 1;
      this.#hostProber.send(serializeProbe(id, type), address);
    }
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

  #remember(id: string, to?: string): void {
    this.#probeIds.set(id, to);
    if (this.#probeIds.size <= MAX_REMEMBERED_PROBES) return;
    for (const oldest of this.#probeIds.keys()) {
      this.#probeIds.delete(oldest);
      break;
    }
  }

  #rescan(): void {
    if (this.#elapsedMs() < this.#deafUntilMs) return;
    const interfaces = this.#options.listInterfaces();
    const keys = new Set(interfaces.map((each) => each.key));
    for (const [key, prober] of this.#probers) {
      if (prober.failed || !keys.has(key)) {
        prober.close();
        this.#probers.delete(key);
      }
    }
    for (const each of interfaces) {
      if (!this.#probers.has(each.key)) this.#probers.set(each.key, this.#openProber(each));
      this.#listener(each.family).join(each);
    }
  }

  #openProber(each: LocalInterface): Prober {
    const where = { interface: each.name, address: each.address };
    return new Prober(
      each,
      this.#port,
      (bytes, from) => this.#receive(bytes, from),
      () => {
        this.#failing.delete(each.key);
        this.#log.debug(where, 'ws-discovery probes here');
        this.#loop.burst();
      },
      // A new IPv6 address is none for a second or two (RFC 4862 §5.4): then it fails, and is opened again.
      (error) => {
        this.stats.sendErrors += 1;
        if (this.#failing.has(each.key)) return;
        if (this.#failing.size < MAX_FAILING) this.#failing.add(each.key);
        this.#log.debug({ ...where, err: error }, 'ws-discovery cannot send here');
      },
    );
  }

  #listener(family: 'IPv4' | 'IPv6'): GroupListener {
    const existing = this.#listeners.get(family);
    if (existing !== undefined && !existing.failed) return existing;
    const listener = new GroupListener(
      family,
      this.#port,
      (bytes, from) => this.#receive(bytes, from, true),
      (error) => this.#log.debug({ family, err: error }, 'ws-discovery cannot listen for hello'),
    );
    this.#listeners.set(family, listener);
    return listener;
  }

  #receive(datagram: Uint8Array, from: RemoteInfo, isUnasked = false): void {
    this.stats.datagrams += 1;
    const isHeard = this.#guard.hear(from.address, () => {
      if (isUnasked && this.#options.isHeard?.(from.address) === false) return;
      this.#hear(datagram, from.address);
    });
    if (isHeard) return;
    this.stats.dropped += 1;
    if (this.#guard.isFlood) this.#turnDeaf();
  }

  #hear(datagram: Uint8Array, address: string): void {
    try {
      this.#handle(datagram, address);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.stats.junk += 1;
      this.#log.debug({ address, err: error }, 'ws-discovery datagram not understood');
    }
  }

  #handle(datagram: Uint8Array, address: string): void {
    const message = parseWsDiscoveryMessage(datagram);
    switch (message.kind) {
      case 'matches': {
        // Some firmwares answer with an empty or mangled RelatesTo: counted, and used.
        const relatesTo = bareUuid(message.relatesTo ?? '');
        if (!this.#probeIds.has(relatesTo)) this.stats.unrelated += 1;
        const answered = this.#probeIds.get(relatesTo) === address;
        for (const endpoint of message.endpoints) this.#see(endpoint, address, answered);
        break;
      }
      case 'hello':
        this.#see(message.endpoint, address, false);
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
    const now = this.#elapsedMs();
    if (now - this.#lastHelloProbeMs < HELLO_PROBE_GAP_MS) return;
    this.#lastHelloProbeMs = now;
    this.probeNow();
  }

  #see(endpoint: DiscoveredEndpoint, address: string, answered: boolean): void {
    if (!isOnvifEndpoint(endpoint)) {
      this.stats.foreign += 1;
      return;
    }
    const scopes = parseScopes(endpoint.scopes);
    this.#sink.see({
      via: 'ws-discovery',
      key: endpointKey(endpoint, address),
      addresses: [address],
      answered,
      endpointReference: endpoint.endpointReference,
      serial: scopes.serial,
      mac: scopes.mac,
      manufacturer: scopes.manufacturer,
      model: scopes.hardware,
      name: scopes.name,
      xaddrs: endpoint.xaddrs,
    });
  }

  #turnDeaf(): void {
    if (this.#elapsedMs() < this.#deafUntilMs) return;
    this.#log.warn(
      { seconds: DEAF_MS / 1000 },
      'ws-discovery: a flood of datagrams; not listening',
    );
    this.#deafUntilMs = this.#elapsedMs() + DEAF_MS;
    this.#close();
  }

  #close(): void {
    for (const prober of this.#probers.values()) prober.close();
    for (const listener of this.#listeners.values()) listener.close();
    this.#hostProber.close();
    this.#probers.clear();
    this.#listeners.clear();
  }
}

function endpointKey(endpoint: DiscoveredEndpoint, address: string): string {
  return endpoint.endpointReference === undefined ? address : bareUuid(endpoint.endpointReference);
}
