/** Where a client comes from: as people read it, and as far as it is counted. */
import { isLoopback } from './config/fields.ts';

/** Whoever has one IPv6 address has all of its /64: four groups of eight. */
const PREFIX_GROUPS = 4;

/** An IPv4 peer of an IPv6 listener is written `::ffff:10.0.0.1`. */
export function plainAddress(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
}

/** An IPv4 address, or the /64 of an IPv6 address: one client, as far as it is counted. */
export function peerOf(address: string | undefined): string {
  const plain = plainAddress(address).replace(/%.*$/, '');
  if (!plain.includes(':') || isLoopback(plain)) return plain;
  const [before = '', after] = plain.split('::');
  const groups = before.split(':');
  const missing = after === undefined ? 0 : 8 - groups.length - after.split(':').length;
  const zeros = new Array<string>(Math.max(0, missing)).fill('0');
  return [...groups, ...zeros, ...(after?.split(':') ?? [])].slice(0, PREFIX_GROUPS).join(':');
}
