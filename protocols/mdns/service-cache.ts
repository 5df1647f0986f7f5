/**
 * DNS-SD services put together from the records of mDNS answers: PTR and SRV name an instance, SRV
 * its host and port, TXT its attributes, A and AAAA the host's addresses, in any order and packet.
 *
 * RFC 6763 §4, §6 (TXT); RFC 6762 §10.1 (goodbye: TTL 0), §10.2 (cache-flush, for addresses; the rest has one record
 * of a kind). Not handled: subtypes, known-answer suppression. One cache is for one link: names are unique there only.
 */

/** Cameras only announce one to three services each; the limits only stop abuse. */
const MAX_INSTANCES = 2048;
const MAX_HOSTS = 2048;
const MAX_ADDRESSES_PER_HOST = 8;
/** Are told of when the host's addresses are heard: an encoder rack has 64 channels. */
const MAX_INSTANCES_PER_HOST = 64;
const MAX_TXT_ENTRIES = 64;
/** RFC 6762 §10, for what is no address. We ask far more often, and what somebody makes up has to end. */
const MAX_TTL_S = 4500;
/** RFC 6762 §10.2: what came within the last second belongs to the same announcement. */
const FLUSH_SPARES_MS = 1000;

export type MdnsRecord =
  | { readonly type: 'PTR'; readonly name: string; readonly ttlS: number; readonly target: string }
  | {
      readonly type: 'SRV';
      readonly name: string;
      readonly ttlS: number;
      readonly target: string;
      readonly port: number;
    }
  | {
      readonly type: 'TXT';
      readonly name: string;
      readonly ttlS: number;
      readonly strings: readonly Uint8Array[];
    }
  | {
      readonly type: 'A' | 'AAAA';
      readonly name: string;
      readonly ttlS: number;
      readonly address: string;
      /** The sender has no others than those of this packet. */
      readonly flush: boolean;
    };

export interface MdnsService {
  /** The full instance name in lower case: identifies it. */
  readonly key: string;
  /** The instance label as people see it. */
  readonly name: string;
  /** For example `_rtsp._tcp`. */
  readonly type: string;
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** Keys in lower case. */
  readonly txt: ReadonlyMap<string, string>;
}

export interface MdnsChanges {
  /** Complete services that the records spoke of. */
  readonly seen: readonly MdnsService[];
  /** Keys of those that said goodbye. */
  readonly lost: readonly string[];
}

interface HostAddress {
  readonly type: 'A' | 'AAAA';
  readonly heardAtMs: number;
  readonly expiresAtMs: number;
}

export interface MdnsQuestion {
  readonly name: string;
  readonly type: 'SRV' | 'TXT' | 'A';
}

interface Instance {
  readonly key: string;
  readonly name: string;
  readonly type: string;
  expiresAtMs: number;
  fullName: string;
  host: string | undefined;
  port: number;
  txt: ReadonlyMap<string, string> | undefined;
}

export class ServiceCache {
  readonly #types: readonly string[];
  readonly #minTtlMs: number;
  readonly #instances = new Map<string, Instance>();
  /** Host in lower case → address. */
  readonly #hosts = new Map<string, Map<string, HostAddress>>();

  /**
   * `types` like `_rtsp._tcp`; others are ignored. No record expires before `minTtlMs`: devices
   * with a TTL shorter than the time between two queries would come and go.
   */
  constructor(types: readonly string[], minTtlMs: number) {
    this.#types = types;
    this.#minTtlMs = minTtlMs;
  }

