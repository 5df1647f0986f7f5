/**
 * Discovery: WS-Discovery and mDNS side by side, reporting into one list of devices. It only finds;
 * whether a device is adopted, and with which password, others decide.
 */
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ProtocolError } from '../../codecs/errors.ts';
import type { DriverContext } from '../driver.ts';
import {
  type DeviceEvents,
  DeviceRegistry,
  type DiscoveredDevice,
  type LearntIdentity,
} from './device-registry.ts';
import { isHeardOn, type LocalInterface, listInterfaces } from './interfaces.ts';
import { KnownHosts } from './known-hosts.ts';
import { ManyWaits } from './many-waits.ts';
import { AvahiBrowser, findMdnsPackage, SETUP_MDNS_HINT } from './mdns-avahi.ts';
import { MdnsBrowser } from './mdns-js.ts';
import { resolveHost } from './mdns-resolve.ts';
import { parseScanNetwork } from './scan-network.ts';
import { type ScanProgress, scanSubnet } from './subnet-scan.ts';
import { WsDiscovery } from './ws-discovery.ts';

/** A burst of probes takes 2 s; many cameras that are lost at once are looked for together. */
const SEARCH_GAP_MS = 5000;
/** A camera that has moved was heard within the last minutes; one that is off would cost a burst at each attempt. */
const LOST_FOR_LONG_MS = 180_000;

/** Three rounds of questions, and time for the answers: what our own browser has not found by then is not there. */
const HANDOVER_MS = 6000;

export type MdnsBackend = 'js' | 'avahi' | 'auto';

export interface DiscoveryOptions {
  readonly onvif: boolean;
  readonly mdns: boolean;
  /** `avahi` needs the `mdns` package; `auto` uses it when it is there. `js` serves otherwise. */
  readonly mdnsBackend: MdnsBackend;
  readonly intervalMs: number;
  /** Names; empty: every interface but loopback. */
  readonly interfaces: readonly string[];
  /** Names and addresses that are asked one by one, where multicast does not get. */
  readonly hosts?: readonly string[];
}

/** What tests replace: other ports, another list of interfaces, another place to look for `mdns`. */
export interface DiscoveryNetwork {
  readonly wsDiscoveryPort?: number;
  readonly mdnsPort?: number;
  readonly listInterfaces?: () => readonly LocalInterface[];
  readonly findMdnsPackage?: () => string | undefined;
}

export class Discovery extends EventEmitter<DeviceEvents> {
  readonly #options: DiscoveryOptions;
  readonly #log: Logger;
  readonly #registry: DeviceRegistry;
  readonly #wsDiscovery: WsDiscovery | undefined;
  readonly #mdns: MdnsBrowser | undefined;
  readonly #avahi: AvahiBrowser | undefined;
  readonly #knownHosts: KnownHosts | undefined;
  #isScanning = false;
  #search: NodeJS.Timeout | undefined;
  #lastSearchMs = Number.NEGATIVE_INFINITY;

