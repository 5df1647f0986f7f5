/**
 * The IPv4 addresses of a host found by mDNS: `.local` names are asked for on every interface, from
 * ports of our own (RFC 6762 §6.7); others, and those nobody answers for, go to the system resolver.
 */
import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import type { LocalInterface } from './interfaces.ts';

const TIMEOUT_MS = 1500;
const MAX_ADDRESSES = 8;

export async function resolveHost(
  host: string,
  interfaces: readonly LocalInterface[],
): Promise<string[]> {
  if (host.toLowerCase().endsWith('.local')) {
    const found = await askForHost(host, interfaces);
    if (found.length > 0) return found;
  }
  try {
    const found = await lookup(host, { all: true, family: 4 });
    return found.slice(0, MAX_ADDRESSES).map((each) => each.address);
  } catch {
    // Nobody knows it: seen without an address, and asked again when it is announced again.
    return [];
  }
}

/** The first answer on any of the interfaces; empty when none comes in time. */
async function askForHost(host: string, interfaces: readonly LocalInterface[]): Promise<string[]> {
  const createSocket = (await import('multicast-dns')).default;
  const sockets = interfaces
    .filter((each) => each.family === 'IPv4')
    .map((each) => createSocket({ port: 0, interface: each.address }));
  return new Promise((resolve) => {
    const finish = (addresses: string[]) => {
      clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      resolve(addresses);
    };
    const timer = setTimeout(() => finish([]), TIMEOUT_MS);
    for (const socket of sockets) {
      const ignore = () => {
        // Junk, or an interface without multicast: the time limit decides.
      };
      socket.on('error', ignore).on('warning', ignore);
      socket.on('response', ({ answers, additionals }) => {
        const found = [...answers, ...additionals].flatMap((record) => addressOf(host, record));
        if (found.length > 0) finish(found.slice(0, MAX_ADDRESSES));
      });
      socket.query([{ name: host, type: 'A' }], { address: '224.0.0.251', port: 5353 });
    }
  });
}

function addressOf(host: string, record: object): string[] {
  const { name, type, data } = record as Record<string, unknown>;
  const isAnswer =
    type === 'A' && typeof name === 'string' && name.toLowerCase() === host.toLowerCase();
  return isAnswer && typeof data === 'string' && isIPv4(data) ? [data] : [];
}
