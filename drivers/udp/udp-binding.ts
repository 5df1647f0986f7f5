/** A UDP port to open, with everything looked up: what both ways of receiving are given. */

/**
 * An IDR picture at 4K waits here while the process is busy elsewhere. Linux doubles the figure for its own
 * overhead and gives no more than net.core.rmem_max, which is often 208 KiB.
 */
export const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;

export interface UdpBinding {
  readonly family: 'udp4' | 'udp6';
  readonly port: number;
  readonly address: string;
  readonly membership: Membership | undefined;
  readonly acceptsAnyone: boolean;
  readonly mayWait: boolean;
  readonly onPacket: (bytes: Uint8Array, start: number, end: number) => void;
  readonly onError: (error: Error) => void;
}

export interface Membership {
  readonly group: string;
  readonly source: string | undefined;
  /** Undefined: as the kernel routes. */
  readonly through: { readonly name: string; readonly address: string } | undefined;
}
