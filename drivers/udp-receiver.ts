/**
 * A UDP port that takes media: RTP, RTCP or MPEG-TS, sent to us alone or to a group.
 *
 * On Linux a port bound to no address gets the packets of every group that any program of the machine
 * has joined (IP_MULTICAST_ALL); a receiver of a group is therefore bound to the group's address.
 */
import { knownNetworkInterfaces } from './network-interfaces.ts';
import { isBatchingAvailable, openBatchReceiver } from './udp/batch-receiver.ts';
import { openDgramReceiver } from './udp/dgram-receiver.ts';
import type { UdpBinding } from './udp/udp-binding.ts';

export interface UdpReceiverOptions {
  readonly family: 'udp4' | 'udp6';
  /** 0: any free one. */
  readonly port: number;
  /** Bound to this address of ours; undefined: to all of them, or to the group. */
  readonly address?: string | undefined;
  readonly multicast?: MulticastGroup | undefined;
  /** Whose packets are taken before `acceptOnly` names a sender; undefined: anyone's. */
  readonly accept?: 'anyone' | 'no-one';
  /**
   * Its packets may wait up to 50 ms for those of another port that may not: audio beside pictures, RTCP. They are read at
   * most every 20 ms, so that several come with one system call.
   * Waking up for each costs more than all that is done with it.
   */
  readonly mayWait?: boolean;
  /** One datagram, `bytes[start…end)`, valid during the call. What it throws goes to `onError`. */
  readonly onPacket: (bytes: Uint8Array, start: number, end: number) => void;
  /** Packets may still come afterwards: closing is the owner's. */
  readonly onError: (error: Error) => void;
}

export interface MulticastGroup {
  readonly group: string;
  /** Name of the interface to join through (`eth0`), or one of its addresses; undefined: as the kernel routes. */
  readonly interface?: string | undefined;
  /** Takes packets of this sender only (RFC 4607). */
  readonly source?: string | undefined;
}

export interface UdpReceiver {
  readonly port: number;
  /** From now on packets of this address are taken, and no others. */
  acceptOnly(address: string): void;
  /** From this very port. What cannot be sent is lost, as on any network. */
  send(bytes: Uint8Array, port: number, address: string): void;
  /** No packet comes after this. */
  close(): void;
}

/** How packets come here, for the log. */
export const UDP_RECEPTION = isBatchingAvailable ? 'in batches' : 'one by one';

export type OpenUdpReceiver = (binding: UdpBinding) => Promise<UdpReceiver>;

/** Rejects when the port is taken, or the address, group or interface is not ours. */
export async function openUdpReceiver(
  { family, port, address, multicast, accept, mayWait, onPacket, onError }: UdpReceiverOptions,
  open: OpenUdpReceiver = isBatchingAvailable ? openBatchReceiver : openDgramReceiver,
): Promise<UdpReceiver> {
  const through = findInterface(multicast?.interface, family);
  // IPv6 groups of the smaller scopes are different ones on every interface (RFC 4007 §6).
  const scope = family === 'udp6' && through !== undefined ? `%${through.name}` : '';
  const anyAddress = family === 'udp6' ? '::' : '0.0.0.0';
  const receiver = await open({
    family,
    port,
    address: address ?? (multicast === undefined ? anyAddress : `${multicast.group}${scope}`),
    membership: multicast && { group: multicast.group, source: multicast.source, through },
    acceptsAnyone: accept !== 'no-one',
    mayWait: mayWait === true,
    onPacket,
    onError,
  });
  if (multicast?.source !== undefined) receiver.acceptOnly(multicast.source);
  return receiver;
}

function findInterface(
  wanted: string | undefined,
  family: 'udp4' | 'udp6',
): { readonly name: string; readonly address: string } | undefined {
  if (wanted === undefined) return undefined;
  const wantedFamily = family === 'udp4' ? 'IPv4' : 'IPv6';
  for (const [name, addresses = []] of Object.entries(knownNetworkInterfaces())) {
    if (name !== wanted && !addresses.some(({ address }) => address === wanted)) continue;
    const own = addresses.filter((address) => address.family === wantedFamily);
    const found = own.find(({ address }) => address === wanted) ?? own[0];
    if (found !== undefined) return { name, address: found.address };
  }
  throw Object.assign(new Error(`this machine has no interface ${wanted} with ${wantedFamily}`), {
    code: 'EADDRNOTAVAIL',
  });
}
