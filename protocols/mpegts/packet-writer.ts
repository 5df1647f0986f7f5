/**
 * Sections and PES packets → transport packets. ISO/IEC 13818-1 §2.4.3.2 (transport packet), §2.4.3.4 (adaptation
 * field), §2.4.4 (sections). The way in: ts-packet.ts.
 */
import { SYNC_BYTE, TS_PACKET_BYTES } from './ts-packet.ts';

const HEADER_BYTES = 4;
const ROOM_BYTES = TS_PACKET_BYTES - HEADER_BYTES;
const RANDOM_ACCESS_FLAG = 0x40;
const PCR_FLAG = 0x10;
/** Length and flags; with six bytes of PCR. */
const FLAGS_BYTES = 2;
const PCR_BYTES = 8;

/** What the first packet of a PES packet says besides. */
export interface FirstPacket {
  readonly isRandomAccess: boolean;
  /** In ticks of 90 kHz. */
  readonly pcr: number | undefined;
}

/** The packets of one PID, and their continuity counter. */
export class PacketWriter {
  readonly #pid: number;
  #counter = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** A section that fits into one packet; the rest is stuffing. */
  writeSection(target: Uint8Array, at: number, section: Uint8Array): void {
    this.#header(target, at, true, false);
    target[at + HEADER_BYTES] = 0; // pointer_field
    target.set(section, at + HEADER_BYTES + 1);
    target.fill(0xff, at + HEADER_BYTES + 1 + section.length, at + TS_PACKET_BYTES);
  }

  /**
   * Spreads the PES packet that lies at the very end of `target` over packets from `at` on, in place: `target` ends where
   * `packetCount` of them do.
   */
  spread(target: Uint8Array, at: number, pesBytes: number, first: FirstPacket): void {
    let from = target.length - pesBytes;
    for (let packetAt = at; from < target.length; packetAt += TS_PACKET_BYTES) {
      const isFirst = packetAt === at;
      const wanted = isFirst ? adaptationBytes(first) : 0;
      const payload = Math.min(ROOM_BYTES - wanted, target.length - from);
      const adaptation = ROOM_BYTES - payload;
      this.#header(target, packetAt, isFirst, adaptation > 0);
      if (adaptation > 0) {
        writeAdaptation(target, packetAt + HEADER_BYTES, adaptation, isFirst ? first : undefined);
      }
      target.copyWithin(packetAt + TS_PACKET_BYTES - payload, from, from + payload);
      from += payload;
    }
  }

  #header(target: Uint8Array, at: number, isUnitStart: boolean, hasAdaptation: boolean): void {
    target[at] = SYNC_BYTE;
    target[at + 1] = (isUnitStart ? 0x40 : 0) | (this.#pid >> 8);
    target[at + 2] = this.#pid;
    target[at + 3] = (hasAdaptation ? 0x30 : 0x10) | this.#counter;
    this.#counter = (this.#counter + 1) & 0x0f;
  }
}

/** How many packets `spread` writes. */
export function packetCount(pesBytes: number, first: FirstPacket): number {
  return Math.ceil((pesBytes + adaptationBytes(first)) / ROOM_BYTES);
}

function adaptationBytes({ isRandomAccess, pcr }: FirstPacket): number {
  if (pcr !== undefined) return PCR_BYTES;
  return isRandomAccess ? FLAGS_BYTES : 0;
}

/** `length` bytes in all, the rest of them stuffing. */
function writeAdaptation(
  target: Uint8Array,
  at: number,
  length: number,
  first: FirstPacket | undefined,
): void {
  target[at] = length - 1;
  if (length === 1) return;
  const pcr = first?.pcr;
  const isRandomAccess = first?.isRandomAccess === true;
  target[at + 1] = (isRandomAccess ? RANDOM_ACCESS_FLAG : 0) | (pcr === undefined ? 0 : PCR_FLAG);
  const from = pcr === undefined ? FLAGS_BYTES : PCR_BYTES;
  if (pcr !== undefined) writePcr(target, at + FLAGS_BYTES, pcr);
  target.fill(0xff, at + from, at + length);
}

/** §2.4.3.5: 33 bits in ticks of 90 kHz, six reserved, and nine in ticks of 27 MHz. */
function writePcr(target: Uint8Array, at: number, ticks: number): void {
  const high = Math.floor(ticks / 2);
  target[at] = high >>> 24;
  target[at + 1] = high >>> 16;
  target[at + 2] = high >>> 8;
  target[at + 3] = high;
  target[at + 4] = ((ticks % 2) << 7) | 0x7e;
  target[at + 5] = 0;
}
