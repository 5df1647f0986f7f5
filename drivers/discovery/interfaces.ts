/** The network interfaces discovery speaks on. */
import { BlockList, isIPv4 } from 'node:net';
import { knownNetworkInterfaces, type NetworkInterfaces } from '../network-interfaces.ts';

export interface LocalInterface {
  readonly name: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly address: string;
  /** Of IPv4: how many bits of it are the network's. */
  readonly prefix?: number;
  /** Unique while the interface keeps this address. */
  readonly key: string;
}

/** A box with more addresses than this has a container runtime on it; the rest is not spoken on. */
const MAX_INTERFACES = 64;

/**
 * Of each interface that is up: an IPv4 address in each of its networks, because many cameras answer neighbours only,
 * and its IPv6 link-local one. `names` empty: every interface but loopback; otherwise exactly those, loopback included.
 */
export function listInterfaces(
  names: readonly string[],
  all: NetworkInterfaces = knownNetworkInterfaces(),
): LocalInterface[] {
  const found: LocalInterface[] = [];
  for (const [name, addresses = []] of Object.entries(all)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const usable = addresses.filter((each) => names.length > 0 || !each.internal);
    const networks = new BlockList();
    const v6 = usable.find((each) => each.family === 'IPv6' && each.address.startsWith('fe80:'));
    // Its number in the kernel is another one when it was taken away and came back.
    const identity = `${v6?.mac ?? usable[0]?.mac}|${v6?.family === 'IPv6' ? v6.scopeid : ''}`;
    for (const { family, address, cidr } of usable) {
      if (family !== 'IPv4' || networks.check(address)) continue;
      const prefix = prefixOf(cidr);
      networks.addSubnet(address, prefix);
      found.push({ name, family, address, prefix, key: `${name}|${address}|${identity}` });
    }
    if (v6 !== undefined) {
      const { address } = v6;
      found.push({ name, family: 'IPv6', address, key: `${name}|${address}|${identity}` });
    }
  }
  return found.slice(0, MAX_INTERFACES);
}

/**
 * Whether an address lies in a network of ours. Cameras with a fixed address of another one, or of 169.254/16, answer
 * probes and cannot be reached (python-onvif#7, tiscamera#38). Only asked of IPv4: a link has all of its IPv6 networks.
 */
export function isOnOwnNetwork(
  address: string,
  own: NetworkInterfaces = knownNetworkInterfaces(),
): boolean {
  if (!isIPv4(address)) return true;
  const networks = new BlockList();
  for (const { family, address: ours, cidr } of Object.values(own).flatMap((each) => each ?? [])) {
    if (family === 'IPv4') networks.addSubnet(ours, prefixOf(cidr));
  }
  return networks.check(address);
}

/**
 * Whether what an address sends is listened to: where `names` are given, not when it lies in a network of another
 * interface only. A socket that listens to a group hears what comes in by any interface (IP_MULTICAST_ALL), and Node does
 * not tell by which.
 */
export function isHeardOn(
  names: readonly string[],
  address: string,
  own: NetworkInterfaces = knownNetworkInterfaces(),
): boolean {
  if (names.length === 0) return true;
  const zone = address.split('%')[1];
  if (zone !== undefined) return names.includes(zone);
  const isIn = ([name, infos]: [string, NetworkInterfaces[string]]) =>
    isOnOwnNetwork(address, { [name]: infos });
  const homes = Object.entries(own).filter(isIn);
  return homes.length === 0 || homes.some(([name]) => names.includes(name));
}

/** By whose network an address belongs to which interface; empty: to none. */
export function linkFinder(interfaces: readonly LocalInterface[]): (address: string) => string {
  const links = interfaces.flatMap(({ name, address, prefix }) => {
    if (prefix === undefined) return [];
    const network = new BlockList();
    network.addSubnet(address, prefix);
    return [{ name, network }];
  });
  return (address) => links.find(({ network }) => network.check(address))?.name ?? '';
}

function prefixOf(cidr: string | null): number {
  return Number(cidr?.split('/')[1] ?? 32);
}
