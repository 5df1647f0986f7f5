/** How far the scan of a network is, as the reply to the verb `discover` says: one that takes longer than a command goes on. */
import { fieldOf } from '../field-of.ts';

export interface ScanReply {
  /** Of `addresses`, how many. */
  readonly asked: number;
  readonly addresses: number;
  readonly isDone: boolean;
}

/** undefined: it does not say. */
export function readScanReply(data: unknown): ScanReply | undefined {
  const scan = fieldOf(data, 'scan');
  const asked = fieldOf(scan, 'asked');
  const addresses = fieldOf(scan, 'addresses');
  if (typeof asked !== 'number' || typeof addresses !== 'number') return undefined;
  return { asked, addresses, isDone: fieldOf(scan, 'isDone') === true };
}
