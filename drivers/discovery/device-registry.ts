/**
 * One list of physical devices, whatever found them. A device is recognised by serial number, hardware address, endpoint
 * reference or host name, wherever it answers from; and by its address where nothing speaks against it, because addresses
 * change hands, and an encoder rack answers for each of its channels from one address.
 */
import { EventEmitter } from 'node:events';
import { DeviceAddresses } from './device-addresses.ts';
import {
  areTwoAtOnePlace,
  cleanIdentity,
  contradicts,
  fillIdentity,
  IDENTITY_FIELDS,
  type Identity,
  idFrom,
  isWeak,
  MAX_ID_CHARS,
  sharesIdentity,
} from './device-identity.ts';
import { DeviceUrls, MAX_KEYS } from './device-urls.ts';
import type { DiscoveryMethod, Sighting, SightingSink } from './sighting.ts';

/** More devices than a /22 of cameras; when full, those that count least and were silent longest make room. */
export const MAX_DEVICES = 1024;
/** An encoder rack has 64 channels; who says to be more makes room for himself. */
const MAX_DEVICES_AT_ONE_ADDRESS = 96;
/**
 * Who makes room is told of to all who listen, and who comes is, too: of what somebody makes up no more than this goes over
 * a thin uplink. A full list has room for four new devices a second.
 */
const ROOM_EVERY_MS = 250;
/** Heard again after so long: it has answered another burst, and was not made up to fill the list. */
const HEARD_AGAIN_MS = 5000;
/** Not heard from for two rounds: by now the address may belong to another device. */
const ADDRESS_EXPIRES_MS = 150_000;
/** A burst of probes is over by then: who has not answered at the address is not there any more. */
const TAKEN_OVER_MS = 4000;

export interface DiscoveredDevice {
  /** Matches `[a-z0-9-]{1,48}` and stays the same while the gateway runs. */
  readonly id: string;
  /** How it is seen now, for example `ws-discovery`, `mdns`. */
  readonly via: readonly string[];
  /** Where its packets come from, the one to try first in front; then what it says itself. */
  readonly addresses: readonly string[];
  /** It answered a question that was sent to it alone, so there is a way to it, even where its network is not ours. */
  readonly answered: boolean;
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
  /** It said goodbye, or has been silent for several rounds. It stays listed and may come back. */
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

export interface DeviceRegistryOptions {
  /** Milliseconds since the epoch: what people read. */
  readonly now: () => number;
  /** Milliseconds that pass evenly, whatever sets the clock. */
  readonly elapsedMs: () => number;
  /** How often devices are asked. */
  readonly intervalMs?: number;
  /** Two claim one address, or one answers from another than it did: asking everybody again tells. */
  readonly onDoubt?: () => void;
}

interface KeyHeard {
  readonly via: DiscoveryMethod;
  readonly heardMs: number;
}

interface Entry extends Identity {
  readonly id: string;
  readonly keys: Map<string, KeyHeard>;
  readonly addresses: DeviceAddresses;
  /** Kept when the device falls silent. */
  readonly urls: DeviceUrls;
  lastSeenAtMs: number;
  readonly firstHeardMs: number;
  lastHeardMs: number;
  /** It let somebody log in. */
  isKnown: boolean;
  snapshot: DiscoveredDevice | undefined;
}

export class DeviceRegistry extends EventEmitter<DeviceEvents> implements SightingSink {
  readonly #options: DeviceRegistryOptions;
  readonly #addressExpiresMs: number;
  readonly #entries = new Map<string, Entry>();
  #madeRoomAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: DeviceRegistryOptions) {
    super();
    this.#options = options;
    this.#addressExpiresMs = Math.max(ADDRESS_EXPIRES_MS, 2.5 * (options.intervalMs ?? 0));
  }

