/**
 * One list of physical devices, whatever found them. A device is recognised by serial number,
 * hardware address, endpoint reference or host name; by its address only while nothing better is
 * known, because addresses change hands.
 */
import { EventEmitter } from 'node:events';
import { isIPv6 } from 'node:net';
import { bareUuid } from '../../protocols/ws-discovery/message.ts';
import { parseMac } from '../../protocols/ws-discovery/scopes.ts';
import type { DiscoveryMethod, Sighting, SightingSink } from './sighting.ts';

/** More devices than a /22 of cameras; when full, those gone or silent longest make room. */
export const MAX_DEVICES = 1024;
const MAX_ADDRESSES = 8;
const MAX_URLS = 16;
const MAX_KEYS = 64;
const MAX_TEXT_CHARS = 128;
const MAX_ID_CHARS = 48;
/** Not heard from for two rounds: by now the address may belong to another device. */
const ADDRESS_EXPIRES_MS = 150_000;
/** Serial numbers that factories forgot to fill in, shared by many devices. */
const PLACEHOLDER_SERIAL =
  /^(n\/?a|none|null|unknown|default|serial(number)?|(.)\3*|0*1?23456\d*)$/i;

export interface DiscoveredDevice {
  /** Matches `[a-z0-9-]{1,48}` and stays the same while the gateway runs. */
  readonly id: string;
  /** How it is seen now, for example `ws-discovery`, `mdns`. */
  readonly via: readonly string[];
  /** Where its packets come from, latest first; then what it says itself. */
  readonly addresses: readonly string[];
  readonly endpointReference?: string;
  readonly serial?: string;
  /** Twelve lower-case hexadecimal digits. */
  readonly mac?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly name?: string;
  /** ONVIF device service URLs as advertised; their host may be wrong, see `addresses`. */
  readonly xaddrs: readonly string[];
  readonly rtspUrls: readonly string[];
  /** Of other streams that it sends, such as MPEG-TS: `udp://@239.1.1.1:5000`, `tcp://10.0.0.9:5000`. */
  readonly sourceUrls: readonly string[];
  /** ISO UTC. */
  readonly lastSeenAt: string;
  /** It said goodbye. It stays listed and may come back. */
  readonly gone: boolean;
}

/** What a login teaches about a device. */
export interface LearntIdentity {
  readonly manufacturer?: string | undefined;
  readonly model?: string | undefined;
  readonly serial?: string | undefined;
  readonly mac?: string | undefined;
}

export interface DeviceEvents {
  /** New, or back after a goodbye. */
  found: [device: DiscoveredDevice];
  changed: [device: DiscoveredDevice];
  /** It left, made room, or turned out to be the same device as `supersededBy`. */
  gone: [device: DiscoveredDevice, supersededBy: DiscoveredDevice | undefined];
}

interface Entry {
  readonly id: string;
  readonly keys: Map<string, DiscoveryMethod>;
  /** Address → when last heard of. */
  addresses: Map<string, number>;
  endpointReference?: string | undefined;
  serial?: string | undefined;
  mac?: string | undefined;
  hostname?: string | undefined;
  manufacturer?: string | undefined;
  model?: string | undefined;
  name?: string | undefined;
  xaddrs: readonly string[];
  rtspUrls: readonly string[];
  sourceUrls: readonly string[];
  lastSeenAtMs: number;
  snapshot: DiscoveredDevice | undefined;
}

type Identity = Pick<
  Entry,
  'endpointReference' | 'serial' | 'mac' | 'hostname' | 'manufacturer' | 'model' | 'name'
>;

const IDENTITY_FIELDS = [
  'endpointReference',
  'serial',
  'mac',
  'hostname',
  'manufacturer',
  'model',
  'name',
] as const;

export class DeviceRegistry extends EventEmitter<DeviceEvents> implements SightingSink {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(now: () => number) {
    super();
    this.#now = now;
  }

