/** Where a request comes from, as far as it is counted. */
import { isLoopback } from '../config/fields.ts';

/** Whoever has one IPv6 address has all of its /64: four groups of eight. */
const PREFIX_GROUPS = 4;

/** An IPv4 address, or the /64 of an IPv6 address. An IPv4 peer of an IPv6 listener is written `::ffff:10.0.0.1`. */
export function peerOf(address: string | undefined): string {
  const plain = (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (!plain.includes(':') || isLoopback(plain)) return plain;
  const [before = '', after] = plain.split('::');
  const groups = before.split(':');
  const missing = after === undefined ? 0 : 8 - groups.length - after.split(':').length;
  const zeros = new Array<string>(Math.max(0, missing)).fill('0');
  return [...groups, ...zeros, ...(after?.split(':') ?? [])].slice(0, PREFIX_GROUPS).join(':');
}

/** Whether the name or address in a Host header is this machine's own. */
export function isLocalHost(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host);
  return name !== null && isLoopback((name[1] ?? name[2] ?? '').toLowerCase());
}
