/**
 * Which programme of a transport stream is taken: the one that was asked for by its number, else the
 * first of the PAT with something that can be carried. A choice stays until the PAT leaves it out.
 */
import { UnsupportedError } from '../../codecs/errors.ts';
import type { PatSection, ProgramEntry, ProgramMap } from './program-tables.ts';
import { selectStreams } from './stream-selection.ts';

/** A full satellite multiplex has about thirty. */
const MAX_PROGRAMS = 256;
/** PMTs come several times a second (ETSI TR 101 290: every 500 ms). */
const PMT_PATIENCE_MS = 1_000;
/** An encoder that is starting may first send tables without streams. */
const REFUSE_AFTER_MS = 5_000;
const NONE_REFUSED: ReadonlySet<number> = new Set();

export class ProgramChooser {
  readonly #wanted: number | undefined;
  /** By section_number. */
  readonly #sections = new Map<number, readonly ProgramEntry[]>();
  #version = -1;
  #patSinceMs: number | undefined;
  #programs: readonly ProgramEntry[] = [];
  readonly #maps = new Map<number, ProgramMap>();
  #chosen: number | undefined;

  /** `wanted`: program_number. */
  constructor(wanted: number | undefined) {
    this.#wanted = wanted;
  }

  get pmtPids(): number[] {
    return this.#programs.map(({ pmtPid }) => pmtPid);
  }

  notePat(pat: PatSection, nowMs: number): void {
    if (pat.version !== this.#version) this.#sections.clear();
    this.#version = pat.version;
    this.#patSinceMs ??= nowMs;
    this.#sections.set(pat.sectionNumber, pat.programs);
    this.#programs = [...this.#sections.values()].flat().slice(0, MAX_PROGRAMS);
    for (const program of this.#maps.keys()) {
      if (!this.#isListed(program)) this.#maps.delete(program);
    }
  }

  /** Several programmes may have their PMT on one PID. */
  notePmt(map: ProgramMap): void {
    if (this.#isListed(map.program)) this.#maps.set(map.program, map);
  }

  /** The programme to take now. Throws UnsupportedError when there is none and will be none. */
  choose(nowMs: number): ProgramMap | undefined {
    const map = this.#wanted === undefined ? this.#first(nowMs) : this.#maps.get(this.#wanted);
    if (map !== undefined && isCarried(map)) {
      this.#chosen = map.program;
      return map;
    }
    if (this.#chosen === undefined && nowMs - (this.#patSinceMs ?? nowMs) >= REFUSE_AFTER_MS) {
      throw new UnsupportedError(this.#refusal());
    }
    return undefined;
  }

  #first(nowMs: number): ProgramMap | undefined {
    const current = this.#chosen === undefined ? undefined : this.#maps.get(this.#chosen);
    if (current !== undefined && isCarried(current)) return current;
    const hasWaited = nowMs - (this.#patSinceMs ?? nowMs) >= PMT_PATIENCE_MS;
    for (const { program } of this.#programs) {
      const map = this.#maps.get(program);
      if (map !== undefined && isCarried(map)) return map;
      if (map === undefined && !hasWaited) return undefined;
    }
    return undefined;
  }

  #isListed(program: number): boolean {
    return this.#programs.some((entry) => entry.program === program);
  }

  #refusal(): string {
    const numbers = this.#programs.map(({ program }) => program).join(', ');
    if (this.#wanted !== undefined && !this.#isListed(this.#wanted)) {
      return `it has no programme ${this.#wanted}, only ${numbers === '' ? 'none' : numbers}. Check program.`;
    }
    if (this.#maps.size === 0) {
      return `its tables (PMT) of programme ${numbers === '' ? 'none' : numbers} do not come. Check the encoder.`;
    }
    const offered = [...this.#maps.values()].flatMap(
      (map) => selectStreams(map, NONE_REFUSED).leftOut,
    );
    const words = [...new Set(offered)].slice(0, 8).join(', ');
    return `it offers only ${words === '' ? 'programmes without streams' : words}; H.264 and H.265 video and AAC, MP3, AC-3 and Opus audio can be carried. Change the encoder's codec.`;
  }
}

function isCarried(map: ProgramMap): boolean {
  const { video, audio } = selectStreams(map, NONE_REFUSED);
  return video !== undefined || audio !== undefined;
}
