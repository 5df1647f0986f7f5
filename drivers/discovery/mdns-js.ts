/**
 * The mDNS browser in plain JavaScript: one `multicast-dns` socket per IPv4 interface on port 5353,
 * shared with Avahi or whoever else listens there. It only asks; it announces nothing.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import type createMulticastDns from 'multicast-dns';
import type { Logger } from 'pino';
import { type MdnsRecord, ServiceCache } from '../../protocols/mdns/service-cache.ts';
import { FloodGuard } from './flood-guard.ts';
import { type LocalInterface, linkFinder } from './interfaces.ts';
import { keyOf, SERVICE_TYPES, sightingOf } from './mdns-sighting.ts';
import { ProbeLoop } from './probe-loop.ts';
import type { SightingSink } from './sighting.ts';

export const MDNS_PORT = 5353;
const MDNS_GROUP_V4 = '224.0.0.251';
/** RFC 6762 §5.2: at least one second between the first queries, then further apart. */
const BURST_PAUSES_MS = [20, 1000, 2000];
/** RFC 6762 §17. */
const MAX_PACKET_BYTES = 9000;
/** A packet of that size holds a few hundred records. */
const MAX_RECORDS_PER_PACKET = 512;
const MAX_QUESTIONS = 64;
/** QR (RFC 1035 §4.1.1), in the third byte. */
const RESPONSE_BIT = 0x80;
/** RFC 6762 §5.2 again, for questions about instances that came without details. */
const MIN_FOLLOW_UP_GAP_MS = 1000;

/** So long nothing is heard when more comes than can be borne. */
const DEAF_MS = 5000;

type MulticastDns = ReturnType<typeof createMulticastDns>;

export interface MdnsOptions {
  readonly intervalMs: number;
  readonly listInterfaces: () => readonly LocalInterface[];
  /** Who is listened to; everybody by default. */
  readonly isHeard?: (address: string) => boolean;
  /** 5353 but in tests. */
  readonly port?: number;
}

export class MdnsBrowser {
  readonly stats = { queriesSent: 0, packets: 0, junk: 0 };
  readonly #options: MdnsOptions;
  readonly #port: number;
  readonly #sink: SightingSink;
  readonly #log: Logger;
  readonly #loop: ProbeLoop;
  /** By link, which is told by the sender's address: every socket hears all interfaces. */
  readonly #caches = new Map<string, ServiceCache>();
  readonly #sockets = new Map<string, MulticastDns>();
  /** Interfaces where port 5353 is held exclusively: ask from a port of our own (RFC 6762 §6.7). */
  readonly #legacy = new Set<string>();
  #linkOf: (address: string) => string = () => '';
  readonly #guard = new FloodGuard();
  #deafUntilMs = 0;
  #lastFollowUpMs = Number.NEGATIVE_INFINITY;
  #create: typeof createMulticastDns | undefined;

