/**
 * The RTP packets of one access unit in one block of bytes, each behind its interleaved header (RFC 2326 §10.12):
 * over TCP the block is one write, over UDP the packets are found by those headers.
 *
 *   block.open(source);
 *   block.packet(timestamp); block.u8(…); block.bytes(…);      any number of packets
 *   block.markLast();
 *   const bytes = block.take();                                memory of its own
 */
import type { RtpSource } from './rtp-source.ts';

const INTERLEAVED_HEADER_BYTES = 4;
const DOLLAR = 0x24;
const RTP_HEADER_BYTES = 12;
/** An MTU of 1500 without IPv6 and UDP headers leaves 1452; tunnels and PPPoE take of that. */
const MAX_PACKET_BYTES = 1400;
/** What a payload format may put into one packet. */
export const MAX_PAYLOAD_BYTES = MAX_PACKET_BYTES - RTP_HEADER_BYTES;
/** The interleaved header has 16 bits for it. */
export const MAX_WHOLE_PAYLOAD_BYTES = 65_535 - RTP_HEADER_BYTES;

const INITIAL_BYTES = 64 * 1024;
/** More is kept only for the unit that needed it. */
const MAX_KEPT_BYTES = 1024 * 1024;
const NONE = -1;

/** One serves any number of streams: a unit is written and taken in one go. */
export class PacketBlock {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #end = 0;
  #packetAt = NONE;
  #source: RtpSource | undefined;

  /** The packets that follow are of this source. What was not taken is forgotten. */
  open(source: RtpSource): void {
    this.#source = source;
    this.#end = 0;
    this.#packetAt = NONE;
  }

  /** The next packet; what is written now is its payload. */
  packet(timestamp: number): void {
    const source = this.#source;
    if (source === undefined) throw new TypeError('no source was opened');
    this.#endPacket();
    const at = this.#advance(INTERLEAVED_HEADER_BYTES + RTP_HEADER_BYTES);
    const bytes = this.#bytes;
    bytes[at] = DOLLAR;
    bytes[at + 1] = source.channel;
    bytes[at + 4] = 0x80; // version 2
    bytes[at + 5] = source.payloadType;
    putU16(bytes, at + 6, source.takeSequenceNumber());
    putU32(bytes, at + 8, timestamp);
    putU32(bytes, at + 12, source.ssrc);
    this.#packetAt = at;
  }

  /** A whole RTCP packet, before the next RTP packet. */
  rtcp(channel: number, packet: Uint8Array): void {
    this.#endPacket();
    this.#packetAt = NONE;
    this.u8(DOLLAR);
    this.u8(channel);
    this.u16(packet.length);
    this.bytes(packet);
  }

  u8(value: number): void {
    const at = this.#advance(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#advance(2);
    putU16(this.#bytes, at, value);
  }

  /** `bytes[from…to)` */
  bytes(bytes: Uint8Array, from = 0, to = bytes.length): void {
    const at = this.#advance(to - from);
    this.#bytes.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), at);
  }

  /** Sets the marker of the last packet. */
  markLast(): void {
    if (this.#packetAt !== NONE) this.#bytes[this.#packetAt + 5] = 0x80 | this.#payloadType;
  }

  /** A copy of all packets; undefined when there is none. */
  take(): Uint8Array | undefined {
    this.#endPacket();
    const block = this.#end === 0 ? undefined : this.#bytes.slice(0, this.#end);
    this.#end = 0;
    this.#packetAt = NONE;
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = new Uint8Array(INITIAL_BYTES);
    return block;
  }

  get #payloadType(): number {
    return this.#source?.payloadType ?? 0;
  }

  #endPacket(): void {
    const at = this.#packetAt;
    if (at === NONE) return;
    const byteLength = this.#end - at - INTERLEAVED_HEADER_BYTES;
    putU16(this.#bytes, at + 2, byteLength);
    this.#source?.count(byteLength - RTP_HEADER_BYTES);
  }

  /** To be called before `#bytes` is looked at: making room may replace it. */
  #advance(length: number): number {
    const at = this.#end;
    this.#end += length;
    if (this.#end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#end, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}

/** Where the next packet of a block begins; its own are `at + 4` up to there. */
export function nextInBlock(block: Uint8Array, at: number): number {
  const byteLength = ((block[at + 2] ?? 0) << 8) | (block[at + 3] ?? 0);
  return at + INTERLEAVED_HEADER_BYTES + byteLength;
}

function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, value >>> 16);
  putU16(bytes, at + 2, value & 0xffff);
}
