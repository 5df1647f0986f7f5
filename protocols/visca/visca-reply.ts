/**
 * VISCA: what heads answer. Sony EVI-D70/P technical manual, "Command List", p. 33 and 38.
 *
 * A reply has no number of the command that it answers. A head takes two commands at once: its acknowledgement names the "socket"
 * (1 or 2) that the command occupies, and so do completion and error later. Socket 0: none.
 */

export type ViscaReply =
  | { readonly kind: 'ack'; readonly from: number; readonly socket: number }
  | {
      readonly kind: 'completion';
      readonly from: number;
      readonly socket: number;
      /** The answer to an inquiry; empty for a command. */
      readonly payload: Uint8Array;
    }
  | {
      readonly kind: 'error';
      readonly from: number;
      readonly socket: number;
      readonly code: number;
    }
  /** It was switched on, or the chain has changed: addresses are to be set again. */
  | { readonly kind: 'network-change'; readonly from: number }
  /** The broadcast has passed all heads. */
  | { readonly kind: 'addresses'; readonly heads: number }
  | { readonly kind: 'all-cleared' };

export const ViscaErrorCode = {
  messageLength: 0x01,
  syntax: 0x02,
  bufferFull: 0x03,
  cancelled: 0x04,
  noSocket: 0x05,
  notExecutable: 0x41,
} as const;

const BROADCAST = 0x88;

/** `packet`: without its 0xff; undefined for what is no reply. */
export function parseViscaReply(packet: Uint8Array): ViscaReply | undefined {
  const [header = 0, type = 0, third = 0] = packet;
  if (header === BROADCAST) return parseBroadcast(packet);
  // 9x to fx with the receiver 0: a head (1 to 7) to the controller.
  if (header < 0x90 || (header & 0x0f) !== 0) return undefined;
  const from = (header >> 4) - 8;
  const socket = type & 0x0f;
  switch (type & 0xf0) {
    case 0x40:
      return packet.length === 2 ? { kind: 'ack', from, socket } : undefined;
    case 0x50:
      return { kind: 'completion', from, socket, payload: packet.slice(2) };
    case 0x60:
      return packet.length === 3 ? { kind: 'error', from, socket, code: third } : undefined;
    case 0x30:
      return packet.length === 2 && type === 0x38 ? { kind: 'network-change', from } : undefined;
    default:
      return undefined;
  }
}

/** What comes back of our own broadcasts; address 1 is what we sent ourselves, as some RS-485 adapters let us hear. */
function parseBroadcast(packet: Uint8Array): ViscaReply | undefined {
  const [, type, third = 0, fourth] = packet;
  if (type === 0x30 && packet.length === 3 && third >= 2 && third <= 8) {
    return { kind: 'addresses', heads: third - 1 };
  }
  if (type === 0x01 && packet.length === 4 && third === 0x00 && fourth === 0x01) {
    return { kind: 'all-cleared' };
  }
  return undefined;
}