  constructor(options: MdnsOptions, sink: SightingSink, log: Logger) {
    this.#options = options;
    this.#port = options.port ?? MDNS_PORT;
    this.#sink = sink;
    this.#log = log;
    this.#loop = new ProbeLoop({
      intervalMs: options.intervalMs,
      burstPausesMs: BURST_PAUSES_MS,
      rescan: () => this.#rescan(),
      probe: () => this.#probe(),
    });
  }

  /** Asks and listens until aborted; never throws for what the network does. */
  async run(signal: AbortSignal): Promise<void> {
    this.#create ??= (await import('multicast-dns')).default;
    try {
      await this.#loop.run(signal);
    } finally {
      for (const socket of this.#sockets.values()) socket.destroy();
      this.#sockets.clear();
    }
  }

  /** Whether the service is announced now. */
  knows(key: string): boolean {
    return [...this.#caches].some(([link, cache]) =>
      cache.keys.some((each) => keyOf(each, link) === key),
    );
  }

  probeNow(): void {
    this.#loop.burst();
  }

  #rescan(): void {
    for (const [link, cache] of this.#caches) {
      const lost = cache.expire(performance.now());
      for (const key of lost) this.#sink.lose('mdns', keyOf(key, link));
    }
    if (performance.now() < this.#deafUntilMs) return;
    const interfaces = this.#options.listInterfaces().filter((each) => each.family === 'IPv4');
    const keys = new Set(interfaces.map((each) => each.key));
    for (const [key, socket] of this.#sockets) {
      if (keys.has(key)) continue;
      socket.destroy();
      this.#sockets.delete(key);
    }
    this.#linkOf = linkFinder(interfaces);
    const added = interfaces.filter((each) => !this.#sockets.has(each.key));
    for (const each of added) this.#open(each);
    if (added.length > 0) this.#loop.burst();
  }

  #open(each: LocalInterface): void {
    const socket = this.#create?.({
      socket: this.#attentiveSocket(),
      port: this.#legacy.has(each.key) ? 0 : this.#port,
      interface: each.address,
      bind: '0.0.0.0',
      loopback: true,
    });
    if (socket === undefined) return;
    this.#sockets.set(each.key, socket);
    socket.on('response', ({ answers, additionals }, { address }) => {
      if (this.#options.isHeard?.(address) === false) return;
      this.#receive([...answers, ...additionals], this.#linkOf(address));
    });
    socket.on('warning', (error) => {
      this.stats.junk += 1;
      this.#log.debug({ interface: each.name, err: error }, 'mdns packet not understood');
    });
    socket.on('error', (error) => {
      this.#log.debug({ interface: each.name, err: error }, 'mdns cannot use its port here');
      socket.destroy();
      this.#sockets.delete(each.key);
      // Opened again at the next look at the interfaces.
      this.#legacy.add(each.key);
    });
  }

  /**
   * Hands on only what is worth decoding, because that takes longer than anything else: no questions, which are most of
   * what is sent on a network full of phones.
   */
  #attentiveSocket(): Socket {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    const emit = socket.emit.bind(socket);
    socket.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      if (event !== 'message') return emit(event, ...args);
      const [packet, from] = args as [Buffer, RemoteInfo];
      const isResponse = ((packet[2] ?? 0) & RESPONSE_BIT) !== 0;
      const isWorthIt = isResponse && packet.length <= MAX_PACKET_BYTES;
      if (!isWorthIt) this.#guard.pass();
      const isHeard = isWorthIt && this.#guard.hear(from.address, () => emit(event, ...args));
      if (!isHeard) this.#mindFlood();
      return isHeard;
    };
    return socket;
  }

  /** Every socket hears all of it: no hearing is the only way not to pay for it. */
  #mindFlood(): void {
    if (!this.#guard.isFlood || performance.now() < this.#deafUntilMs) return;
    this.#log.warn({ seconds: DEAF_MS / 1000 }, 'mdns: a flood of packets; not listening');
    this.#deafUntilMs = performance.now() + DEAF_MS;
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sockets.clear();
  }

  #probe(): void {
    const questions: { name: string; type: string }[] = [
      ...SERVICE_TYPES.map((type) => ({ name: `${type}.local`, type: 'PTR' })),
      ...this.#missing(),
    ];
    this.#ask(questions.slice(0, MAX_QUESTIONS));
  }

  #ask(questions: readonly { name: string; type: string }[]): void {
    for (const socket of this.#sockets.values()) {
      this.stats.queriesSent += 1;
      socket.query(questions, { address: MDNS_GROUP_V4, port: this.#port });
    }
  }

  #receive(decoded: readonly object[], link: string): void {
    this.stats.packets += 1;
    const records = decoded
      .slice(0, MAX_RECORDS_PER_PACKET)
      .flatMap((each) => toRecord(each) ?? []);
    const cache = this.#cache(link);
    const changes = cache.apply(records, performance.now());
    for (const service of changes.seen) this.#sink.see(sightingOf(service, link));
    for (const key of changes.lost) this.#sink.lose('mdns', keyOf(key, link));
    this.#askForDetails();
  }

  #cache(link: string): ServiceCache {
    const existing = this.#caches.get(link);
    if (existing !== undefined) return existing;
    const cache = new ServiceCache(SERVICE_TYPES, 2 * this.#options.intervalMs);
    this.#caches.set(link, cache);
    return cache;
  }

  #missing(): { name: string; type: string }[] {
    return [...this.#caches.values()]
      .flatMap((cache) => cache.missing())
      .filter(({ name }) => isAskable(name));
  }

  /** A PTR may come alone: ask for the rest, at most once a second; later rounds ask again. */
  #askForDetails(): void {
    const now = performance.now();
    if (now - this.#lastFollowUpMs < MIN_FOLLOW_UP_GAP_MS) return;
    const missing = this.#missing().slice(0, MAX_QUESTIONS);
    if (missing.length === 0) return;
    this.#lastFollowUpMs = now;
    this.#ask(missing);
  }
}

/**
 * Names come from the wire, and what was not UTF-8 has grown: ask only for what fits RFC 1035 §2.3.4,
 * because the encoder does not check.
 */
function isAskable(name: string): boolean {
  const lengths = name.split('.').map((label) => Buffer.byteLength(label));
  return lengths.every((length) => length > 0 && length < 64) && Buffer.byteLength(name) < 254;
}

/** Boundary to `dns-packet`: whatever it decoded, only the shapes we know pass. */
function toRecord(decoded: object): MdnsRecord | undefined {
  const { name, type, ttl, data, flush } = decoded as Record<string, unknown>;
  if (typeof name !== 'string') return undefined;
  const ttlS = typeof ttl === 'number' ? ttl : 0;
  switch (type) {
    case 'PTR':
      return typeof data === 'string' ? { type, name, ttlS, target: data } : undefined;
    case 'SRV': {
      const { target, port } = (data ?? {}) as Record<string, unknown>;
      if (typeof target !== 'string' || typeof port !== 'number') return undefined;
      return { type, name, ttlS, target, port };
    }
    case 'TXT': {
      const strings = Array.isArray(data) ? data : [data];
      return { type, name, ttlS, strings: strings.filter((each) => each instanceof Uint8Array) };
    }
    case 'A':
    case 'AAAA':
      return typeof data === 'string' && isIP(data) !== 0
        ? { type, name, ttlS, address: data, flush: flush === true }
        : undefined;
    default:
      return undefined;
  }
}
