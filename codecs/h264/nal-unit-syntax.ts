/** What an assembler of pictures must know of H.264. H.264 §7.4.1.2.3 tells where a picture begins. */
import { BitReader } from '../bit-reader.ts';
import { ParseError } from '../errors.ts';
import { type NalUnitSyntax, NalUnitTrait, traitTable } from '../nal-unit-syntax.ts';
import { removeEmulationPrevention } from '../rbsp.ts';
import type { H264Track, H265Track } from '../track.ts';
import { NalUnitType, nalUnitType } from './nal-unit.ts';
import { MAX_SPS_BYTES, parseSps } from './sps.ts';

const SPS = 0;
const PPS = 1;
/** A PPS with full scaling lists stays far below this. */
const MAX_PPS_BYTES = 4096;
/** Profile, constraints, level and an id; an id and a flag. What is shorter is no parameter set. */
const MIN_SPS_BYTES = 5;
const MIN_PPS_BYTES = 2;
/** Before seq_parameter_set_id: the header, profile_idc, the constraint flags, level_idc. */
const SPS_ID_AT = 4;
const PPS_ID_AT = 1;
/** An identifier of at most 255 has 17 bits; one emulation prevention byte may be among them. */
const ID_BYTES = 4;
/** SEI payload type, H.264 §D.1.8. */
const RECOVERY_POINT = 6;

const { slice, randomAccess, hasFirstBit, parameterSet } = NalUnitTrait;
const { sei, beginsPicture, beginsUnit, mayHideOthers } = NalUnitTrait;

const TRAITS = traitTable([
  [[NalUnitType.nonIdr, NalUnitType.partitionA], slice | hasFirstBit],
  [[NalUnitType.partitionA + 1, NalUnitType.partitionA + 2], slice],
  [[NalUnitType.idr], slice | hasFirstBit | randomAccess],
  [[NalUnitType.sei], sei | beginsPicture | mayHideOthers],
  [[NalUnitType.sps], parameterSet | beginsPicture | beginsUnit | mayHideOthers],
  [[NalUnitType.pps], parameterSet | beginsPicture | mayHideOthers],
  [[NalUnitType.accessUnitDelimiter], beginsPicture | beginsUnit | mayHideOthers],
]);

export const H264_SYNTAX: NalUnitSyntax = {
  headerBytes: 1,
  traits: (firstByte) => TRAITS[nalUnitType(firstByte)] ?? 0,
  isRecoveryPoint: (nalUnit) => nalUnit[1] === RECOVERY_POINT,
  setKinds: 2,
  setKind,
  setId: (kind, nalUnit) => {
    const at = kind === SPS ? SPS_ID_AT : PPS_ID_AT;
    return new BitReader(removeEmulationPrevention(nalUnit.subarray(at, at + ID_BYTES))).ue();
  },
  format: (set) => {
    const sps = parseSps(set);
    const { profileIdc, levelIdc, chromaFormatIdc, bitDepthLuma, width, height } = sps;
    return [profileIdc, levelIdc, chromaFormatIdc, bitDepthLuma, width, height].join(' ');
  },
  pairsFields,
  track: (sets) => {
    const [sps, pps] = sets;
    if (sps === undefined || pps === undefined) throw new TypeError('a parameter set is missing');
    return { kind: 'video', codec: 'h264', sps, pps };
  },
};

function setKind(nalUnit: Uint8Array): number {
  const { length } = nalUnit;
  const type = nalUnitType(nalUnit[0] ?? 0);
  if (type === NalUnitType.sps && length >= MIN_SPS_BYTES && length <= MAX_SPS_BYTES) return SPS;
  if (type === NalUnitType.pps && length >= MIN_PPS_BYTES && length <= MAX_PPS_BYTES) return PPS;
  return -1;
}

function pairsFields(track: H264Track | H265Track): boolean {
  try {
    return !parseSps(track.sps).frameMbsOnly;
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}
