/** Devices that were heard and cannot be reached, because no network of this box has their address. */
import { isOnOwnNetwork } from '../../drivers/discovery/interfaces.ts';

/**
 * What to do about it; undefined where one of the addresses can be reached, or none is known. One that `answered` a
 * question sent to it alone is reached, by a router.
 */
export function apartWords(addresses: readonly string[], answered = false): string | undefined {
  const [address] = addresses;
  if (address === undefined || answered) return undefined;
  if (addresses.some((each) => isOnOwnNetwork(each))) return undefined;
  return `${address} is on none of this machine's networks: give the camera an address in one of them, or this machine one beside the camera's.`;
}