  apply(records: readonly MdnsRecord[], nowMs: number): MdnsChanges {
    const touched = new Set<Instance>();
    const touchedHosts = new Set<string>();
    const lost: string[] = [];
    for (const record of records) {
      if (record.type === 'A' || record.type === 'AAAA') {
        this.#applyAddress(record, nowMs);
        touchedHosts.add(hostKey(record.name));
        continue;
      }
      const fullName = record.type === 'PTR' ? record.target : record.name;
      if (record.ttlS === 0 && record.type !== 'TXT') {
        if (this.#instances.delete(fullName.toLowerCase())) lost.push(fullName.toLowerCase());
        continue;
      }
      const instance = this.#instance(fullName);
      if (instance === undefined) continue;
      touched.add(instance);
      instance.expiresAtMs = Math.max(instance.expiresAtMs, this.#expiry(record.ttlS, nowMs));
      if (record.type === 'SRV') {
        instance.host = record.target;
        instance.port = record.port;
      } else if (record.type === 'TXT') {
        instance.txt = parseTxt(record.strings);
      }
    }
    if (touchedHosts.size > 0) this.#touchServicesOf(touchedHosts, touched);
    return { seen: [...touched].flatMap((each) => this.#complete(each) ?? []), lost };
  }

  #touchServicesOf(hosts: ReadonlySet<string>, touched: Set<Instance>): void {
    const counts = new Map<string, number>();
    for (const instance of this.#instances.values()) {
      if (instance.host === undefined) continue;
      const host = hostKey(instance.host);
      const count = counts.get(host) ?? 0;
      if (!hosts.has(host) || count >= MAX_INSTANCES_PER_HOST) continue;
      counts.set(host, count + 1);
      touched.add(instance);
    }
  }

  /** Of every instance that has been named. */
  get keys(): string[] {
    return [...this.#instances.keys()];
  }

  /** Forgets what was not announced again in time; the keys of the services lost by it. */
  expire(nowMs: number): string[] {
    for (const [host, addresses] of this.#hosts) {
      for (const [address, { expiresAtMs }] of addresses) {
        if (expiresAtMs <= nowMs) addresses.delete(address);
      }
      if (addresses.size === 0) this.#hosts.delete(host);
    }
    const lost: string[] = [];
    for (const [key, instance] of this.#instances) {
      if (instance.expiresAtMs > nowMs) continue;
      this.#instances.delete(key);
      lost.push(key);
    }
    return lost;
  }

  /** What is still to be asked for instances named but not described. */
  missing(): MdnsQuestion[] {
    const questions: MdnsQuestion[] = [];
    for (const instance of this.#instances.values()) {
      if (instance.host === undefined) questions.push({ name: instance.fullName, type: 'SRV' });
      else if (!this.#hosts.has(hostKey(instance.host))) {
        questions.push({ name: instance.host, type: 'A' });
      }
      if (instance.txt === undefined) questions.push({ name: instance.fullName, type: 'TXT' });
    }
    return questions;
  }

  #applyAddress(record: MdnsRecord & { type: 'A' | 'AAAA' }, nowMs: number): void {
    const host = hostKey(record.name);
    const { type, address, ttlS } = record;
    const addresses = this.#hosts.get(host) ?? new Map<string, HostAddress>();
    if (record.flush) {
      for (const [other, { type: kind, heardAtMs }] of addresses) {
        if (kind === type && nowMs - heardAtMs > FLUSH_SPARES_MS) addresses.delete(other);
      }
    }
    if (ttlS === 0) {
      addresses.delete(address);
    } else if (addresses.has(address) || addresses.size < MAX_ADDRESSES_PER_HOST) {
      addresses.set(address, { type, heardAtMs: nowMs, expiresAtMs: this.#expiry(ttlS, nowMs) });
    }
    if (addresses.size === 0) this.#hosts.delete(host);
    else if (this.#hosts.has(host) || this.#hosts.size < MAX_HOSTS) {
      this.#hosts.set(host, addresses);
    }
  }

  #instance(fullName: string): Instance | undefined {
    const key = fullName.toLowerCase();
    const existing = this.#instances.get(key);
    if (existing !== undefined) return existing;
    const type = this.#types.find((each) => key.endsWith(`.${each}.local`));
    if (type === undefined || this.#instances.size >= MAX_INSTANCES) return undefined;
    const instance: Instance = {
      key,
      name: fullName.slice(0, -`.${type}.local`.length),
      type,
      expiresAtMs: 0,
      fullName,
      host: undefined,
      port: 0,
      txt: undefined,
    };
    this.#instances.set(key, instance);
    return instance;
  }

  #expiry(ttlS: number, nowMs: number): number {
    return nowMs + Math.max(this.#minTtlMs, Math.min(ttlS, MAX_TTL_S) * 1000);
  }

  #complete(instance: Instance): MdnsService | undefined {
    const { key, name, type, host, port } = instance;
    const addresses = host === undefined ? undefined : this.#hosts.get(hostKey(host));
    if (host === undefined || addresses === undefined) return undefined;
    return {
      key,
      name,
      type,
      host,
      port,
      // Where it was announced last.
      addresses: [...addresses]
        .sort(([, a], [, b]) => b.heardAtMs - a.heardAtMs)
        .map(([address]) => address),
      txt: instance.txt ?? new Map(),
    };
  }
}

/** RFC 6763 §6.4: `key=value`, the first of a key counts, a string without a key is ignored. */
export function parseTxt(strings: readonly Uint8Array[]): Map<string, string> {
  const entries = new Map<string, string>();
  for (const bytes of strings.slice(0, MAX_TXT_ENTRIES)) {
    const text = new TextDecoder().decode(bytes);
    const equals = text.indexOf('=');
    const key = (equals === -1 ? text : text.slice(0, equals)).toLowerCase();
    if (key !== '' && !entries.has(key))
      entries.set(key, equals === -1 ? '' : text.slice(equals + 1));
  }
  return entries;
}

function hostKey(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