  get devices(): DiscoveredDevice[] {
    return [...this.#entries.values()].flatMap((entry) => entry.snapshot ?? []);
  }

  get(id: string): DiscoveredDevice | undefined {
    return this.#entries.get(id)?.snapshot;
  }

  see(sighting: Sighting): void {
    const identity = cleanIdentity(sighting);
    const addresses = sighting.addresses.slice(0, MAX_ADDRESSES);
    const entry =
      this.#recognise(sighting, identity, addresses) ?? this.#add(identity, addresses, sighting);
    const now = this.#now();
    entry.lastSeenAtMs = now;
    rememberKey(entry, sighting);
    rememberAddresses(entry, addresses, now);
    fillIdentity(entry, identity);
    // What a device advertises by one method replaces what it said before by that method only:
    // mDNS knows RTSP URLs, WS-Discovery knows XAddrs.
    if (sighting.xaddrs !== undefined) entry.xaddrs = latestFirst(sighting.xaddrs, entry.xaddrs);
    if (sighting.rtspUrls !== undefined) {
      entry.rtspUrls = latestFirst(sighting.rtspUrls, entry.rtspUrls);
    }
    if (sighting.sourceUrls !== undefined) {
      entry.sourceUrls = latestFirst(sighting.sourceUrls, entry.sourceUrls);
    }
    this.#publish(entry);
  }

  /** Adds what a login told about the device; it may turn out to be one already listed. */
  learn(id: string, learnt: LearntIdentity): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const identity = cleanIdentity(learnt);
    // The device itself is a better source of its make and model than a scope that users may edit.
    entry.manufacturer = identity.manufacturer ?? entry.manufacturer;
    entry.model = identity.model ?? entry.model;
    fillIdentity(entry, identity);
    for (const other of [...this.#entries.values()]) {
      if (other !== entry && sharesIdentity(other, entry)) this.#absorb(entry, other);
    }
    this.#publish(entry);
  }

  lose(via: DiscoveryMethod, key: string): void {
    const fullKey = `${via} ${key}`;
    for (const entry of this.#entries.values()) {
      if (entry.keys.delete(fullKey)) this.#publish(entry);
    }
  }

  #recognise(
    sighting: Sighting,
    identity: Identity,
    addresses: readonly string[],
  ): Entry | undefined {
    const fullKey = `${sighting.via} ${sighting.key}`;
    const entries = [...this.#entries.values()];
    const same = entries.filter(
      (entry) =>
        sharesIdentity(entry, identity) ||
        (entry.keys.has(fullKey) && !contradicts(entry, identity)),
    );
    const [first, ...others] = same;
    if (first !== undefined) {
      for (const other of others) this.#absorb(first, other);
      return first;
    }
    const neighbours = entries.filter((entry) =>
      addresses.some((address) => entry.addresses.has(address)),
    );
    const [only] = neighbours;
    if (only === undefined || neighbours.length > 1 || contradicts(only, identity))
      return undefined;
    return isWeak(only) || isWeak(identity) ? only : undefined;
  }

  #add(identity: Identity, addresses: readonly string[], sighting: Sighting): Entry {
    if (this.#entries.size >= MAX_DEVICES) this.#evict();
    const entry: Entry = {
      id: this.#freeId(idFrom(identity, addresses, sighting.key)),
      keys: new Map(),
      addresses: new Map(),
      xaddrs: [],
      rtspUrls: [],
      sourceUrls: [],
      lastSeenAtMs: 0,
      snapshot: undefined,
    };
    this.#entries.set(entry.id, entry);
    return entry;
  }

  #freeId(wanted: string): string {
    if (!this.#entries.has(wanted)) return wanted;
    for (let count = 2; ; count += 1) {
      const suffix = `-${count}`;
      const id = wanted.slice(0, MAX_ID_CHARS - suffix.length) + suffix;
      if (!this.#entries.has(id)) return id;
    }
  }

  #evict(): void {
    let oldest: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (oldest === undefined || evictionRank(entry) < evictionRank(oldest)) oldest = entry;
    }
    if (oldest !== undefined) this.#remove(oldest, undefined);
  }

  #absorb(entry: Entry, other: Entry): void {
    for (const [key, via] of other.keys) entry.keys.set(key, via);
    for (const [address, seenAtMs] of other.addresses) {
      entry.addresses.set(address, Math.max(seenAtMs, entry.addresses.get(address) ?? 0));
    }
    fillIdentity(entry, other);
    entry.xaddrs = latestFirst(entry.xaddrs, other.xaddrs);
    entry.rtspUrls = latestFirst(entry.rtspUrls, other.rtspUrls);
    entry.sourceUrls = latestFirst(entry.sourceUrls, other.sourceUrls);
    this.#remove(other, entry);
  }

  #remove(entry: Entry, supersededBy: Entry | undefined): void {
    this.#entries.delete(entry.id);
    if (entry.snapshot === undefined) return;
    this.emit('gone', { ...entry.snapshot, gone: true }, supersededBy?.snapshot);
  }

  #publish(entry: Entry): void {
    const before = entry.snapshot;
    const device = toDevice(entry);
    entry.snapshot = device;
    if (device.gone) {
      if (before?.gone === false) this.emit('gone', device, undefined);
    } else if (before === undefined || before.gone) {
      this.emit('found', device);
    } else if (!sameButForTime(before, device)) {
      this.emit('changed', device);
    }
  }
}

