/**
 * NAL units in, coded pictures out: what every carrier of H.264 and H.265 (RTP, MPEG-TS) does alike.
 * The carrier knows where a picture ends and what is damaged; this knows what is in it.
 *
 *   pictures.appendNalUnit(nalUnit);                        a whole one, or
 *   pictures.beginNalUnit(0x65); append(…); endNalUnit();   one that comes in pieces
 *   const picture = pictures.finish();                      lent: append nothing now
 *   pictures.release(kept);                                 empty again (or `clear()`)
 *
 * NAL units leave as they came, parameter sets included. Where a parameter set, delimiter or SEI has further NAL
 * units behind start codes (Annex B inside of RTP) they are taken apart; a slice is never searched.
 */
import { AccessUnitAssembler } from './access-unit-assembler.ts';
import { annexBNalUnits } from './annex-b.ts';
import { H264_SYNTAX } from './h264/nal-unit-syntax.ts';
import { H265_SYNTAX } from './h265/nal-unit-syntax.ts';
import { type NalUnitSyntax, NalUnitTrait } from './nal-unit-syntax.ts';
import { nalUnits } from './nal-units.ts';
import { ParameterSets } from './parameter-sets.ts';
import type { H264Track, H265Track } from './track.ts';

const SYNTAXES: Readonly<Record<'h264' | 'h265', NalUnitSyntax>> = {
  h264: H264_SYNTAX,
  h265: H265_SYNTAX,
};
/** first_mb_in_slice is 0 (ue(v)), first_slice_segment_in_pic_flag: the same bit behind either header. */
const FIRST_SLICE = 0x80;

export interface Picture {
  /** NAL units with 4-byte lengths, lent. */
  readonly data: Uint8Array;
  readonly randomAccess: boolean;
  /** H.265's RASL: it refers to pictures before its random access point, so who began there cannot decode it. */
  readonly skippedLeading: boolean;
  readonly track: H264Track | H265Track;
}

/** 'second field': a first slice in a stream that may code a picture as two fields, each of which has one. */
export type PlaceAfterSlice = 'next picture' | 'second field' | 'same picture' | 'either';

export class PictureAssembler {
  readonly #syntax: NalUnitSyntax;
  readonly #assembler = new AccessUnitAssembler();
  readonly #sets: ParameterSets;
  /** Of all NAL units of this picture. */
  #traits = 0;
  /** Of the NAL unit that comes in pieces. */
  #openTraits = 0;
  /** The track that was last looked at for fields, and what was found. */
  #seenTrack: H264Track | H265Track | undefined;
  #pairsFields = false;
  /** The stream repeats its parameter sets: a random access picture begins with them. */
  #sendsParameterSets = false;

  constructor(codec: 'h264' | 'h265') {
    this.#syntax = SYNTAXES[codec];
    this.#sets = new ParameterSets(this.#syntax);
  }

  /** Once its parameter sets are known; another object when they have changed. */
  get track(): H264Track | H265Track | undefined {
    return this.#sets.track;
  }

  get byteLength(): number {
    return this.#assembler.byteLength;
  }

