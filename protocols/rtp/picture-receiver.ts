/**
 * From NAL units in RTP packets to pictures: what H.264 (RFC 6184) and H.265 (RFC 7798) have in common. Their
 * payload formats tell it what is in a packet; it finds where pictures end, and drops what is not whole.
 *
 * Tolerated beyond the RFCs:
 * - parameter sets with a marker or a timestamp of their own (Tapo TC70): kept for the next picture,
 * - a missing marker: a new timestamp ends the picture,
 * - a marker on every NAL unit, slice or packet (obs-rtspserver, OpenIPC's smolrtsp): from then on the next timestamp, or
 *   the first slice of another picture, ends a picture. Markers are believed until a slice follows with the same timestamp,
 *   which tears one picture; where parameter sets are marked as well they are not believed before one has proved right,
 * - a missing end bit of the last fragment: with no packet lost, the next NAL unit ends the one before.
 */
import { annexBNalUnits, isAnnexB } from '../../codecs/annex-b.ts';
import { PictureAssembler } from '../../codecs/picture-assembler.ts';
import { RandomAccessGate } from '../../codecs/random-access-gate.ts';
import type { H264Track, H265Track } from '../../codecs/track.ts';
import type { Awaited, UnitReceiver } from './depacketizer.ts';
import type { RtpPacket } from './rtp-packet.ts';

/**
 * Where a payload's first NAL unit lets itself be seen: the first byte of its header, and the byte behind the
 * header, as `first << 8 | next`. −1: the payload begins within a NAL unit.
 */
export type FirstNalUnit = (bytes: Uint8Array, start: number, end: number) => number;

export class PictureReceiver {
  readonly #receiver: UnitReceiver;
  readonly #firstNalUnit: FirstNalUnit;
  readonly #pictures: PictureAssembler;
  readonly #gate = new RandomAccessGate();
  #droppedUnits = 0;
  #timestamp = 0;
  #isDamaged = false;
  #inFragment = false;
  #markers: 'believed' | 'doubted' | 'proven' | 'refuted' = 'believed';
  /** The packet before had the marker, in a picture that has slices. */
  #isAfterMarker = false;
  /** A packet of this timestamp had the marker when there was no slice yet. */
  #hasEarlyMarker = false;

  /** `sets`: the parameter sets of the session description, in any order. */
  constructor(
    receiver: UnitReceiver,
    codec: 'h264' | 'h265',
    sets: readonly Uint8Array[],
    firstNalUnit: FirstNalUnit,
  ) {
    this.#receiver = receiver;
    this.#firstNalUnit = firstNalUnit;
    this.#pictures = new PictureAssembler(codec);
    this.#pictures.setParameterSets(sets);
  }

  get track(): H264Track | H265Track | undefined {
    return this.#pictures.track;
  }

  get damagedUnits(): number {
    return this.#droppedUnits + this.#gate.heldBack;
  }

  /** Why no picture is handed on although packets arrive. */
  get awaits(): Awaited | undefined {
    if (this.track === undefined) return 'parameter-sets';
    return this.#gate.isOpen ? undefined : 'keyframe';
  }

