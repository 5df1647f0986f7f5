/** The network interfaces discovery speaks on. */
import { BlockList, isIPv4 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

export interface LocalInterface {
  readonly name: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly address: string;
  /** Unique while the interface keeps this address. */
  readonly key: string;
}

/** A box with more addresses than this has a container runtime on it; the rest is not spoken on. */
const MAX_INTERFACES = 64;

/**
 * One IPv4 and one IPv6 link-local address of each interface that is up. `names` empty: every one
 * but loopback; otherwise exactly those, loopback included.
 */
export function listInterfaces(names: readonly string[]): LocalInterface[] {
  const found: LocalInterface[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (names.length > 0 && !names.includes(name)) continue;
    const usable = (addresses ?? []).filter((each) => names.length > 0 || !each.internal);
    const v4 = usable.find((each) => each.family === 'IPv4');
    const v6 = usable.find((each) => each.family === 'IPv6' && each.address.startsWith('fe80:'));
    if (v4 !== undefined) found.push(localInterface(name, 'IPv4', v4.address));
    if (v6 !== undefined) found.push(localInterface(name, 'IPv6', v6.address));
  }
  return found.slice(0, MAX_INTERFACES);
}

/**
 * Whether an address lies in a network of ours. Cameras with a fixed address of another one, or of 169.254/16, answer
 * probes and cannot be reached (python-onvif#7, tiscamera#38). Only asked of IPv4: a link has all of its IPv6 networks.
 */
export function isOnOwnNetwork(
  address: string,
  own: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): boolean {
  if (!isIPv4(address)) return true;
  const networks = new BlockList();
  for (const { family, address: ours, cidr } of Object.values(own).flatMap((each) => each ?? [])) {
    if (family === 'IPv4') networks.addSubnet(ours, Number(cidr?.split('/')[1] ?? 32));
  }
  return networks.check(address);
}

function localInterface(name: string, family: 'IPv4' | 'IPv6', address: string): LocalInterface {
  return { name, family, address, key: `${name}|${address}` };
}
