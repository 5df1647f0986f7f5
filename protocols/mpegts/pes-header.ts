/**
 * The header of a PES packet, ISO/IEC 13818-1 §2.4.3.6, read and written in place. Of the optional fields only
 * PTS and DTS are known.
 */

/** Start code prefix, stream_id, PES_packet_length. */
const PREFIX_BYTES = 6;
/** Up to PES_header_data_length. */
const FIXED_BYTES = 9;
/** PES_header_data_length has eight bits. */
export const MAX_PES_HEADER_BYTES = FIXED_BYTES + 255;
const TIMESTAMP_BYTES = 5;
/** PES_packet_length has sixteen bits. */
const MAX_PES_LENGTH = 0xffff;
/** In place of a time stamp that is not there. */
export const NO_TIMESTAMP = -1;
/** In place of a length that is not stated. */
export const UNBOUNDED = -1;

export class PesHeader {
  /** 33 bits at 90 kHz, or NO_TIMESTAMP. */
  pts = NO_TIMESTAMP;
  dts = NO_TIMESTAMP;
  /** Bytes of the elementary stream in the packet, or UNBOUNDED. */
  payloadBytes = UNBOUNDED;
  /** Where the payload begins. */
  start = 0;

  /** Reads `bytes[from…to)`, the packet's beginning. `short`: its header goes on in what follows. */
  read(bytes: Uint8Array, from: number, to: number): 'whole' | 'short' | 'invalid' {
    if (!couldBeStartCode(bytes, from, to)) return 'invalid';
    if (to - from < FIXED_BYTES) return 'short';
    const flags = bytes[from + 7] ?? 0;
    // Stream ids without the optional header (padding, ECM …) carry none of our codecs.
    if (((bytes[from + 6] ?? 0) & 0xc0) !== 0x80) return 'invalid';
    const headerBytes = FIXED_BYTES + (bytes[from + 8] ?? 0);
    if (to - from < headerBytes) return 'short';
    const packetLength = ((bytes[from + 4] ?? 0) << 8) | (bytes[from + 5] ?? 0);
    const payloadBytes = packetLength - (headerBytes - PREFIX_BYTES);
    // A length that does not even hold the header is as good as none.
    this.payloadBytes = payloadBytes > 0 ? payloadBytes : UNBOUNDED;
    this.start = from + headerBytes;
    const at = from + FIXED_BYTES;
    const hasPts = (flags & 0x80) !== 0 && headerBytes >= FIXED_BYTES + TIMESTAMP_BYTES;
    const hasDts = (flags & 0x40) !== 0 && headerBytes >= FIXED_BYTES + 2 * TIMESTAMP_BYTES;
    this.pts = hasPts ? timestampAt(bytes, at) : NO_TIMESTAMP;
    this.dts = hasPts && hasDts ? timestampAt(bytes, at + TIMESTAMP_BYTES) : NO_TIMESTAMP;
    return 'whole';
  }
}

/** PTS alone where both are the same. */
export function pesHeaderBytes(pts: number, dts: number): number {
  return FIXED_BYTES + (pts === dts ? TIMESTAMP_BYTES : 2 * TIMESTAMP_BYTES);
}

/**
 * Writes `pesHeaderBytes(pts, dts)` bytes. The payload begins with an access unit. Its length is stated where its field
 * can hold it, so that the receiver need not wait for the next packet; video may leave it open.
 */
export function writePesHeader(
  target: Uint8Array,
  at: number,
  streamId: number,
  payloadBytes: number,
  pts: number,
  dts: number,
): void {
  const headerBytes = pesHeaderBytes(pts, dts);
  const length = headerBytes - PREFIX_BYTES + payloadBytes;
  const stated = length > MAX_PES_LENGTH ? 0 : length;
  target[at] = 0;
  target[at + 1] = 0;
  target[at + 2] = 1;
  target[at + 3] = streamId;
  target[at + 4] = stated >> 8;
  target[at + 5] = stated;
  target[at + 6] = 0x84; // data_alignment_indicator
  target[at + 7] = pts === dts ? 0x80 : 0xc0;
  target[at + 8] = headerBytes - FIXED_BYTES;
  if (pts === dts) {
    writeTimestamp(target, at + FIXED_BYTES, 0x20, pts);
    return;
  }
  writeTimestamp(target, at + FIXED_BYTES, 0x30, pts);
  writeTimestamp(target, at + FIXED_BYTES + TIMESTAMP_BYTES, 0x10, dts);
}

/** As far as there are bytes: 00 00 01. */
function couldBeStartCode(bytes: Uint8Array, from: number, to: number): boolean {
  for (let n = 0; n < 3 && from + n < to; n += 1) {
    if (bytes[from + n] !== (n === 2 ? 1 : 0)) return false;
  }
  return true;
}

/** 33 bits among marker bits, which some encoders do not set. */
function timestampAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) >> 1) & 0x07;
  const middle = ((bytes[at + 1] ?? 0) << 7) | ((bytes[at + 2] ?? 0) >> 1);
  const low = ((bytes[at + 3] ?? 0) << 7) | ((bytes[at + 4] ?? 0) >> 1);
  return high * 0x40000000 + middle * 0x8000 + low;
}

function writeTimestamp(target: Uint8Array, at: number, prefix: number, ticks: number): void {
  const high = Math.floor(ticks / 0x40000000) & 0x07;
  const rest = ticks % 0x40000000;
  target[at] = prefix | (high << 1) | 1;
  target[at + 1] = rest >> 22;
  target[at + 2] = (rest >> 14) | 1;
  target[at + 3] = rest >> 7;
  target[at + 4] = (rest << 1) | 1;
}
