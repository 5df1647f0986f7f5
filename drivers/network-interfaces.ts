/** The network interfaces of this machine, as `os.networkInterfaces` tells them; those of before while it cannot be asked. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

export type NetworkInterfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

let known: NetworkInterfaces = {};

/** With no file descriptor left Node throws, and whoever asks in a timer would end the process. */
export function knownNetworkInterfaces(): NetworkInterfaces {
  try {
    known = networkInterfaces();
  } catch {
    // Those of before.
  }
  return known;
}