  constructor(options: DiscoveryOptions, context: DriverContext, network: DiscoveryNetwork = {}) {
    super();
    this.#options = options;
    this.#log = context.log;
    const elapsedMs = () => performance.now();
    this.#registry = new DeviceRegistry({
      now: context.now,
      elapsedMs,
      intervalMs: options.intervalMs,
      onDoubt: () => this.#searchAgain(),
    });
    this.#registry.on('found', (device) => this.emit('found', device));
    this.#registry.on('changed', (device) => this.emit('changed', device));
    this.#registry.on('gone', (device, by) => this.emit('gone', device, by));
    const { intervalMs } = options;
    const interfaces = network.listInterfaces ?? (() => listInterfaces(options.interfaces));
    const isHeard = (address: string) => isHeardOn(options.interfaces, address);
    if (options.onvif) {
      const wsDiscovery = new WsDiscovery(
        {
          intervalMs,
          listInterfaces: interfaces,
          isHeard,
          ...optional('port', network.wsDiscoveryPort),
        },
        this.#registry,
        this.#log,
      );
      this.#wsDiscovery = wsDiscovery;
      this.#knownHosts = new KnownHosts(
        {
          hosts: options.hosts ?? [],
          intervalMs,
          probe: (address) => wsDiscovery.probeHost(address),
          resolve: (host) => resolveHost(host, interfaces()),
          elapsedMs,
        },
        this.#registry,
      );
    }
    if (options.mdns) {
      this.#mdns = new MdnsBrowser(
        {
          intervalMs,
          listInterfaces: interfaces,
          isHeard,
          ...optional('port', network.mdnsPort),
        },
        this.#registry,
        this.#log,
      );
      this.#avahi = this.#findAvahi(interfaces, network.findMdnsPackage ?? findMdnsPackage);
    }
  }

  get devices(): readonly DiscoveredDevice[] {
    return this.#registry.devices;
  }

  device(id: string): DiscoveredDevice | undefined {
    return this.#registry.get(id);
  }

  /** Adds what a login told about a device found here. */
  learn(id: string, learnt: LearntIdentity): void {
    this.#registry.learn(id, learnt);
  }

  /** Addresses where devices were in an earlier life: asked one by one from now on, beside multicast. */
  remember(addresses: readonly string[]): void {
    this.#knownHosts?.remember(addresses);
  }

  /** Looks until aborted. Never throws for what the network or a device does. */
  async run(caller: AbortSignal): Promise<void> {
    using waits = new ManyWaits(caller);
    const { signal } = waits;
    const methods: Promise<void>[] = [];
    if (this.#wsDiscovery !== undefined) methods.push(this.#wsDiscovery.run(signal));
    if (this.#mdns !== undefined) methods.push(this.#runMdns(this.#mdns, signal));
    if (this.#knownHosts !== undefined) methods.push(this.#knownHosts.run(signal));
    if (methods.length === 0 && !signal.aborted) await once(signal, 'abort');
    await Promise.all(methods);
  }

  /**
   * Asks every address of a small network; what is found is seen as always. One scan at a time; rejects when it cannot
   * begin, and when `signal` aborts.
   */
  async scan(
    network: string,
    signal: AbortSignal,
    onProgress?: (progress: ScanProgress) => void,
  ): Promise<ScanProgress> {
    const wanted = parseScanNetwork(network);
    if (this.#isScanning) {
      throw new ProtocolError('SCAN_RUNNING', 'another network is being scanned: ask again later');
    }
    this.#isScanning = true;
    try {
      const probe = (address: string) => this.#wsDiscovery?.probeHost(address);
      return await scanSubnet(wanted, { probe, sink: this.#registry, onProgress }, signal);
    } finally {
      this.#isScanning = false;
    }
  }

  /** Asks again now, as for `discover` on demand. */
  probeNow(): void {
    const methods = [this.#wsDiscovery, this.#mdns, this.#avahi, this.#knownHosts];
    for (const method of methods) method?.probeNow();
  }

  /** A device does not answer where it was: asks everybody again. One that has been silent for long is asked in the rounds only. */
  searchFor(id: string): void {
    const addresses = this.#registry.get(id)?.addresses ?? [];
    const heardMs = Math.max(...addresses.map((address) => this.#registry.lastHeardMs(address)));
    if (performance.now() - heardMs < LOST_FOR_LONG_MS) this.#searchAgain();
  }

  /** Soon, but not more often than is good for a network. */
  #searchAgain(): void {
    const waitMs = this.#lastSearchMs + SEARCH_GAP_MS - performance.now();
    clearTimeout(this.#search);
    if (waitMs > 0) {
      this.#search = setTimeout(() => this.#searchAgain(), waitMs).unref();
      return;
    }
    this.#lastSearchMs = performance.now();
    this.probeNow();
  }

  #findAvahi(
    interfaces: () => readonly LocalInterface[],
    find: () => string | undefined,
  ): AvahiBrowser | undefined {
    if (this.#options.mdnsBackend === 'js') return undefined;
    const path = find();
    if (path !== undefined) {
      const { intervalMs } = this.#options;
      const options = { packagePath: path, intervalMs, listInterfaces: interfaces };
      return new AvahiBrowser(options, this.#registry, this.#log);
    }
    if (this.#options.mdnsBackend === 'avahi') this.#log.warn(SETUP_MDNS_HINT);
    return undefined;
  }

  async #runMdns(js: MdnsBrowser, signal: AbortSignal): Promise<void> {
    const avahi = this.#avahi;
    const reason = await avahi?.run(signal);
    if (signal.aborted) return;
    if (reason !== undefined) {
      this.#log.warn({ reason }, 'mdns: the Avahi backend ended, our own browser takes over');
    }
    const handedOver = setTimeout(() => avahi?.forget((key) => js.knows(key)), HANDOVER_MS);
    try {
      await js.run(signal);
    } finally {
      clearTimeout(handedOver);
    }
  }
}

export interface DiscoverOnceOptions {
  readonly timeoutMs: number;
  readonly interfaces: readonly string[];
  /** Asked address by address beside the rest; then it takes as long as that takes. */
  readonly scan?: string | undefined;
  readonly log: Logger;
  readonly network?: DiscoveryNetwork;
  readonly onDevices?: (devices: readonly DiscoveredDevice[]) => void;
  readonly onScan?: (progress: ScanProgress) => void;
  /** Ends it early; what was found until then is returned. */
  readonly signal?: AbortSignal;
}

/** Looks for `timeoutMs`, and for as long as the scan takes, and returns what was found. */
export async function discoverOnce(options: DiscoverOnceOptions): Promise<DiscoveredDevice[]> {
  const discovery = new Discovery(
    {
      onvif: true,
      mdns: true,
      mdnsBackend: 'js',
      intervalMs: 60_000,
      interfaces: options.interfaces,
    },
    { log: options.log, now: Date.now },
    options.network,
  );
  const report = () => options.onDevices?.(discovery.devices);
  discovery.on('found', report).on('changed', report).on('gone', report);
  const over = new AbortController();
  const signal =
    options.signal === undefined ? over.signal : AbortSignal.any([over.signal, options.signal]);
  const running = discovery.run(signal);
  try {
    const scanned =
      options.scan === undefined ? undefined : discovery.scan(options.scan, signal, options.onScan);
    await Promise.all([scanned, sleep(options.timeoutMs, undefined, { signal })]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    over.abort();
    await running;
  }
  return discovery.devices.filter((device) => !device.gone);
}

function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { [key in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [key in Key]: Value });
}
