/**
 * H.264 and H.265 in the bodies of video tags → pictures: NAL units with 4-byte lengths, and the track.
 *
 * The usual picture is handed on where it lies. It is built anew where its lengths have 1 or 2 bytes; and
 * where the decoder configuration record has more parameter sets than a track holds: those are put in front of the
 * random access pictures, where every receiver finds them.
 */
import { AccessUnitAssembler } from '../access-unit-assembler.ts';
import { equalBytes } from '../bytes.ts';
import { ParseError } from '../errors.ts';
import { parseDecoderConfigurationRecord } from '../h264/decoder-configuration-record.ts';
import { H264_SYNTAX } from '../h264/nal-unit-syntax.ts';
import { parseHevcDecoderConfigurationRecord } from '../h265/decoder-configuration-record.ts';
import { H265_SYNTAX } from '../h265/nal-unit-syntax.ts';
import { type NalUnitSyntax, NalUnitTrait } from '../nal-unit-syntax.ts';
import { ParameterSets } from '../parameter-sets.ts';
import type { H264Track, H265Track } from '../track.ts';

/** Of a stream without a decoder configuration record. */
const USUAL_LENGTH_SIZE = 4;

export interface FlvPicture {
  /** Lent: a view into the tag's body, or into a buffer of ours that `release` gives back. */
  readonly data: Uint8Array;
  readonly randomAccess: boolean;
  /** H.265's RASL: it refers to what is before its random access point. */
  readonly skippedLeading: boolean;
  readonly track: H264Track | H265Track;
}

export class FlvPictures {
  readonly codec: 'h264' | 'h265';
  readonly #syntax: NalUnitSyntax;
  readonly #sets: ParameterSets;
  readonly #rebuilt = new AccessUnitAssembler();
  #lengthSize = USUAL_LENGTH_SIZE;
  /** Of the record, beyond those of the track. */
  #furtherSets: readonly Uint8Array[] = [];
  /** Of the picture at hand. */
  #traits = 0;

  constructor(codec: 'h264' | 'h265') {
    this.codec = codec;
    this.#syntax = codec === 'h264' ? H264_SYNTAX : H265_SYNTAX;
    this.#sets = new ParameterSets(this.#syntax);
  }

  get track(): H264Track | H265Track | undefined {
    return this.#sets.track;
  }

  /** The decoder configuration record. Throws ParseError when it is none. */
  configure(record: Uint8Array): void {
    const { lengthSize, sets } =
      this.codec === 'h264' ? avcConfiguration(record) : hevcConfiguration(record);
    this.#lengthSize = lengthSize;
    this.#sets.take(sets);
    const { track } = this.#sets;
    const chosen: Uint8Array[] = [];
    if (track !== undefined) chosen.push(track.sps, track.pps);
    if (track?.codec === 'h265') chosen.push(track.vps);
    this.#furtherSets = sets
      .filter((set) => !chosen.some((other) => equalBytes(set, other)))
      .map((set) => set.slice());
  }

  /** Undefined while no parameter sets are known. Throws ParseError when its lengths do not add up. */
  read(data: Uint8Array, keyframe: boolean): FlvPicture | undefined {
    const isAsItShouldBe = this.#walk(data);
    const traits = this.#traits;
    if ((traits & NalUnitTrait.parameterSet) !== 0) this.#sets.take(this.#nalUnits(data));
    const { track } = this.#sets;
    if (track === undefined) return undefined;
    // Some servers call an IDR picture an inter frame.
    const randomAccess = keyframe || (traits & NalUnitTrait.randomAccess) !== 0;
    const skippedLeading = (traits & NalUnitTrait.skippedLeading) !== 0;
    const needsSets = randomAccess && this.#furtherSets.length > 0;
    const isWhole = isAsItShouldBe && !needsSets;
    return {
      data: isWhole ? data : this.#rebuild(data, needsSets ? this.#furtherSets : []),
      randomAccess,
      skippedLeading,
      track,
    };
  }

  /** After the picture was handed on; `kept`: somebody still reads the bytes. True when they are the tag's. */
  release(kept: boolean): boolean {
    if (this.#rebuilt.byteLength === 0) return kept;
    this.#rebuilt.release(kept);
    return false;
  }

  /** Gathers traits; true when `data` can be handed on as it is. */
  #walk(data: Uint8Array): boolean {
    const lengthSize = this.#lengthSize;
    this.#traits = 0;
    let isWhole = lengthSize === USUAL_LENGTH_SIZE;
    let at = 0;
    while (at < data.length) {
      const start = at + lengthSize;
      const length = readLength(data, at, lengthSize);
      if (start + length > data.length) {
        throw new ParseError(`a NAL unit of ${length} bytes, ${data.length - start} left`, at);
      }
      if (length === 0) isWhole = false;
      else this.#traits |= this.#syntax.traits(data[start] ?? 0);
      at = start + length;
    }
    return isWhole;
  }

  /** Views, of what `#walk` has found to add up. */
  *#nalUnits(data: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < data.length; ) {
      const start = at + this.#lengthSize;
      at = start + readLength(data, at, this.#lengthSize);
      if (at > start) yield data.subarray(start, at);
    }
  }

  /** `sets` behind an access unit delimiter, which is first (H.264 §7.4.1.2.3), and before all else. */
  #rebuild(data: Uint8Array, sets: readonly Uint8Array[]): Uint8Array {
    this.#rebuilt.clear();
    const { beginsUnit, parameterSet } = NalUnitTrait;
    let isFirst = true;
    for (const nalUnit of this.#nalUnits(data)) {
      const traits = this.#syntax.traits(nalUnit[0] ?? 0);
      const isDelimiter = (traits & (beginsUnit | parameterSet)) === beginsUnit;
      if (isFirst && !isDelimiter) this.#appendAll(sets);
      this.#rebuilt.appendNalUnit(nalUnit);
      if (isFirst && isDelimiter) this.#appendAll(sets);
      isFirst = false;
    }
    if (isFirst) this.#appendAll(sets);
    if (this.#rebuilt.overflowed) {
      this.#rebuilt.clear();
      throw new ParseError('a picture too large to be built anew');
    }
    return this.#rebuilt.take();
  }

  #appendAll(sets: readonly Uint8Array[]): void {
    for (const set of sets) this.#rebuilt.appendNalUnit(set);
  }
}

function avcConfiguration(record: Uint8Array) {
  const { lengthSize, sps, pps } = parseDecoderConfigurationRecord(record);
  return { lengthSize, sets: [...sps, ...pps] };
}

function hevcConfiguration(record: Uint8Array) {
  const { lengthSize, vps, sps, pps } = parseHevcDecoderConfigurationRecord(record);
  return { lengthSize, sets: [...vps, ...sps, ...pps] };
}

function readLength(bytes: Uint8Array, at: number, lengthSize: number): number {
  let length = 0;
  for (let index = 0; index < lengthSize; index += 1) {
    length = length * 256 + (bytes[at + index] ?? 0);
  }
  return length;
}
