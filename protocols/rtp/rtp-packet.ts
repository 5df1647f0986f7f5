/**
 * The RTP header, RFC 3550 §5.1 and the extension of §5.3.1.
 *
 *  0                   1                   2                   3
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |           synchronization source (SSRC) identifier            |
 * |            contributing source (CSRC) identifiers …           |
 */
const FIXED_HEADER_BYTES = 12;

/** One packet, read in place. A receiver owns one of these and reads every packet into it. */
export class RtpPacket {
  payloadType = 0;
  marker = false;
  sequenceNumber = 0;
  timestamp = 0;
  ssrc = 0;
  /** The payload is `bytes[start…end)`, valid until the next packet is read. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  /** Reads the packet in `bytes[from…to)`; false when it is none. */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    const length = to - from;
    if (length < FIXED_HEADER_BYTES) return false;
    const first = byteAt(bytes, from);
    if (first >> 6 !== 2) return false;
    let start = from + FIXED_HEADER_BYTES + (first & 0x0f) * 4;
    let end = to;
    if ((first & 0x10) !== 0) {
      if (start + 4 > end) return false;
      start += 4 + u16At(bytes, start + 2) * 4;
    }
    if ((first & 0x20) !== 0) end -= byteAt(bytes, to - 1);
    if (start > end) return false;
    const second = byteAt(bytes, from + 1);
    this.marker = second >= 0x80;
    this.payloadType = second & 0x7f;
    this.sequenceNumber = u16At(bytes, from + 2);
    this.timestamp = u32At(bytes, from + 4);
    this.ssrc = u32At(bytes, from + 8);
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return true;
  }
}

/** Callers have checked the bounds; 0 only satisfies the type system. */
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function u16At(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1);
}

function u32At(bytes: Uint8Array, at: number): number {
  return ((u16At(bytes, at) << 16) | u16At(bytes, at + 2)) >>> 0;
}
