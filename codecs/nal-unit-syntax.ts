/**
 * What an assembler of pictures must know of a codec whose pictures are NAL units: one strategy each
 * for H.264 and H.265. What a NAL unit's type says of it is a set of traits, looked up by the type.
 */
import type { H264Track, H265Track } from './track.ts';

export const NalUnitTrait = {
  /** Coded samples: the picture begins to be one. */
  slice: 1,
  /** With it decoding may start. */
  randomAccess: 2,
  /** Of a picture that refers to pictures before its random access point. */
  skippedLeading: 4,
  /** Behind the header: whether it is the first slice of its picture, in the highest bit. */
  hasFirstBit: 8,
  parameterSet: 16,
  sei: 32,
  /** Behind a slice: it belongs to the next picture. */
  beginsPicture: 64,
  /** Nothing of its picture comes before it. */
  beginsUnit: 128,
  /** Small by nature; cameras hide other NAL units behind its bytes. */
  mayHideOthers: 256,
} as const;

/** H.264 has 32 types, H.265 64. */
export const NAL_UNIT_TYPES = 64;

export interface NalUnitSyntax {
  readonly headerBytes: 1 | 2;
  /** Its traits, from the header's first byte. */
  traits(firstByte: number): number;
  /** Of a SEI NAL unit: decoding may start at its picture although that is no IDR picture. */
  isRecoveryPoint(sei: Uint8Array): boolean;
  /** How many kinds of parameter sets a decoder needs. */
  readonly setKinds: number;
  /** Which kind it is, 0 … setKinds − 1, the sequence parameter set being `setKinds − 2`; −1: none, or of no use. */
  setKind(nalUnit: Uint8Array): number;
  /** The identifier within its kind. Throws ParseError where it has none. */
  setId(kind: number, nalUnit: Uint8Array): number;
  /** Size, profile and sample format in one text, to compare two sequence parameter sets. Throws ParseError. */
  format(sps: Uint8Array): string;
  /** Whether a picture may consist of two fields, each with a first slice. */
  pairsFields(track: H264Track | H265Track): boolean;
  /** `sets`: one of each kind. */
  track(sets: readonly Uint8Array[]): H264Track | H265Track;
}

/** Rows of types with the same traits become the table. */
export function traitTable(rows: readonly (readonly [types: readonly number[], traits: number])[]) {
  const table = new Uint16Array(NAL_UNIT_TYPES);
  for (const [types, traits] of rows) for (const type of types) table[type] = traits;
  return table;
}
