/**
 * The NAL units of a picture as receivers need them: those it has, and in front of a random access picture the
 * parameter sets that it does not bring along, because sources that keep them out of band are many.
 */
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { type NalUnitSyntax, NalUnitTrait } from '../../../codecs/nal-unit-syntax.ts';
import { nalUnits } from '../../../codecs/nal-units.ts';

/** `sets`: the track's, in the order in which a decoder wants them. Throws ParseError when the unit is damaged. */
export function sentNalUnits(
  { data, randomAccess }: AccessUnit,
  sets: readonly Uint8Array[],
  syntax: NalUnitSyntax,
): readonly Uint8Array[] {
  const own = [...nalUnits(data)];
  if (!randomAccess) return own;
  const kinds = new Set(own.map((nalUnit) => syntax.setKind(nalUnit)));
  const missing = sets.filter((set) => !kinds.has(syntax.setKind(set)));
  if (missing.length === 0) return own;
  // A delimiter stays the first of its picture: H.264 §7.4.1.2.3, H.265 §7.4.2.4.4.
  const [first, ...others] = own;
  return first !== undefined && isDelimiter(first, syntax)
    ? [first, ...missing, ...others]
    : [...missing, ...own];
}

function isDelimiter(nalUnit: Uint8Array, syntax: NalUnitSyntax): boolean {
  const traits = syntax.traits(nalUnit[0] ?? 0);
  return (traits & NalUnitTrait.beginsUnit) !== 0 && (traits & NalUnitTrait.parameterSet) === 0;
}
