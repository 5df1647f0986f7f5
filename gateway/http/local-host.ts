/** Which names in a Host header are this machine's own. */
import { isLoopback } from '../config/fields.ts';

/** Whether the name or address in a Host header is this machine's own. */
export function isLocalHost(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(host);
  return name !== null && isLoopback((name[1] ?? name[2] ?? '').toLowerCase());
}