  /** There is a picture, not only what precedes one. */
  get hasSlice(): boolean {
    return (this.#traits & NalUnitTrait.slice) !== 0;
  }

  /** It exceeds MAX_ACCESS_UNIT_BYTES and is not whole: drop it with `clear()`. */
  get overflowed(): boolean {
    return this.#assembler.overflowed;
  }

  /** Those that came out of band, in any order. What is no parameter set is passed over. */
  setParameterSets(sets: Iterable<Uint8Array>): void {
    this.#sets.take(sets);
  }

  /** One NAL unit, as it should be; or several with start codes between them. */
  appendNalUnit(nalUnit: Uint8Array): void {
    const traits = this.#syntax.traits(nalUnit[0] ?? 0);
    const startCode = (traits & NalUnitTrait.mayHideOthers) !== 0 ? findStartCode(nalUnit) : -1;
    if (startCode === -1) {
      this.#append(nalUnit, traits);
      return;
    }
    const first = withoutTrailingZeros(nalUnit.subarray(0, startCode));
    this.#append(first, traits);
    for (const other of annexBNalUnits(nalUnit.subarray(startCode))) this.appendNalUnit(other);
  }

  /** Opens a NAL unit that comes in pieces; `secondByte` where the codec's header has one. */
  beginNalUnit(firstByte: number, secondByte = 0): void {
    this.#openTraits = this.#syntax.traits(firstByte);
    // What is small is looked at when it is whole.
    if ((this.#openTraits & NalUnitTrait.mayHideOthers) === 0) this.#traits |= this.#openTraits;
    this.#assembler.beginNalUnit();
    this.#assembler.appendByte(firstByte);
    if (this.#syntax.headerBytes === 2) this.#assembler.appendByte(secondByte);
  }

  append(bytes: Uint8Array): void {
    this.#assembler.append(bytes);
  }

  endNalUnit(): void {
    if ((this.#openTraits & NalUnitTrait.mayHideOthers) === 0) {
      this.#assembler.endNalUnit();
      return;
    }
    this.#openTraits = 0;
    const whole = this.#assembler.openNalUnit().slice();
    this.#assembler.abandonNalUnit();
    this.appendNalUnit(whole);
  }

  /** Takes back the NAL unit that was begun. */
  abandonNalUnit(): void {
    this.#openTraits = 0;
    this.#assembler.abandonNalUnit();
  }

  /** Whether a NAL unit can only belong to the next picture; `next` is the byte behind its header. */
  beginsNext(firstByte: number, next: number): boolean {
    return this.hasSlice && this.placeAfterSlice(firstByte, next) === 'next picture';
  }

  /** Where a NAL unit belongs that comes after a slice; `next` is the byte behind its header. */
  placeAfterSlice(firstByte: number, next: number): PlaceAfterSlice {
    const traits = this.#syntax.traits(firstByte);
    if ((traits & NalUnitTrait.beginsPicture) !== 0) return 'next picture';
    if ((traits & NalUnitTrait.slice) === 0) return 'either';
    const isFirst = (traits & NalUnitTrait.hasFirstBit) !== 0 && (next & FIRST_SLICE) !== 0;
    if (!isFirst) return 'same picture';
    return this.#mayPairFields() ? 'second field' : 'next picture';
  }

  /**
   * Whether a NAL unit is certainly the first of its picture, directly after a loss: a delimiter or the first kind of
   * parameter set. Where the stream does not repeat its parameter sets: the first slice of a random access picture.
   */
  beginsUnit(firstByte: number, next: number): boolean {
    const traits = this.#syntax.traits(firstByte);
    if ((traits & NalUnitTrait.beginsUnit) !== 0) return true;
    const isFirst = (traits & NalUnitTrait.hasFirstBit) !== 0 && (next & FIRST_SLICE) !== 0;
    return isFirst && (traits & NalUnitTrait.randomAccess) !== 0 && !this.#sendsParameterSets;
  }

  /** The picture. Undefined while its parameter sets are not known, or when it is too large: `clear()` then. */
  finish(): Picture | undefined {
    this.endNalUnit();
    const data = this.#assembler.take();
    if (this.#assembler.overflowed) return undefined;
    if ((this.#traits & NalUnitTrait.parameterSet) !== 0) this.#readParameterSets(data);
    const { track } = this.#sets;
    if (track === undefined) return undefined;
    const randomAccess = (this.#traits & NalUnitTrait.randomAccess) !== 0;
    const skippedLeading = (this.#traits & NalUnitTrait.skippedLeading) !== 0;
    return { data, randomAccess, skippedLeading, track };
  }

  /** After the picture was handed on. `kept`: somebody still reads the bytes, so leave them the buffer. */
  release(kept: boolean): void {
    this.#assembler.release(kept);
    this.#traits = 0;
  }

  /** Forgets the picture being assembled. */
  clear(): void {
    this.#assembler.clear();
    this.#traits = 0;
    this.#openTraits = 0;
  }

  #append(nalUnit: Uint8Array, traits: number): void {
    this.#traits |= traits;
    const isSei = (traits & NalUnitTrait.sei) !== 0;
    if (isSei && this.#syntax.isRecoveryPoint(nalUnit)) this.#traits |= NalUnitTrait.randomAccess;
    this.#assembler.appendNalUnit(nalUnit);
  }

  #readParameterSets(data: Uint8Array): void {
    this.#sendsParameterSets = true;
    this.#sets.take(nalUnits(data));
  }

  #mayPairFields(): boolean {
    const { track } = this.#sets;
    if (track !== undefined && track !== this.#seenTrack) {
      this.#seenTrack = track;
      this.#pairsFields = this.#syntax.pairsFields(track);
    }
    return this.#pairsFields;
  }
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
