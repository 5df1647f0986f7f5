/** What an assembler of pictures must know of H.265. H.265 §7.4.2.4.4 tells where a picture begins. */
import { type NalUnitSyntax, NalUnitTrait, traitTable } from '../nal-unit-syntax.ts';
import { layerId, NalUnitType, nalUnitType } from './nal-unit.ts';
import { parsePpsId } from './pps.ts';
import { MAX_SPS_BYTES, parseSps } from './sps.ts';
import { MAX_VPS_BYTES, parseVpsId } from './vps.ts';

const KINDS: readonly number[] = [NalUnitType.vps, NalUnitType.sps, NalUnitType.pps];
const SPS = 1;
/** A PPS with full scaling lists and the range extension stays below this. */
const MAX_SET_BYTES = [MAX_VPS_BYTES, MAX_SPS_BYTES, 4096];
/** The header, and enough to hold an identifier. */
const MIN_SET_BYTES = 3;
/** SEI payload type, H.265 §D.2.8. */
const RECOVERY_POINT = 6;

const { slice, randomAccess, skippedLeading, hasFirstBit, parameterSet } = NalUnitTrait;
const { sei, beginsPicture, beginsUnit, mayHideOthers } = NalUnitTrait;

const anySlice = slice | hasFirstBit;
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const TRAITS = traitTable([
  [range(0, 9), anySlice],
  [[NalUnitType.raslN, NalUnitType.raslR], anySlice | skippedLeading],
  // BLA, IDR and CRA pictures.
  [range(NalUnitType.blaWLp, NalUnitType.cra), anySlice | randomAccess],
  [[NalUnitType.vps], parameterSet | beginsPicture | beginsUnit | mayHideOthers],
  [[NalUnitType.sps, NalUnitType.pps], parameterSet | beginsPicture | mayHideOthers],
  [[NalUnitType.accessUnitDelimiter], beginsPicture | beginsUnit | mayHideOthers],
  [[NalUnitType.prefixSei], sei | beginsPicture | mayHideOthers],
  [[NalUnitType.suffixSei], mayHideOthers],
]);

export const H265_SYNTAX: NalUnitSyntax = {
  headerBytes: 2,
  traits: (firstByte) => TRAITS[nalUnitType(firstByte)] ?? 0,
  isRecoveryPoint: (nalUnit) => nalUnit[2] === RECOVERY_POINT,
  setKinds: KINDS.length,
  setKind: (nalUnit) => {
    const [first = 0, second = 0] = nalUnit;
    if (layerId(first, second) !== 0 || nalUnit.length < MIN_SET_BYTES) return -1;
    const kind = KINDS.indexOf(nalUnitType(first));
    return nalUnit.length <= (MAX_SET_BYTES[kind] ?? 0) ? kind : -1;
  },
  setId: (kind, nalUnit) => {
    if (kind === SPS) return parseSps(nalUnit).id;
    return kind < SPS ? parseVpsId(nalUnit) : parsePpsId(nalUnit);
  },
  format: (set) => {
    const sps = parseSps(set);
    const { profileIdc, levelIdc, chromaFormatIdc, bitDepthLuma, width, height } = sps;
    return [profileIdc, levelIdc, chromaFormatIdc, bitDepthLuma, width, height].join(' ');
  },
  // In H.265 each field is a picture of its own.
  pairsFields: () => false,
  track: (sets) => {
    const [vps, sps, pps] = sets;
    if (vps === undefined || sps === undefined || pps === undefined) {
      throw new TypeError('a parameter set is missing');
    }
    return { kind: 'video', codec: 'h265', vps, sps, pps };
  },
};
