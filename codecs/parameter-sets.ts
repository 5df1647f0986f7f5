/**
 * The parameter sets in force in a stream, and the track they make. A decoder keeps one set of each kind
 * and identifier, and so does this: a set is new when the bytes under its identifier differ.
 *
 * A track holds one set of each kind: the first of each kind in the picture that brought something new. A stream
 * that alternates between identifiers has one track, as long as its format stays what it is: both sets are known,
 * the pictures bring theirs along, and a receiver must not be told of a change at each of them.
 */
import { equalBytes } from './bytes.ts';
import { ParseError } from './errors.ts';
import type { NalUnitSyntax } from './nal-unit-syntax.ts';
import type { H264Track, H265Track } from './track.ts';

/** Sets remembered of a stream; real ones have up to five. */
const MAX_KNOWN = 32;

export class ParameterSets {
  track: H264Track | H265Track | undefined;
  readonly #syntax: NalUnitSyntax;
  /** By kind and identifier. */
  readonly #known = new Map<string, Uint8Array>();
  /** One of each kind: the track's, as far as they are known. */
  #chosen: (Uint8Array | undefined)[];

  constructor(syntax: NalUnitSyntax) {
    this.#syntax = syntax;
    this.#chosen = new Array(syntax.setKinds).fill(undefined);
  }

  /** The NAL units of one picture, or those that came out of band. What is no set, or a malformed one, is passed over. */
  take(nalUnits: Iterable<Uint8Array>): void {
    const firsts: (Uint8Array | undefined)[] = new Array(this.#syntax.setKinds).fill(undefined);
    let isChange = false;
    for (const nalUnit of nalUnits) {
      const kind = this.#syntax.setKind(nalUnit);
      if (kind === -1) continue;
      const isFirst = firsts[kind] === undefined;
      const chosen = this.#chosen[kind];
      if (chosen !== undefined && equalBytes(chosen, nalUnit)) {
        firsts[kind] ??= chosen;
        continue;
      }
      const verdict = this.#note(kind, nalUnit);
      if (verdict === 'malformed' || !isFirst) continue;
      firsts[kind] = nalUnit;
      if (verdict === 'new' || this.#isOtherFormat(kind, nalUnit)) isChange = true;
    }
    if (isChange) this.#choose(firsts);
  }

  #note(kind: number, set: Uint8Array): 'known' | 'new' | 'malformed' {
    const id = this.#idOf(kind, set);
    if (id === undefined) return 'malformed';
    const key = `${kind} ${id}`;
    const before = this.#known.get(key);
    if (before !== undefined && equalBytes(before, set)) return 'known';
    if (before === undefined && this.#known.size === MAX_KNOWN) this.#known.clear();
    this.#known.set(key, set.slice());
    return 'new';
  }

  #idOf(kind: number, set: Uint8Array): number | undefined {
    try {
      return this.#syntax.setId(kind, set);
    } catch (error) {
      if (error instanceof ParseError) return undefined;
      throw error;
    }
  }

  /** Only a known sequence parameter set under another identifier than the track's comes here. */
  #isOtherFormat(kind: number, set: Uint8Array): boolean {
    const chosen = this.#chosen[kind];
    if (kind !== this.#syntax.setKinds - 2 || chosen === undefined) return false;
    try {
      return this.#syntax.format(set) !== this.#syntax.format(chosen);
    } catch (error) {
      if (error instanceof ParseError) return false;
      throw error;
    }
  }

  #choose(firsts: readonly (Uint8Array | undefined)[]): void {
    this.#chosen = this.#chosen.map((before, kind) => {
      const set = firsts[kind];
      return set === undefined || set === before ? before : set.slice();
    });
    const sets = this.#chosen.filter((set) => set !== undefined);
    if (sets.length === this.#chosen.length) this.track = this.#syntax.track(sets);
  }
}