  get devices(): DiscoveredDevice[] {
    return [...this.#entries.values()].flatMap((entry) => entry.snapshot ?? []);
  }

  get(id: string): DiscoveredDevice | undefined {
    return this.#entries.get(id)?.snapshot;
  }

  /** Whoever it is that answers there. */
  at(address: string): DiscoveredDevice | undefined {
    for (const entry of this.#entries.values()) {
      if (entry.addresses.has(address)) return entry.snapshot;
    }
    return undefined;
  }

  /** When something was last heard from the address, in even milliseconds. */
  lastHeardMs(address: string): number {
    const heard = [...this.#entries.values()].map((entry) => entry.addresses.lastHeardMs(address));
    return Math.max(Number.NEGATIVE_INFINITY, ...heard.filter((each) => each !== undefined));
  }

  see(sighting: Sighting): void {
    const identity = cleanIdentity(sighting);
    const entry = this.#recognise(sighting, identity) ?? this.#add(identity, sighting);
    if (entry === undefined) return;
    const nowMs = this.#options.elapsedMs();
    entry.lastSeenAtMs = this.#options.now();
    entry.lastHeardMs = nowMs;
    const { via, key } = sighting;
    rememberKey(entry, `${via} ${key}`, { via, heardMs: nowMs });
    const isUnsure = entry.addresses.hear(sighting.addresses, sighting.answered === true, nowMs);
    const isClaimed = this.#takeOver(entry, sighting.addresses, nowMs);
    fillIdentity(entry, identity);
    entry.urls.say(`${via} ${key}`, sighting);
    this.#publish(entry);
    if (isUnsure || isClaimed) this.#options.onDoubt?.();
  }

  /** Adds what a login told about the device; it may turn out to be one already listed. */
  learn(id: string, learnt: LearntIdentity): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.isKnown = true;
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
      if (!entry.keys.delete(fullKey)) continue;
      if (via === 'mdns' && entry.keys.size > 0) entry.urls.forget(fullKey);
      // Who says goodbye leaves, however else it was found; an mDNS service may only be switched off.
      if (via === 'ws-discovery') this.#forgetKeys(entry, (each) => each.via !== 'mdns');
      this.#publish(entry);
    }
  }

  /** Those that were to answer and have not for so long are gone. mDNS has lifetimes of its own. */
  loseSilent(silentMs: number): void {
    const limitMs = this.#options.elapsedMs() - silentMs;
    for (const entry of this.#entries.values()) {
      const isSilent = ({ via, heardMs }: KeyHeard) => via !== 'mdns' && heardMs < limitMs;
      if (this.#forgetKeys(entry, isSilent)) this.#publish(entry);
    }
  }

  #forgetKeys(entry: Entry, isOver: (key: KeyHeard) => boolean): boolean {
    const before = entry.keys.size;
    for (const [fullKey, key] of entry.keys) if (isOver(key)) entry.keys.delete(fullKey);
    return entry.keys.size < before;
  }

