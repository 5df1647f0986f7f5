/**
 * A picture as MPEG-TS wants it: start codes in place of lengths (H.264 §B.1, H.265 §B.2), an access unit delimiter in
 * front (ISO/IEC 13818-1 §2.14.1), and its parameter sets where decoding may begin. What the picture brings
 * itself stays where and as it is.
 */
import {
  NalUnitType as H264NalUnitType,
  nalUnitType as h264Type,
} from '../../codecs/h264/nal-unit.ts';
import {
  NalUnitType as H265NalUnitType,
  nalUnitType as h265Type,
} from '../../codecs/h265/nal-unit.ts';
import type { VideoTrack } from '../../codecs/track.ts';

/** As long as the lengths in front of NAL units, which they replace. */
const START_CODE_BYTES = 4;

interface NalUnitTypes {
  typeOf(firstByte: number): number;
  readonly delimiterType: number;
  /** Any slice type, with its start code: nothing is promised about the picture. */
  readonly delimiter: Uint8Array;
  readonly setTypes: readonly number[];
}

const H264: NalUnitTypes = {
  typeOf: h264Type,
  delimiterType: H264NalUnitType.accessUnitDelimiter,
  delimiter: Uint8Array.of(0, 0, 0, 1, 0x09, 0xf0),
  setTypes: [H264NalUnitType.sps, H264NalUnitType.pps],
};
const H265: NalUnitTypes = {
  typeOf: h265Type,
  delimiterType: H265NalUnitType.accessUnitDelimiter,
  delimiter: Uint8Array.of(0, 0, 0, 1, 0x46, 0x01, 0x50),
  setTypes: [H265NalUnitType.vps, H265NalUnitType.sps, H265NalUnitType.pps],
};
const NO_SETS: readonly Uint8Array[] = [];

export interface AnnexBPlan {
  readonly byteLength: number;
  /** Written first; undefined: the picture brings its own. */
  readonly delimiter: Uint8Array | undefined;
  /** So many bytes of the picture come before what is added: its own delimiter. */
  readonly ownBytes: number;
  readonly sets: readonly Uint8Array[];
}

/** undefined: a codec without NAL units, or lengths that do not fit the picture. */
export function planAnnexB(
  track: VideoTrack,
  avcc: Uint8Array,
  isRandomAccess: boolean,
): AnnexBPlan | undefined {
  if (track.codec !== 'h264' && track.codec !== 'h265') return undefined;
  const types = track.codec === 'h264' ? H264 : H265;
  let ownBytes = 0;
  let setsSeen = 0;
  let at = 0;
  while (at < avcc.length) {
    const end = nalUnitEnd(avcc, at);
    if (end > avcc.length) return undefined;
    const type = types.typeOf(avcc[at + START_CODE_BYTES] ?? 0);
    if (at === 0 && type === types.delimiterType) ownBytes = end;
    const set = types.setTypes.indexOf(type);
    if (set !== -1) setsSeen |= 1 << set;
    at = end;
  }
  const hasAllSets = setsSeen === (1 << types.setTypes.length) - 1;
  const sets = isRandomAccess && !hasAllSets ? setsOf(track) : NO_SETS;
  const delimiter = ownBytes === 0 ? types.delimiter : undefined;
  let byteLength = avcc.length + (delimiter?.length ?? 0);
  for (const set of sets) byteLength += START_CODE_BYTES + set.length;
  return { byteLength, delimiter, ownBytes, sets };
}

/** Writes `plan.byteLength` bytes. */
export function writeAnnexB(
  target: Uint8Array,
  start: number,
  avcc: Uint8Array,
  { delimiter, ownBytes, sets }: AnnexBPlan,
): void {
  let at = start;
  if (delimiter !== undefined) {
    target.set(delimiter, at);
    at += delimiter.length;
  } else {
    target.set(avcc.subarray(0, ownBytes), at);
    writeStartCode(target, at);
    at += ownBytes;
  }
  for (const set of sets) {
    writeStartCode(target, at);
    target.set(set, at + START_CODE_BYTES);
    at += START_CODE_BYTES + set.length;
  }
  target.set(ownBytes === 0 ? avcc : avcc.subarray(ownBytes), at);
  for (let from = ownBytes; from < avcc.length; from = nalUnitEnd(avcc, from)) {
    writeStartCode(target, at + from - ownBytes);
  }
}

function setsOf(track: VideoTrack): readonly Uint8Array[] {
  if (track.codec === 'h264') return [track.sps, track.pps];
  return track.codec === 'h265' ? [track.vps, track.sps, track.pps] : NO_SETS;
}

/** Beyond the picture's end where the length is not there, or wrong. */
function nalUnitEnd(avcc: Uint8Array, at: number): number {
  const length =
    (avcc[at] ?? 0) * 0x1000000 +
    ((avcc[at + 1] ?? 0) << 16) +
    ((avcc[at + 2] ?? 0) << 8) +
    (avcc[at + 3] ?? 0);
  return at + START_CODE_BYTES + length;
}

function writeStartCode(target: Uint8Array, at: number): void {
  target[at] = 0;
  target[at + 1] = 0;
  target[at + 2] = 0;
  target[at + 3] = 1;
}
