/**
 * H.264 over RTP, RFC 6184: single NAL units, STAP-A, STAP-B (order as they come) and FU-A/FU-B.
 * MTAPs (interleaved mode) are counted as damage.
 *
 * NAL units leave as they came, parameter sets included. Tolerated beyond the RFC:
 * - Annex B start codes inside a single NAL unit packet (Reolink Duo 2, Amcrest IP4M-1051),
 * - parameter sets with a marker or a timestamp of their own (Tapo TC70): kept for the next picture,
 * - a missing marker: a new timestamp ends the unit.
 */
import { AccessUnitAssembler } from '../../../codecs/access-unit-assembler.ts';
import { equalBytes } from '../../../codecs/bytes.ts';
import { annexBNalUnits, isAnnexB } from '../../../codecs/h264/annex-b.ts';
import { NalUnitType, nalUnits } from '../../../codecs/h264/nal-unit.ts';
import { MAX_SPS_BYTES } from '../../../codecs/h264/sps.ts';
import type { H264Track } from '../../../codecs/track.ts';
import type { Depacketizer, UnitReceiver } from '../depacketizer.ts';
import type { RtpPacket } from '../rtp-packet.ts';

const STAP_A = 24;
const STAP_B = 25;
const FU_A = 28;
const FU_B = 29;
/** Bytes of the decoding order number in STAP-B and the first FU-B, RFC 6184 §5.5. */
const DON_BYTES = 2;
const FU_START = 0x80;
const FU_END = 0x40;
/** SEI payload type, H.264 §D.1.8: decoding may start here although the picture is no IDR. */
const SEI_RECOVERY_POINT = 6;
/** A PPS with full scaling lists stays far below this. */
const MAX_PPS_BYTES = 4096;

export class H264Depacketizer implements Depacketizer {
  damagedUnits = 0;
  readonly #receiver: UnitReceiver;
  readonly #assembler = new AccessUnitAssembler();
  #track: H264Track | undefined;
  #sps: Uint8Array | undefined;
  #pps: Uint8Array | undefined;
  #timestamp = 0;
  #isDamaged = false;
  #hasSlice = false;
  #hasParameterSets = false;
  #isRandomAccess = false;
  #inFragment = false;
  /** Nothing can be decoded before the next random access point: at the start, and after a loss. */
  #awaitsRandomAccess = true;

  constructor(receiver: UnitReceiver, sps: Uint8Array | undefined, pps: Uint8Array | undefined) {
    this.#receiver = receiver;
    this.#sps = sps;
    this.#pps = pps;
    this.#updateTrack();
  }

  get track(): H264Track | undefined {
    return this.#track;
  }

  push(packet: RtpPacket, isGap: boolean): void {
    const { bytes, start, end, timestamp } = packet;
    if (isGap) this.#noteGap();
    if (timestamp !== this.#timestamp) {
      if (this.#hasSlice || this.#isDamaged) this.#finish();
      this.#timestamp = timestamp;
      // After a gap the missing packets may have been this unit's first ones.
      if (isGap && !startsUnit(bytes, start, end)) this.#isDamaged = true;
    }
    if (end > start) this.#payload(bytes, start, end);
    if (packet.marker && (this.#hasSlice || this.#isDamaged)) this.#finish();
  }

  #payload(bytes: Uint8Array, start: number, end: number): void {
    const type = (bytes[start] ?? 0) & 0x1f;
    if (type === FU_A || type === FU_B) {
      this.#fragment(bytes, start, end, type === FU_B);
      return;
    }
    if (this.#inFragment) this.#damage();
    if (type === STAP_A) this.#aggregate(bytes, start + 1, end);
    else if (type === STAP_B) this.#aggregate(bytes, start + 1 + DON_BYTES, end);
    else if (type >= 1 && type < STAP_A) this.#nalUnit(bytes.subarray(start, end));
    else if (type === 0) this.#annexB(bytes.subarray(start, end));
    else this.#damage();
  }

  #nalUnit(nalUnit: Uint8Array): void {
    this.#look(nalUnit[0] ?? 0, nalUnit[1] ?? 0);
    this.#assembler.appendNalUnit(nalUnit);
  }

  /** RFC 6184 §5.7.1. */
  #aggregate(bytes: Uint8Array, from: number, end: number): void {
    let at = from;
    while (at + 2 <= end) {
      const size = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      at += 2;
      if (at + size > end) {
        this.#damage();
        return;
      }
      if (size > 0) this.#nalUnit(bytes.subarray(at, at + size));
      at += size;
    }
  }

  /** RFC 6184 §5.8: the NAL unit header is split over the indicator and the FU header. */
  #fragment(bytes: Uint8Array, start: number, end: number, isFuB: boolean): void {
    if (end - start < 2) {
      this.#damage();
      return;
    }
    const header = bytes[start + 1] ?? 0;
    let from = start + 2;
    if ((header & FU_START) !== 0) {
      if (this.#inFragment) this.#damage();
      if (isFuB) from = Math.min(end, from + DON_BYTES);
      const nalHeader = ((bytes[start] ?? 0) & 0xe0) | (header & 0x1f);
      this.#look(nalHeader, bytes[from] ?? 0);
      this.#assembler.beginNalUnit();
      this.#assembler.appendByte(nalHeader);
      this.#inFragment = true;
    } else if (!this.#inFragment) {
      this.#damage();
      return;
    }
    this.#assembler.append(bytes.subarray(from, end));
    if ((header & FU_END) === 0) return;
    this.#assembler.endNalUnit();
    this.#inFragment = false;
  }

  #annexB(payload: Uint8Array): void {
    if (!isAnnexB(payload)) {
      this.#damage();
      return;
    }
    for (const nalUnit of annexBNalUnits(payload)) this.#nalUnit(nalUnit);
  }