  /** The entry it belongs to; those that it shows to be one become one. */
  #recognise(sighting: Sighting, identity: Identity): Entry | undefined {
    const fullKey = `${sighting.via} ${sighting.key}`;
    const isNobody = isWeak(identity);
    const same: Entry[] = [];
    const there: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (
        sharesIdentity(entry, identity) ||
        (entry.keys.has(fullKey) && !contradicts(entry, identity))
      ) {
        same.push(entry);
      } else if (
        // Somebody may have taken the place of one that is gone; who says nothing of himself is he.
        (entry.keys.size > 0 || isNobody) &&
        sighting.addresses.some((each) => entry.addresses.has(each))
      ) {
        there.push(entry);
      }
    }
    const together: Identity = { ...identity };
    const [first] = same;
    if (first !== undefined) fillIdentity(together, first);
    let found = first;
    for (const other of [...same.slice(1), ...there]) {
      const isOther = same.includes(other) ? contradicts : areTwoAtOnePlace;
      if (isOther(other, together)) continue;
      fillIdentity(together, other);
      if (found === undefined) found = other;
      else this.#absorb(found, other);
    }
    return found;
  }

  /** Whoever held these addresses before, and has not been heard there since, does so no longer. True: it may be so. */
  #takeOver(entry: Entry, addresses: readonly string[], nowMs: number): boolean {
    let isClaimed = false;
    for (const other of this.#entries.values()) {
      if (other === entry) continue;
      for (const address of addresses) {
        const heardMs = other.addresses.lastHeardMs(address);
        const sinceMs = entry.addresses.firstHeardMs(address) ?? nowMs;
        // What mDNS tells is true until it says otherwise, and Avahi tells it once.
        if (heardMs === undefined || isAnnounced(other)) continue;
        if (other.keys.size > 0) {
          if (heardMs >= sinceMs) continue;
          if (nowMs - sinceMs < TAKEN_OVER_MS) {
            isClaimed = true;
            continue;
          }
        }
        other.addresses.drop(address);
        this.#publish(other);
      }
    }
    return isClaimed;
  }

  #add(identity: Identity, { addresses, key }: Sighting): Entry | undefined {
    if (!this.#makeRoom(addresses)) return undefined;
    const nowMs = this.#options.elapsedMs();
    const entry: Entry = {
      id: this.#freeId(idFrom(identity, addresses, key)),
      keys: new Map(),
      addresses: new DeviceAddresses(this.#addressExpiresMs),
      urls: new DeviceUrls(),
      lastSeenAtMs: 0,
      firstHeardMs: nowMs,
      lastHeardMs: nowMs,
      isKnown: false,
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

  /** False: not now. */
  #makeRoom([address]: readonly string[]): boolean {
    const there = [...this.#entries.values()].filter(
      (entry) => address !== undefined && entry.addresses.first === address,
    );
    const isCrowded = there.length >= MAX_DEVICES_AT_ONE_ADDRESS;
    if (!isCrowded && this.#entries.size < MAX_DEVICES) return true;
    const nowMs = this.#options.elapsedMs();
    if (nowMs - this.#madeRoomAtMs < ROOM_EVERY_MS) return false;
    this.#madeRoomAtMs = nowMs;
    this.#evict(isCrowded ? there : this.#entries.values());
    return true;
  }

  #evict(entries: Iterable<Entry>): void {
    let least: Entry | undefined;
    for (const entry of entries) {
      if (least === undefined || countsLess(entry, least)) least = entry;
    }
    if (least !== undefined) this.#remove(least, undefined);
  }

  #absorb(entry: Entry, other: Entry): void {
    for (const [key, heard] of other.keys) rememberKey(entry, key, heard);
    entry.addresses.absorb(other.addresses);
    entry.isKnown ||= other.isKnown;
    fillIdentity(entry, other);
    entry.urls.absorb(other.urls);
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

function rememberKey({ keys }: Entry, fullKey: string, heard: KeyHeard): void {
  if (keys.has(fullKey) || keys.size < MAX_KEYS) keys.set(fullKey, heard);
}

function isAnnounced(entry: Entry): boolean {
  for (const { via } of entry.keys.values()) if (via === 'mdns') return true;
  return false;
}

function countsLess(a: Entry, b: Entry): boolean {
  const worth = worthOf(a) - worthOf(b);
  return worth < 0 || (worth === 0 && a.lastHeardMs < b.lastHeardMs);
}

/** A flood of devices that somebody makes up takes the place of none that was heard again, or logged in to. */
function worthOf(entry: Entry): number {
  const isGone = entry.keys.size === 0;
  if (entry.isKnown) return isGone ? 2 : 4;
  if (isGone) return 0;
  return entry.lastHeardMs - entry.firstHeardMs >= HEARD_AGAIN_MS ? 3 : 1;
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
    via: [...new Set([...entry.keys.values()].map(({ via }) => via))].sort(),
    addresses: entry.addresses.inOrder,
    answered: entry.addresses.hasAnswered,
    ...optional,
    xaddrs: entry.urls.all('xaddrs'),
    rtspUrls: entry.urls.all('rtspUrls'),
    sourceUrls: entry.urls.all('sourceUrls'),
    lastSeenAt: new Date(entry.lastSeenAtMs).toISOString(),
    gone: entry.keys.size === 0,
  };
}

function sameButForTime(a: DiscoveredDevice, b: DiscoveredDevice): boolean {
  return JSON.stringify({ ...a, lastSeenAt: '' }) === JSON.stringify({ ...b, lastSeenAt: '' });
}
