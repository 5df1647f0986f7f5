/** A head that speaks VISCA over IP. */
import type { Logger } from 'pino';
import { visca } from '../../protocols/visca/visca-language.ts';
import type { PtzHead } from './ptz-head.ts';
import { ViscaIpLink } from './visca-ip-link.ts';
import { WireHead } from './wire-head.ts';

export interface ClosableHead extends PtzHead {
  /** Stops it where it moves, within a second; nothing is open afterwards. */
  close(): Promise<void>;
}

/** Addresses are of the chain behind a controller; over IP every head is the first of its own. */
const ADDRESS = 1;

/** Opens nothing before it is asked for something. `host`: IPv6 addresses without brackets. */
export function openViscaIp(
  { host, port }: { readonly host: string; readonly port: number },
  { log }: { readonly log: Logger },
): ClosableHead {
  const name = `the head at ${host}:${port}`;
  return new WireHead({
    name,
    language: visca(ADDRESS),
    protocol: 'visca-ip',
    link: new ViscaIpLink({ name, host, port, address: ADDRESS }),
    log,
  });
}
