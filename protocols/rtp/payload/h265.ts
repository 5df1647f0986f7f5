/**
 * H.265 over RTP, RFC 7798: single NAL unit packets, aggregation packets and fragmentation units, with and without
 * decoding order numbers. NAL units leave in the order they come; PACI packets are counted as damage.
 *
 * Tolerated beyond the RFC, with what picture-receiver.ts tolerates:
 * - Annex B start codes in front of a NAL unit, and behind a parameter set, delimiter or SEI,
 * - a fragmentation unit that is the start and the end at once (OpenIPC).
 */
import { nalUnitType } from '../../../codecs/h265/nal-unit.ts';
import type { H264Track, H265Track } from '../../../codecs/track.ts';
import type { Awaited, Depacketizer, UnitReceiver } from '../depacketizer.ts';
import { PictureReceiver } from '../picture-receiver.ts';
import type { RtpPacket } from '../rtp-packet.ts';

const AGGREGATION_PACKET = 48;
const FRAGMENTATION_UNIT = 49;
/** The payload header, laid out like a NAL unit's, RFC 7798 §4.4. */
const HEADER_BYTES = 2;
const FU_HEADER_BYTES = 1;
/** DONL and DOND, RFC 7798 §4.4.1 and §4.4.2. */
const DONL_BYTES = 2;
const DOND_BYTES = 1;
/** Of the size before each NAL unit of an aggregate. */
const SIZE_BYTES = 2;
const FU_START = 0x80;
const FU_END = 0x40;
const TEMPORAL_ID_PLUS1 = 0x07;

export interface H265PayloadFormat {
  /** The parameter sets of the session description, in any order. */
  readonly sets: readonly Uint8Array[];
  /** sprop-max-don-diff is more than 0: decoding order numbers are sent. */
  readonly hasDecodingOrder: boolean;
}

export class H265Depacketizer implements Depacketizer {
  readonly #pictures: PictureReceiver;
  readonly #donlBytes: number;
  readonly #dondBytes: number;

  constructor(receiver: UnitReceiver, { sets, hasDecodingOrder }: H265PayloadFormat) {
    this.#donlBytes = hasDecodingOrder ? DONL_BYTES : 0;
    this.#dondBytes = hasDecodingOrder ? DOND_BYTES : 0;
    const firstNalUnit = (bytes: Uint8Array, start: number, end: number) =>
      this.#firstNalUnit(bytes, start, end);
    this.#pictures = new PictureReceiver(receiver, 'h265', sets, firstNalUnit);
  }

  get track(): H264Track | H265Track | undefined {
    return this.#pictures.track;
  }

  get damagedUnits(): number {
    return this.#pictures.damagedUnits;
  }

  get awaits(): Awaited | undefined {
    return this.#pictures.awaits;
  }

  push(packet: RtpPacket, isGap: boolean): void {
    this.#pictures.beginPacket(packet, isGap);
    if (packet.end > packet.start) this.#payload(packet.bytes, packet.start, packet.end);
    this.#pictures.endPacket(packet);
  }

  #payload(bytes: Uint8Array, start: number, end: number): void {
    const second = bytes[start + 1] ?? 0;
    const type = nalUnitType(bytes[start] ?? 0);
    // It is never 0 (H.265 §7.4.2.2): this is a start code.
    if ((second & TEMPORAL_ID_PLUS1) === 0) this.#pictures.annexB(bytes.subarray(start, end));
    else if (type === FRAGMENTATION_UNIT) this.#fragment(bytes, start, end);
    else if (type === AGGREGATION_PACKET) this.#aggregate(bytes, start + HEADER_BYTES, end);
    else if (type < AGGREGATION_PACKET) this.#single(bytes, start, end);
    else this.#pictures.damage();
  }

  /** RFC 7798 §4.4.1: a decoding order number sits behind the header. */
  #single(bytes: Uint8Array, start: number, end: number): void {
    if (this.#donlBytes === 0) {
      this.#pictures.nalUnit(bytes.subarray(start, end));
      return;
    }
    this.#pictures.beginFragments(bytes[start] ?? 0, bytes[start + 1] ?? 0);
    const from = Math.min(start + HEADER_BYTES + this.#donlBytes, end);
    this.#pictures.fragment(bytes.subarray(from, end), true);
  }

  /** RFC 7798 §4.4.2. */
  #aggregate(bytes: Uint8Array, from: number, end: number): void {
    let at = from + this.#donlBytes;
    while (at + SIZE_BYTES <= end) {
      const size = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      at += SIZE_BYTES;
      if (at + size > end) {
        this.#pictures.damage();
        return;
      }
      if (size > 0) this.#pictures.nalUnit(bytes.subarray(at, at + size));
      at += size + this.#dondBytes;
    }
  }

  /** RFC 7798 §4.4.3: the NAL unit's type is in the FU header, the rest of its header in the payload header. */
  #fragment(bytes: Uint8Array, start: number, end: number): void {
    let from = start + HEADER_BYTES + FU_HEADER_BYTES;
    if (end < from) {
      this.#pictures.damage();
      return;
    }
    const header = bytes[from - 1] ?? 0;
    if ((header & FU_START) !== 0) {
      from = Math.min(from + this.#donlBytes, end);
      const first = ((bytes[start] ?? 0) & 0x81) | ((header & 0x3f) << 1);
      this.#pictures.beginFragments(first, bytes[start + 1] ?? 0);
    }
    this.#pictures.fragment(bytes.subarray(from, end), (header & FU_END) !== 0);
  }

  #firstNalUnit(bytes: Uint8Array, start: number, end: number): number {
    const first = bytes[start] ?? 0;
    const type = nalUnitType(first);
    const behind = start + HEADER_BYTES + this.#donlBytes;
    if (type === FRAGMENTATION_UNIT) {
      const header = bytes[start + HEADER_BYTES] ?? 0;
      if ((header & FU_START) === 0) return -1;
      return ((header & 0x3f) << 9) | (bytes[behind + FU_HEADER_BYTES] ?? 0);
    }
    if (type !== AGGREGATION_PACKET) return (first << 8) | (bytes[behind] ?? 0);
    const at = Math.min(behind + SIZE_BYTES, end);
    return ((bytes[at] ?? 0) << 8) | (bytes[at + HEADER_BYTES] ?? 0);
  }
}
