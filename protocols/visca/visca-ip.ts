/**
 * VISCA over IP: one VISCA packet in one UDP datagram, behind a header of eight bytes.
 *
 * Sony SRG-300H "Command List" p. 30 to 32, BRC-X400 "Command List" p. 10 to 13: payload type, payload length (1 to 16), sequence
 * number. A head answers with the number of what it answers.
 */
import { ByteReader } from '../../codecs/byte-reader.ts';
import { ParseError } from '../../codecs/errors.ts';

const PayloadType = {
  command: 0x0100,
  inquiry: 0x0110,
  reply: 0x0111,
  controlCommand: 0x0200,
  controlReply: 0x0201,
} as const;

const MAX_PAYLOAD_BYTES = 16;
const INQUIRY = 0x09;
const RESET = 0x01;
const ERROR = 0x0f;

export type ViscaIpMessage =
  /** `packet`: VISCA, with its 0xff. */
  | { readonly kind: 'reply'; readonly sequence: number; readonly packet: Uint8Array }
  | { readonly kind: 'reset-done'; readonly sequence: number }
  /** The number was used already, or is not the next one. */
  | { readonly kind: 'wrong-sequence'; readonly sequence: number }
  | { readonly kind: 'wrong-message'; readonly sequence: number };

/** Heads begin to count anew with the message after it. */
export function serializeViscaReset(sequence: number): Uint8Array {
  return serialize(PayloadType.controlCommand, sequence, Uint8Array.of(RESET));
}

/** `packet`: a command or an inquiry, with its 0xff. */
export function serializeViscaIp(sequence: number, packet: Uint8Array): Uint8Array {
  const type = packet[1] === INQUIRY ? PayloadType.inquiry : PayloadType.command;
  return serialize(type, sequence, packet);
}

function serialize(type: number, sequence: number, payload: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(8 + payload.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, type);
  view.setUint16(2, payload.length);
  view.setUint32(4, sequence);
  datagram.set(payload, 8);
  return datagram;
}

export function parseViscaIp(datagram: Uint8Array): ViscaIpMessage {
  const reader = new ByteReader(datagram);
  const type = reader.u16();
  const length = reader.u16();
  const sequence = reader.u32();
  if (length < 1 || length > MAX_PAYLOAD_BYTES) {
    throw new ParseError(`a VISCA payload of ${length} bytes`, 2);
  }
  const payload = reader.take(length);
  if (type === PayloadType.reply) return { kind: 'reply', sequence, packet: payload };
  // Errors are described as control commands, and come as replies from some.
  if (type === PayloadType.controlReply || type === PayloadType.controlCommand) {
    return parseControl(sequence, payload);
  }
  throw new ParseError(`a VISCA payload type of 0x${type.toString(16)}`, 0);
}

function parseControl(sequence: number, payload: Uint8Array): ViscaIpMessage {
  const [first, second] = payload;
  if (first === RESET) return { kind: 'reset-done', sequence };
  if (first === ERROR && second === 0x01) return { kind: 'wrong-sequence', sequence };
  if (first === ERROR && second === 0x02) return { kind: 'wrong-message', sequence };
  throw new ParseError(`a VISCA control reply of 0x${first?.toString(16)}`, 8);
}
