/**
 * H.264 over RTP, RFC 6184: single NAL units, STAP-A, STAP-B (order as they come) and FU-A/FU-B.
 * MTAPs (interleaved mode) are counted as damage.
 *
 * NAL units leave as they came, parameter sets included. Tolerated beyond the RFC:
 * - Annex B start codes in front of a NAL unit, and behind a parameter set, delimiter or SEI that has more
 *   NAL units in its packet or fragments (Reolink Duo 2, Amcrest IP4M-1051),
 * - parameter sets with a marker or a timestamp of their own (Tapo TC70): kept for the next picture,
 * - a missing marker: a new timestamp ends the unit,
 * - a missing end bit of the last fragment: with no packet lost, the next NAL unit ends the one before.
 */
import { MAX_ACCESS_UNIT_BYTES } from '../../../codecs/access-unit.ts';
import { AccessUnitAssembler } from '../../../codecs/access-unit-assembler.ts';
import { concat, equalBytes } from '../../../codecs/bytes.ts';
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
/** Profile, constraints, level and an id; an id and a flag. What is shorter is no parameter set. */
const MIN_SPS_BYTES = 5;
const MIN_PPS_BYTES = 2;

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
  /** Fragments of a parameter set, delimiter or SEI: looked into when they are whole. */
  #smallFragments: Uint8Array[] = [];
  #smallFragmentBytes = 0;
  /** The stream repeats its parameter sets: an IDR picture begins with them. */
  #sendsParameterSets = false;
  #hasDelivered = false;
  /** Nothing can be decoded before the next random access point: at the start, and after a loss. */
  #awaitsRandomAccess = true;

  constructor(receiver: UnitReceiver, sps: Uint8Array | undefined, pps: Uint8Array | undefined) {
    this.#receiver = receiver;
    if (sps !== undefined && isLength(sps, MIN_SPS_BYTES, MAX_SPS_BYTES)) this.#sps = sps;
    if (pps !== undefined && isLength(pps, MIN_PPS_BYTES, MAX_PPS_BYTES)) this.#pps = pps;
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
      if (isGap && !this.#startsUnit(bytes, start, end)) this.#isDamaged = true;
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
    this.#endFragments();
    if (type === STAP_A) this.#aggregate(bytes, start + 1, end);
    else if (type === STAP_B) this.#aggregate(bytes, start + 1 + DON_BYTES, end);
    else if (type >= 1 && type < STAP_A) this.#nalUnits(bytes.subarray(start, end));
    else if (type === 0) this.#annexB(bytes.subarray(start, end));
    else this.#damage();
  }

  /** One NAL unit, as it should be; or several with start codes between them. */
  #nalUnits(payload: Uint8Array): void {
    const startCode = canHideOthers(payload[0] ?? 0) ? findStartCode(payload) : -1;
    if (startCode === -1) {
      this.#nalUnit(payload);
      return;
    }
    this.#nalUnit(withoutTrailingZeros(payload.subarray(0, startCode)));
    for (const nalUnit of annexBNalUnits(payload.subarray(startCode))) this.#nalUnit(nalUnit);
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
      if (size > 0) this.#nalUnits(bytes.subarray(at, at + size));
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
      this.#endFragments();
      if (isFuB) from = Math.min(end, from + DON_BYTES);
      const nalHeader = ((bytes[start] ?? 0) & 0xe0) | (header & 0x1f);
      this.#beginFragments(nalHeader, bytes[from] ?? 0);
    } else if (!this.#inFragment) {
      this.#damage();
      return;
    }
    const fragment = bytes.subarray(from, end);
    if (this.#smallFragments.length > 0) this.#appendSmall(fragment);
    else this.#assembler.append(fragment);
    if ((header & FU_END) !== 0) this.#endFragments();
  }

  #beginFragments(nalHeader: number, next: number): void {
    this.#inFragment = true;
    if (canHideOthers(nalHeader)) {
      this.#appendSmall(Uint8Array.of(nalHeader));
      return;
    }
    this.#look(nalHeader, next);
    this.#assembler.beginNalUnit();
    this.#assembler.appendByte(nalHeader);
  }

  #appendSmall(fragment: Uint8Array): void {
    this.#smallFragmentBytes += fragment.length;
    if (this.#smallFragmentBytes > MAX_ACCESS_UNIT_BYTES) this.#damage();
    else this.#smallFragments.push(fragment.slice());
  }

  #endFragments(): void {
    if (!this.#inFragment) return;
    this.#inFragment = false;
    if (this.#smallFragments.length === 0) {
      this.#assembler.endNalUnit();
      return;
    }
    const whole = concat(...this.#smallFragments);
    this.#abandonFragments();
    this.#nalUnits(whole);
  }

  #abandonFragments(): void {
    this.#inFragment = false;
    this.#smallFragments = [];
    this.#smallFragmentBytes = 0;
    this.#assembler.abandonNalUnit();
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
    if (this.#assembler.byteLength > 0 || this.#inFragment) this.#isDamaged = true;
    this.#abandonFragments();
  }

  #damage(): void {
    this.#isDamaged = true;
    this.#abandonFragments();
  }

  #finish(): void {
    this.#endFragments();
    if (this.#isDamaged || this.#assembler.overflowed) {
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
      // At the start that is nobody's damage: the camera was in the middle of a GOP.
      if (this.#hasDelivered) this.damagedUnits += 1;
      this.#assembler.clear();
      return;
    }
    this.#hasDelivered = true;
    const kept = this.#receiver.unit(data, this.#timestamp, this.#isRandomAccess, this.#track);
    this.#assembler.release(kept);
  }

  /** The first of each kind: a unit with further ones (other ids) must not look like a change each time. */
  #readParameterSets(data: Uint8Array): void {
    let sps: Uint8Array | undefined;
    let pps: Uint8Array | undefined;
    for (const nalUnit of nalUnits(data)) {
      const type = (nalUnit[0] ?? 0) & 0x1f;
      if (type === NalUnitType.sps && isLength(nalUnit, MIN_SPS_BYTES, MAX_SPS_BYTES)) {
        sps ??= nalUnit;
      } else if (type === NalUnitType.pps && isLength(nalUnit, MIN_PPS_BYTES, MAX_PPS_BYTES)) {
        pps ??= nalUnit;
      }
    }
    this.#sendsParameterSets = true;
    if (sps !== undefined && !(this.#sps && equalBytes(this.#sps, sps))) this.#sps = sps.slice();
    if (pps !== undefined && !(this.#pps && equalBytes(this.#pps, pps))) this.#pps = pps.slice();
    this.#updateTrack();
  }

  /**
   * Whether a payload can only be the first of its access unit: a delimiter or SPS, or an aggregate that begins so.
   * Where the stream does not repeat its parameter sets: the first slice of an IDR picture (first_mb_in_slice is 0).
   */
  #startsUnit(bytes: Uint8Array, start: number, end: number): boolean {
    const indicator = (bytes[start] ?? 0) & 0x1f;
    let at = start;
    if (indicator === STAP_A) at = Math.min(start + 3, end);
    else if (indicator === FU_A && ((bytes[start + 1] ?? 0) & FU_START) !== 0) at = start + 1;
    const type = (bytes[at] ?? 0) & 0x1f;
    if (type === NalUnitType.sps || type === NalUnitType.accessUnitDelimiter) return true;
    const isFirstSlice = type === NalUnitType.idr && ((bytes[at + 1] ?? 0) & 0x80) !== 0;
    return isFirstSlice && !this.#sendsParameterSets;
  }

  #updateTrack(): void {
    if (this.#sps === undefined || this.#pps === undefined) return;
    if (this.#track?.sps === this.#sps && this.#track.pps === this.#pps) return;
    this.#track = { kind: 'video', codec: 'h264', sps: this.#sps, pps: this.#pps };
  }
}

/** Types that are small by nature; a slice is never searched for start codes. */
function canHideOthers(nalHeader: number): boolean {
  const type = nalHeader & 0x1f;
  return type >= NalUnitType.sei && type <= NalUnitType.accessUnitDelimiter;
}

/** Where 00 00 01 begins; −1 when there is none. */
function findStartCode(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(1, 2); at !== -1; at = bytes.indexOf(1, at + 1)) {
    if (bytes[at - 1] === 0 && bytes[at - 2] === 0) return at - 2;
  }
  return -1;
}

function withoutTrailingZeros(bytes: Uint8Array): Uint8Array {
  let { length } = bytes;
  while (length > 1 && bytes[length - 1] === 0) length -= 1;
  return bytes.subarray(0, length);
}

function isLength(bytes: Uint8Array, min: number, max: number): boolean {
  return bytes.length >= min && bytes.length <= max;
}
