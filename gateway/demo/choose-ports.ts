/** Ports of this machine that are free: those that people know, where they can be had. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** For each the wanted port, or any other that is free. None is given twice. */
export async function choosePorts<Name extends string>(
  wanted: Readonly<Record<Name, number>>,
): Promise<Record<Name, number>> {
  const servers: Server[] = [];
  const chosen: [Name, number][] = [];
  try {
    for (const name of Object.keys(wanted) as Name[]) {
      const server = (await listen(wanted[name])) ?? (await listen(0));
      if (server === undefined) throw new Error('no port is free');
      servers.push(server);
      // A server that listens has this form of address.
      chosen.push([name, (server.address() as AddressInfo).port]);
    }
  } finally {
    await Promise.all(servers.map(close));
  }
  // The names are those of `wanted`.
  return Object.fromEntries(chosen) as Record<Name, number>;
}

/** Undefined: it is taken, or not for us. */
async function listen(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, LOOPBACK);
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
