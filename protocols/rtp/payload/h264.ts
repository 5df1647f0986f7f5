/**
 * H.264 over RTP, RFC 6184: single NAL units, STAP-A, STAP-B (order as they come) and FU-A/FU-B.
 * MTAPs (interleaved mode) are counted as damage.
 *
 * Tolerated beyond the RFC, with what picture-receiver.ts tolerates: Annex B start codes in front of a NAL unit, and
 * behind a parameter set, delimiter or SEI that has more NAL units in its packet or fragments (Reolink Duo 2,
 * Amcrest IP4M-1051).
 */
import { nalUnitType } from '../../../codecs/h264/nal-unit.ts';
import type { H264Track, H265Track } from '../../../codecs/track.ts';
import type { Awaited, Depacketizer, UnitReceiver } from '../depacketizer.ts';
import { PictureReceiver } from '../picture-receiver.ts';
import type { RtpPacket } from '../rtp-packet.ts';

const STAP_A = 24;
const STAP_B = 25;
const FU_A = 28;
const FU_B = 29;
/** Bytes of the decoding order number in STAP-B and the first FU-B, RFC 6184 §5.5. */
const DON_BYTES = 2;
/** Bytes of the size before each NAL unit of an aggregate, RFC 6184 §5.7.1. */
const SIZE_BYTES = 2;
const FU_START = 0x80;
const FU_END = 0x40;

export class H264Depacketizer implements Depacketizer {
  readonly #pictures: PictureReceiver;

  /** `sets`: the parameter sets of the session description, in any order. */
  constructor(receiver: UnitReceiver, sets: readonly Uint8Array[]) {
    this.#pictures = new PictureReceiver(receiver, 'h264', sets, firstNalUnit);
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
    const type = nalUnitType(bytes[start] ?? 0);
    if (type === FU_A || type === FU_B) this.#fragment(bytes, start, end, type === FU_B);
    else if (type === STAP_A) this.#aggregate(bytes, start + 1, end);
    else if (type === STAP_B) this.#aggregate(bytes, start + 1 + DON_BYTES, end);
    else if (type >= 1 && type < STAP_A) this.#pictures.nalUnit(bytes.subarray(start, end));
    else if (type === 0) this.#pictures.annexB(bytes.subarray(start, end));
    else this.#pictures.damage();
  }

  /** RFC 6184 §5.7.1. */
  #aggregate(bytes: Uint8Array, from: number, end: number): void {
    let at = from;
    while (at + SIZE_BYTES <= end) {
      const size = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      at += SIZE_BYTES;
      if (at + size > end) {
        this.#pictures.damage();
        return;
      }
      if (size > 0) this.#pictures.nalUnit(bytes.subarray(at, at + size));
      at += size;
    }
  }

  /** RFC 6184 §5.8: the NAL unit header is split over the indicator and the FU header. */
  #fragment(bytes: Uint8Array, start: number, end: number, isFuB: boolean): void {
    if (end - start < 2) {
      this.#pictures.damage();
      return;
    }
    const header = bytes[start + 1] ?? 0;
    let from = start + 2;
    if ((header & FU_START) !== 0) {
      if (isFuB) from = Math.min(end, from + DON_BYTES);
      this.#pictures.beginFragments(((bytes[start] ?? 0) & 0xe0) | (header & 0x1f));
    }
    this.#pictures.fragment(bytes.subarray(from, end), (header & FU_END) !== 0);
  }
}

function firstNalUnit(bytes: Uint8Array, start: number, end: number): number {
  const type = nalUnitType(bytes[start] ?? 0);
  let at = start;
  if (type === STAP_A) at = Math.min(start + 1 + SIZE_BYTES, end);
  else if (type === FU_A) {
    if (((bytes[start + 1] ?? 0) & FU_START) === 0) return -1;
    at = start + 1;
  }
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
