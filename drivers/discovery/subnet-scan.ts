/**
 * Asks every address of a small network, on request: a WS-Discovery probe, then TCP on the ports where cameras listen,
 * then ONVIF and RTSP without a login where a port is open. So many addresses a second and no more; what is found is
 * seen like everything else.
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { knownNetworkInterfaces } from '../network-interfaces.ts';
import { DEVICE_SERVICE_PATH } from '../onvif/onvif-endpoint.ts';
import { speaksOnvif, speaksRtsp } from './ask-host.ts';
import { ManyWaits } from './many-waits.ts';
import type { ScanNetwork } from './scan-network.ts';
import type { SightingSink } from './sighting.ts';

/** 50 addresses a second: with ARP some 200 small packets, which no switch takes for an attack. */
const ADDRESS_GAP_MS = 20;
/** Six sockets each at most. Dead addresses take a second, so that 50 are waited for, and 14 are for those that answer. */
const HOSTS_AT_ONCE = 64;
/** On a LAN a millisecond is enough; through a VPN a second is. */
const CONNECT_TIMEOUT_MS = 1000;
const RTSP_PORT = 554;
/** Where nothing answers at these two, not even with a refusal, nobody is. */
const FIRST_PORTS = [80, RTSP_PORT];
/** Reolink and Hikvision, many others, XM and its clones, TP-Link Tapo. */
const MORE_PORTS = [8000, 8080, 8899, 2020];

export interface ScanProgress {
  readonly network: string;
  /** Of `addresses`, how many have been asked. */
  readonly asked: number;
  readonly addresses: number;
  readonly found: number;
}

export interface SubnetScanContext {
  /** Sends a WS-Discovery probe there. */
  readonly probe: (address: string) => void;
  readonly sink: SightingSink;
  readonly onProgress?: ((progress: ScanProgress) => void) | undefined;
  /** What tests replace: 554 and the others are not for everybody to listen on. */
  readonly ports?: { readonly onvif: readonly number[]; readonly rtsp: number };
}

type PortState = 'open' | 'refused' | 'silent';

/** Rejects only when `caller` aborts. */
export async function scanSubnet(
  network: ScanNetwork,
  context: SubnetScanContext,
  caller: AbortSignal,
): Promise<ScanProgress> {
  using waits = new ManyWaits(caller);
  const { signal } = waits;
  const own = new Set(
    Object.values(knownNetworkInterfaces()).flatMap(
      (each) => each?.map(({ address }) => address) ?? [],
    ),
  );
  // Our own servers are no cameras.
  const addresses = network.addresses.filter((address) => !own.has(address));
  const count = { asked: 0, found: 0 };
  const tell = () => {
    const progress = { network: network.name, addresses: addresses.length, ...count };
    context.onProgress?.(progress);
    return progress;
  };
  const running = new Set<Promise<void>>();
  for (const address of addresses) {
    signal.throwIfAborted();
    if (running.size >= HOSTS_AT_ONCE) await Promise.race(running);
    context.probe(address);
    const asking = askHost(address, context, signal)
      .then((isFound) => {
        count.asked += 1;
        if (isFound) count.found += 1;
        tell();
      })
      // Only the abort, which is told below.
      .catch(() => undefined)
      .finally(() => running.delete(asking));
    running.add(asking);
    await sleep(ADDRESS_GAP_MS, undefined, { signal });
  }
  await Promise.all(running);
  signal.throwIfAborted();
  return tell();
}

async function askHost(
  address: string,
  { sink, ports }: SubnetScanContext,
  signal: AbortSignal,
): Promise<boolean> {
  const rtspPort = ports?.rtsp ?? RTSP_PORT;
  const first = ports === undefined ? FIRST_PORTS : [...ports.onvif, ports.rtsp];
  const states = await portStates(address, first, signal);
  if ([...states.values()].every((state) => state === 'silent')) return false;
  const more = ports === undefined ? await portStates(address, MORE_PORTS, signal) : [];
  const open = [...states, ...more].flatMap(([port, state]) => (state === 'open' ? [port] : []));
  const xaddr = await onvifAt(
    address,
    open.filter((port) => port !== rtspPort),
    signal,
  );
  const hasRtsp = open.includes(rtspPort) && (await speaksRtsp(address, rtspPort, signal));
  if (xaddr === undefined && !hasRtsp) return false;
  sink.see({
    ...{ via: 'scan', key: address, addresses: [address], answered: true },
    ...(xaddr === undefined ? {} : { xaddrs: [xaddr] }),
    // The path is not known. Where there is ONVIF, that tells.
    ...(xaddr === undefined ? { rtspUrls: [`rtsp://${address}:${rtspPort}/`] } : {}),
  });
  return true;
}

async function onvifAt(
  address: string,
  ports: readonly number[],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const port of ports) {
    const endpoint = { host: address, port, path: DEVICE_SERVICE_PATH, secure: false };
    if (await speaksOnvif(endpoint, signal)) {
      return `http://${address}:${port}${DEVICE_SERVICE_PATH}`;
    }
  }
  return undefined;
}

async function portStates(
  address: string,
  ports: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, PortState>> {
  signal.throwIfAborted();
  const states = await Promise.all(
    ports.map(async (port) => [port, await portState(address, port, signal)] as const),
  );
  return new Map(states);
}

function portState(host: string, port: number, signal: AbortSignal): Promise<PortState> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const settle = (act: () => void) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      act();
    };
    const abort = () => settle(() => reject(signal.reason));
    const limit = setTimeout(() => settle(() => resolve('silent')), CONNECT_TIMEOUT_MS);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('connect', () => settle(() => resolve('open')));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle(() => resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'silent')),
    );
  });
}