  /** Notes what the unit holds from a NAL unit's header and the byte after it. */
  #look(header: number, next: number): void {
    const type = header & 0x1f;
    if (type >= NalUnitType.nonIdr && type <= NalUnitType.idr) {
      this.#hasSlice = true;
      if (type === NalUnitType.idr) this.#isRandomAccess = true;
    } else if (type === NalUnitType.sps || type === NalUnitType.pps) {
      this.#hasParameterSets = true;
    } else if (type === NalUnitType.sei && next === SEI_RECOVERY_POINT) {
      this.#isRandomAccess = true;
    }
  }

  #noteGap(): void {
    this.#awaitsRandomAccess = true;
    if (this.#assembler.byteLength > 0) this.#isDamaged = true;
    this.#inFragment = false;
    this.#assembler.abandonNalUnit();
  }

  #damage(): void {
    this.#isDamaged = true;
    this.#inFragment = false;
    this.#assembler.abandonNalUnit();
  }

  #finish(): void {
    if (this.#inFragment || this.#assembler.overflowed) this.#damage();
    if (this.#isDamaged) {
      this.damagedUnits += 1;
      this.#awaitsRandomAccess = true;
      this.#assembler.clear();
    } else {
      this.#deliver();
    }
    this.#isDamaged = false;
    this.#hasSlice = false;
    this.#hasParameterSets = false;
    this.#isRandomAccess = false;
  }

  #deliver(): void {
    const data = this.#assembler.take();
    if (this.#hasParameterSets) this.#readParameterSets(data);
    if (this.#isRandomAccess) this.#awaitsRandomAccess = false;
    if (this.#track === undefined || this.#awaitsRandomAccess) {
      this.damagedUnits += 1;
      this.#assembler.clear();
      return;
    }
    const kept = this.#receiver.unit(data, this.#timestamp, this.#isRandomAccess, this.#track);
    this.#assembler.release(kept);
  }

  #readParameterSets(data: Uint8Array): void {
    for (const nalUnit of nalUnits(data)) {
      const type = (nalUnit[0] ?? 0) & 0x1f;
      if (type === NalUnitType.sps && nalUnit.length <= MAX_SPS_BYTES) {
        if (this.#sps === undefined || !equalBytes(this.#sps, nalUnit)) this.#sps = nalUnit.slice();
      } else if (type === NalUnitType.pps && nalUnit.length <= MAX_PPS_BYTES) {
        if (this.#pps === undefined || !equalBytes(this.#pps, nalUnit)) this.#pps = nalUnit.slice();
      }
    }
    this.#updateTrack();
  }

  #updateTrack(): void {
    if (this.#sps === undefined || this.#pps === undefined) return;
    if (this.#track?.sps === this.#sps && this.#track.pps === this.#pps) return;
    this.#track = { kind: 'video', codec: 'h264', sps: this.#sps, pps: this.#pps };
  }
}

/** Whether a payload can only be the first of its access unit: AUD, SPS, or an aggregate that begins so. */
function startsUnit(bytes: Uint8Array, start: number, end: number): boolean {
  const type = (bytes[start] ?? 0) & 0x1f;
  const first = type === STAP_A && end - start > 3 ? (bytes[start + 3] ?? 0) & 0x1f : type;
  return first === NalUnitType.sps || first === NalUnitType.accessUnitDelimiter;
}