  /** Before the payload is read. */
  beginPacket(packet: RtpPacket, isGap: boolean): void {
    if (isGap) this.#noteGap();
    if (packet.timestamp === this.#timestamp) {
      if (this.#isAfterMarker) this.#placeAfterMarker(packet);
      return;
    }
    if (this.#isAfterMarker && !this.#isDamaged && this.#markers !== 'refuted') {
      this.#markers = 'proven';
    }
    if (this.#pictures.hasSlice || this.#isDamaged) this.#finish();
    this.#timestamp = packet.timestamp;
    this.#hasEarlyMarker = false;
    // After a gap the missing packets may have been this unit's first ones.
    if (isGap && !this.#startsUnit(packet)) this.#isDamaged = true;
  }

  /** After the payload was read. */
  endPacket(packet: RtpPacket): void {
    const hasPicture = this.#pictures.hasSlice || this.#isDamaged;
    this.#isAfterMarker = packet.marker && hasPicture;
    if (!packet.marker) return;
    if (!hasPicture) {
      this.#hasEarlyMarker = true;
      return;
    }
    if (this.#hasEarlyMarker && this.#markers === 'believed') this.#markers = 'doubted';
    if (this.#leavesWithMarker()) this.#finish();
  }

  #leavesWithMarker(): boolean {
    return this.#markers === 'believed' || this.#markers === 'proven';
  }

  nalUnit(nalUnit: Uint8Array): void {
    this.endFragments();
    this.#pictures.appendNalUnit(nalUnit);
  }

  /** A whole payload that begins with a start code, against the RFCs. */
  annexB(payload: Uint8Array): void {
    this.endFragments();
    if (!isAnnexB(payload)) this.damage();
    else for (const nalUnit of annexBNalUnits(payload)) this.#pictures.appendNalUnit(nalUnit);
  }

  /** The first fragment of a NAL unit comes next. `secondByte` of its header where the codec has one. */
  beginFragments(firstByte: number, secondByte = 0): void {
    this.endFragments();
    this.#inFragment = true;
    this.#pictures.beginNalUnit(firstByte, secondByte);
  }

  fragment(bytes: Uint8Array, isLast: boolean): void {
    if (!this.#inFragment) {
      this.damage();
      return;
    }
    this.#pictures.append(bytes);
    if (isLast) this.endFragments();
  }

  /** Something other than a further fragment comes next. */
  endFragments(): void {
    if (!this.#inFragment) return;
    this.#inFragment = false;
    this.#pictures.endNalUnit();
  }

  /** A payload makes no sense: its picture is not whole. */
  damage(): void {
    this.#isDamaged = true;
    this.#abandonFragments();
  }

  /** A packet with the timestamp of the marked one before it. */
  #placeAfterMarker(packet: RtpPacket): void {
    if (packet.start === packet.end) return;
    const first = this.#firstOf(packet);
    const place =
      first === -1 ? 'same picture' : this.#pictures.placeAfterSlice(first >> 8, first & 0xff);
    if (place === 'either') return;
    const hasLeft = this.#leavesWithMarker();
    if (place === 'next picture') {
      if (!hasLeft) this.#finish();
      return;
    }
    // What is left of a picture whose first part has left is nothing.
    if (place === 'same picture' && hasLeft) this.#isDamaged = true;
    this.#markers = 'refuted';
  }

  #noteGap(): void {
    this.#gate.close();
    if (this.#pictures.byteLength > 0) this.#isDamaged = true;
    this.#abandonFragments();
  }

  #abandonFragments(): void {
    this.#inFragment = false;
    this.#pictures.abandonNalUnit();
  }

  #firstOf({ bytes, start, end }: RtpPacket): number {
    let at = start;
    // Neither codec's header is two zero bytes: this is a start code.
    if (bytes[at] === 0 && bytes[at + 1] === 0) {
      while (at < end && bytes[at] === 0) at += 1;
      at = Math.min(at + 1, end);
    }
    return this.#firstNalUnit(bytes, at, end);
  }

  #startsUnit(packet: RtpPacket): boolean {
    const first = this.#firstOf(packet);
    return first !== -1 && this.#pictures.beginsUnit(first >> 8, first & 0xff);
  }

  #finish(): void {
    this.endFragments();
    const picture = this.#isDamaged ? undefined : this.#pictures.finish();
    if (this.#isDamaged || this.#pictures.overflowed) {
      this.#droppedUnits += 1;
      this.#gate.close();
    }
    this.#isDamaged = false;
    if (picture === undefined || !this.#gate.admits(picture.randomAccess, picture.skippedLeading)) {
      this.#pictures.clear();
      return;
    }
    const { data, randomAccess, track } = picture;
    this.#pictures.release(this.#receiver.unit(data, this.#timestamp, randomAccess, track));
  }
}
