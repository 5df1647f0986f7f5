/** The IPv4 addresses of one `.local` host, asked once from a port of our own (RFC 6762 §6.7). */
import { isIPv4 } from 'node:net';

const TIMEOUT_MS = 2000;
const MAX_ADDRESSES = 8;

export async function resolveLocalHost(host: string): Promise<string[]> {
  const socket = (await import('multicast-dns')).default({ port: 0 });
  return new Promise((resolve) => {
    const finish = (addresses: string[]) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(addresses);
    };
    const timer = setTimeout(() => finish([]), TIMEOUT_MS);
    socket.on('error', () => finish([]));
    socket.on('warning', () => {
      // Junk from the LAN, or an interface without multicast: the time limit decides.
    });
    socket.on('response', ({ answers, additionals }) => {
      const found = [...answers, ...additionals].flatMap((record) => {
        const { name, type, data } = record as Record<string, unknown>;
        const isAnswer =
          type === 'A' && typeof name === 'string' && name.toLowerCase() === host.toLowerCase();
        return isAnswer && typeof data === 'string' && isIPv4(data) ? [data] : [];
      });
      if (found.length > 0) finish(found.slice(0, MAX_ADDRESSES));
    });
    socket.query([{ name: host, type: 'A' }], { address: '224.0.0.251', port: 5353 });
  });
}