function sharesIdentity(entry: Identity, identity: Identity): boolean {
  if (contradicts(entry, identity)) return false;
  return (['mac', 'serial', 'endpointReference', 'hostname'] as const).some(
    (field) => entry[field] !== undefined && entry[field] === identity[field],
  );
}

/** Factories clone endpoint references; a different serial or hardware address is another device. */
function contradicts(entry: Identity, identity: Identity): boolean {
  return (['serial', 'mac'] as const).some(
    (field) =>
      entry[field] !== undefined &&
      identity[field] !== undefined &&
      entry[field] !== identity[field],
  );
}

function isWeak(identity: Identity): boolean {
  return (
    identity.mac === undefined &&
    identity.serial === undefined &&
    identity.endpointReference === undefined
  );
}

function cleanIdentity(raw: Partial<Identity>): Identity {
  const serial = cleanText(raw.serial);
  const reference = cleanText(raw.endpointReference);
  const isUsefulSerial =
    serial !== undefined && serial.length >= 4 && !PLACEHOLDER_SERIAL.test(serial);
  return {
    endpointReference: reference === undefined ? undefined : bareUuid(reference),
    serial: isUsefulSerial ? serial : undefined,
    // Axis and others use the hardware address as the serial number.
    mac: parseMac(raw.mac) ?? parseMac(serial) ?? macOfUuid(reference),
    hostname: cleanText(raw.hostname)?.toLowerCase(),
    manufacturer: cleanText(raw.manufacturer),
    model: cleanText(raw.model),
    name: cleanText(raw.name),
  };
}

/** A time-based UUID ends in the hardware address of who made it (RFC 4122 §4.1.6). */
function macOfUuid(reference: string | undefined): string | undefined {
  const uuid = reference === undefined ? '' : bareUuid(reference);
  const match = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-([0-9a-f]{12})$/.exec(
    uuid,
  );
  return parseMac(match?.[1]);
}

function cleanText(text: string | undefined): string | undefined {
  const cleaned = text
    ?.replace(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT_CHARS);
  return cleaned === '' ? undefined : cleaned;
}

function fillIdentity(entry: Entry, identity: Identity): void {
  for (const field of IDENTITY_FIELDS) entry[field] ??= identity[field];
}

function rememberKey(entry: Entry, sighting: Sighting): void {
  const fullKey = `${sighting.via} ${sighting.key}`;
  if (entry.keys.has(fullKey) || entry.keys.size < MAX_KEYS) entry.keys.set(fullKey, sighting.via);
}

function rememberAddresses(entry: Entry, addresses: readonly string[], now: number): void {
  const fresh = new Map(addresses.map((address) => [address, now]));
  for (const [address, seenAtMs] of entry.addresses) {
    if (fresh.size >= MAX_ADDRESSES) break;
    if (!fresh.has(address) && now - seenAtMs < ADDRESS_EXPIRES_MS) fresh.set(address, seenAtMs);
  }
  if (fresh.size > 0) entry.addresses = fresh;
}

function latestFirst(latest: readonly string[], earlier: readonly string[]): string[] {
  return [...new Set([...latest, ...earlier])].slice(0, MAX_URLS);
}

function idFrom(identity: Identity, addresses: readonly string[], key: string): string {
  const best =
    identity.mac ??
    identity.serial ??
    identity.endpointReference ??
    identity.hostname?.replace(/\.local\.?$/, '') ??
    addresses[0] ??
    key;
  const slug = best
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_ID_CHARS)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'device' : slug;
}

function evictionRank(entry: Entry): number {
  return entry.keys.size === 0 ? entry.lastSeenAtMs - Number.MAX_SAFE_INTEGER : entry.lastSeenAtMs;
}

function toDevice(entry: Entry): DiscoveredDevice {
  const optional: Partial<Record<Exclude<(typeof IDENTITY_FIELDS)[number], 'hostname'>, string>> =
    {};
  for (const field of IDENTITY_FIELDS) {
    const value = entry[field];
    if (field !== 'hostname' && value !== undefined) optional[field] = value;
  }
  return {
    id: entry.id,
    via: [...new Set(entry.keys.values())].sort(),
    // Link-local IPv6 last: players and people can rarely use it.
    addresses: [...entry.addresses.keys()].sort((a, b) => Number(isIPv6(a)) - Number(isIPv6(b))),
    ...optional,
    xaddrs: entry.xaddrs,
    rtspUrls: entry.rtspUrls,
    sourceUrls: entry.sourceUrls,
    lastSeenAt: new Date(entry.lastSeenAtMs).toISOString(),
    gone: entry.keys.size === 0,
  };
}

function sameButForTime(a: DiscoveredDevice, b: DiscoveredDevice): boolean {
  return JSON.stringify({ ...a, lastSeenAt: '' }) === JSON.stringify({ ...b, lastSeenAt: '' });
}
