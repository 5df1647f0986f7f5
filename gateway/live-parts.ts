/** The parts of the service that take over another configuration while they run. */
import { isDeepStrictEqual } from 'node:util';
import type { Publications } from './acceptors/publications.ts';
import type { Adoption } from './adoption/adoption.ts';
import type { Config, LogLevel } from './config/schema.ts';
import type { Fleet } from './fleet.ts';
import type { Proxypublish } from './proxypublish/proxypublish.ts';
import type { Board } from './report/board.ts';
import type { Heads } from './steering/heads.ts';
import { makeTargets, type TargetsContext } from './targets.ts';

export interface LivePartsContext {
  readonly board: Board;
  readonly heads: Heads;
  readonly fleet: Fleet;
  readonly proxypublish: Proxypublish;
  readonly targets: TargetsContext;
  readonly pushed: Pick<Publications, 'isAway' | 'giveUp'>;
  /** undefined: nothing is looked for on the network. */
  readonly adoption: () => Adoption | undefined;
  readonly setLogLevel: (level: LogLevel) => void;
}

/** A device that can be told not to be a stream again. */
export interface Ignorable {
  /** Returns its id. */
  ignore(): Promise<string>;
}

export class LiveParts {
  readonly #context: LivePartsContext;

  constructor(context: LivePartsContext) {
    this.#context = context;
  }

  /** Returns the new streams whose names somebody else has. */
  async apply(next: Config, before: Config): Promise<string[]> {
    const { heads, fleet, proxypublish, targets, pushed, setLogLevel } = this.#context;
    if (next.log.level !== before.log.level) setLogLevel(next.log.level);
    await heads.follow(next.streams);
    const retarget = async () => {
      if (isDeepStrictEqual(next.proxypublish.targets, before.proxypublish.targets)) return;
      await proxypublish.retarget(makeTargets(next, targets, proxypublish.targets));
    };
    for (const name of Object.keys(next.streams)) pushed.giveUp(name);
    const [taken] = await Promise.all([fleet.follow(next), retarget()]);
    this.#context.adoption()?.reconsider(next, before);
    return taken;
  }

  /** Of a stream that was pushed in, and is not now. */
  giveUp(name: string): boolean {
    return this.#context.pushed.giveUp(name);
  }

  isNameTaken(name: string): boolean {
    const { board, fleet, pushed, adoption } = this.#context;
    if (pushed.isAway(name)) return false;
    return board.streams.has(name) || fleet.has(name) || adoption()?.isTaken(name) === true;
  }

  /** The found device that a configured stream is. */
  deviceOf(stream: string): Ignorable | undefined {
    const adoption = this.#context.adoption();
    const listed = adoption?.servedBy(stream);
    if (adoption === undefined || listed === undefined) return undefined;
    return {
      ignore: async () => {
        await adoption.refuse(listed.record, listed, 'ignore');
        return listed.id;
      },
    };
  }

  /** The device that is an adopted stream. */
  adopted(stream: string): Ignorable | undefined {
    const adoption = this.#context.adoption();
    const record = adoption?.kept(stream);
    if (adoption === undefined || record?.decision !== 'adopted') return undefined;
    const listed = adoption.listed(stream);
    return {
      ignore: async () => {
        await adoption.refuse(record, listed, 'ignore');
        return listed?.id ?? record.ids[0] ?? stream;
      },
    };
  }
}
