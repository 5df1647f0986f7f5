/**
 * Asks hosts one by one, for what multicast does not reach: those of the configuration, those remembered from an earlier
 * life, and devices that have not been heard in the last round. Where WS-Discovery gets no answer, ONVIF itself is asked
 * by HTTP (R28, R30: cameras behind routers and on switches that hold back multicast; some answer multicast only).
 */
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEVICE_SERVICE_PATH, endpointsOf, urlHost } from '../onvif/onvif-endpoint.ts';
import { Alarm } from './alarm.ts';
import { speaksOnvif, speaksRtsp } from './ask-host.ts';
import type { DeviceRegistry, DiscoveredDevice } from './device-registry.ts';

/** As many as devices are listed. */
const MAX_REMEMBERED = 1024;
/** Two probes each: 50 addresses a second are 60 KB a second. */
const ASK_GAP_MS = 20;
/** What WS-Discovery gives a device to answer (APP_MAX_DELAY is 0.5 s), twice, and the way through a VPN. */
const ANSWER_MS = 1500;
const RESOLVE_TIMEOUT_MS = 5000;
/** Answers are small; more connections at once would be felt on a Raspberry Pi. */
const HTTP_AT_ONCE = 8;
/** Names are looked up by few at once: each may keep a thread for seconds. */
const LOOKUPS_AT_ONCE = 2;
const ONVIF_PORT = 80;
/** Multicast loses packets, and cameras reboot for a minute or two. */
const GONE_AFTER_ROUNDS = 4;

export interface KnownHostsOptions {
  /** Names and addresses. */
  readonly hosts: readonly string[];
  readonly intervalMs: number;
  /** Sends a WS-Discovery probe there. */
  readonly probe: (address: string) => void;
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly elapsedMs: () => number;
}

export class KnownHosts {
  readonly #options: KnownHostsOptions;
  readonly #registry: DeviceRegistry;
  readonly #alarm = new Alarm();
  readonly #remembered = new Set<string>();

  constructor(options: KnownHostsOptions, registry: DeviceRegistry) {
    this.#options = options;
    this.#registry = registry;
  }

  remember(addresses: readonly string[]): void {
    for (const address of addresses) {
      if (this.#remembered.size < MAX_REMEMBERED && isIP(address) !== 0) {
        this.#remembered.add(address);
      }
    }
    this.#alarm.ring();
  }

  /** Asks now, instead of at the end of the interval. */
  probeNow(): void {
    this.#alarm.ring();
  }

  /** Asks until aborted; never throws for what a host does. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#alarm.ring();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        await this.#round(signal);
        if (!signal.aborted) await this.#alarm.wait(this.#options.intervalMs);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { hosts, intervalMs, probe, elapsedMs } = this.#options;
    const sinceMs = elapsedMs();
    const asked = new Set<string>();
    const ask = async (addresses: Iterable<string>) => {
      for (const address of addresses) {
        if (asked.has(address)) continue;
        asked.add(address);
        probe(address);
        await sleep(ASK_GAP_MS, undefined, { signal });
      }
    };
    const literals = hosts.filter((host) => isIP(host) !== 0);
    const names = hosts.filter((host) => isIP(host) === 0);
    const resolved = atMost(LOOKUPS_AT_ONCE, names, async (name) => {
      await ask(await this.#resolve(name, signal));
    });
    await Promise.all([ask([...literals, ...this.#remembered]), resolved]);
    const wanted = [...asked];
    const silentMs = sinceMs - intervalMs - ANSWER_MS;
    const silent = this.#registry.devices.filter(({ addresses }) =>
      addresses.every((address) => this.#registry.lastHeardMs(address) < silentMs),
    );
    await ask(silent.flatMap(({ addresses: [address] }) => address ?? []));
    await sleep(ANSWER_MS, undefined, { signal });
    // Those that were once found by asking only, too.
    const byHttp = this.#registry.devices.filter(({ via }) => !via.includes('ws-discovery'));
    const known = byHttp.filter(({ via }) => via.includes('host') || via.includes('scan'));
    const addresses = new Set([
      ...wanted,
      ...known.flatMap(({ addresses: [first] }) => first ?? []),
    ]);
    const unheard = [...addresses].filter(
      (address) => this.#registry.lastHeardMs(address) < sinceMs,
    );
    await atMost(HTTP_AT_ONCE, unheard, (address) => this.#askDirectly(address, signal));
    this.#registry.loseSilent(GONE_AFTER_ROUNDS * intervalMs + ANSWER_MS);
  }

  async #resolve(name: string, signal: AbortSignal): Promise<readonly string[]> {
    const limit = sleep(RESOLVE_TIMEOUT_MS, [], { signal });
    return Promise.race([this.#options.resolve(name), limit]);
  }

  /** At the ports where its services were, and where ONVIF is by default. */
  async #askDirectly(address: string, signal: AbortSignal): Promise<void> {
    const device = this.#registry.at(address);
    const answering = { via: 'host', key: address, addresses: [address], answered: true } as const;
    for (const endpoint of onvifEndpoints(address, device)) {
      if (!(await speaksOnvif(endpoint, signal))) continue;
      const { port, path, secure } = endpoint;
      const xaddr = `${secure ? 'https' : 'http'}://${urlHost(address)}:${port}${path}`;
      this.#registry.see({ ...answering, xaddrs: [xaddr] });
      return;
    }
    for (const text of device?.rtspUrls ?? []) {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url?.protocol !== 'rtsp:' || url.hostname !== urlHost(address)) continue;
      if (!(await speaksRtsp(address, Number(url.port || 554), signal))) continue;
      this.#registry.see(answering);
      return;
    }
  }
}

function onvifEndpoints(address: string, device: DiscoveredDevice | undefined) {
  const usual = { host: address, port: ONVIF_PORT, path: DEVICE_SERVICE_PATH, secure: false };
  const before = device === undefined ? [] : endpointsOf({ ...device, addresses: [address] });
  const isUsual = ({ port }: { port: number }) => port === ONVIF_PORT;
  return before.some(isUsual) ? before : [...before, usual];
}

/** Works on all of them, on so many at a time. */
export async function atMost<Item>(
  count: number,
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: count }, worker));
}
