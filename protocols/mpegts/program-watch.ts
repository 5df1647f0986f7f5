/**
 * Watches the tables of a transport stream and tells which programme is taken, again whenever its
 * streams change. Tables are repeated several times a second; what is the same is not looked at again. They
 * count as changed when their bytes have: some encoders change a PMT and not its version_number.
 */
import { equalBytes } from '../../codecs/bytes.ts';
import { ParseError } from '../../codecs/errors.ts';
import { PidReception } from './pid-reception.ts';
import type { ProgramChooser } from './program-chooser.ts';
import { type ProgramMap, parsePat, parsePmt } from './program-tables.ts';
import { SectionAssembler } from './section-assembler.ts';
import { PAT_PID } from './ts-packet.ts';

export interface ProgramWatchOptions {
  readonly chooser: ProgramChooser;
  readonly now: () => number;
  /** Another programme, the same with other streams, or none any more. */
  readonly onProgram: (program: ProgramMap | undefined) => void;
  /** Tables come on other PIDs from now on. */
  readonly onChange: () => void;
}

export class ProgramWatch {
  damagedTables = 0;
  readonly #options: ProgramWatchOptions;
  #receptions: ReadonlyMap<number, PidReception>;
  readonly #lastSections = new Map<number, Uint8Array>();
  #program: ProgramMap | undefined;

  constructor(options: ProgramWatchOptions) {
    this.#options = options;
    this.#receptions = new Map([[PAT_PID, this.#open(PAT_PID)]]);
  }

  /** Of the PIDs that carry tables. */
  get receptions(): ReadonlyMap<number, PidReception> {
    return this.#receptions;
  }

  #open(pid: number): PidReception {
    const assembler = new SectionAssembler({
      section: (section) => this.#section(pid, section),
      damaged: () => {
        this.damagedTables += 1;
      },
    });
    return new PidReception(pid, {
      payload: (bytes, from, to, isUnitStart) => assembler.push(bytes, from, to, isUnitStart),
      gap: () => assembler.reset(),
    });
  }

  #section(pid: number, section: Uint8Array): void {
    const last = this.#lastSections.get(pid);
    const isSame = last !== undefined && equalBytes(last, section);
    // As long as there is no programme, time may bring one.
    if (isSame && this.#program !== undefined) return;
    if (!isSame) {
      this.#lastSections.set(pid, section.slice());
      this.#read(pid, section);
    }
    this.#choose();
  }

  #read(pid: number, section: Uint8Array): void {
    const { chooser, now } = this.#options;
    try {
      if (pid === PAT_PID) {
        const pat = parsePat(section);
        if (pat === undefined) return;
        chooser.notePat(pat, now());
        this.#openPmts(chooser.pmtPids);
      } else {
        const pmt = parsePmt(section);
        if (pmt !== undefined) chooser.notePmt(pmt);
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.damagedTables += 1;
    }
  }

  #openPmts(pids: readonly number[]): void {
    const before = this.#receptions;
    const open = (pid: number): [number, PidReception] => [pid, before.get(pid) ?? this.#open(pid)];
    this.#receptions = new Map([PAT_PID, ...pids].map(open));
    for (const pid of this.#lastSections.keys()) {
      if (!this.#receptions.has(pid)) this.#lastSections.delete(pid);
    }
    this.#options.onChange();
  }

  #choose(): void {
    const { chooser, now, onProgram } = this.#options;
    const program = chooser.choose(now());
    if (program === this.#program) return;
    this.#program = program;
    onProgram(program);
  }
}
