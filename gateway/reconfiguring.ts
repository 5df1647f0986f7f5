/**
 * Another configuration while the service runs, whoever changed it: somebody with an editor, SIGHUP, or a command. What can
 * be taken over is, by difference; the rest is told. One change at a time.
 */
import type { Logger } from 'pino';
import { ConfigError } from './config/config-error.ts';
import type { ConfigFile } from './config/config-file.ts';
import { ConfigStore } from './config/config-store.ts';
import { difference, withLiveParts } from './config/difference.ts';
import type { Config } from './config/schema.ts';
import type { LiveParts } from './live-parts.ts';
import type { Board } from './report/board.ts';
import type { CommandData } from './report/command-data.ts';
import { type CommandArguments, CommandError } from './report/commands.ts';
import { streamOutcome } from './stream-outcome.ts';

export interface ReconfiguringContext {
  readonly file: ConfigFile;
  /** With which the service was started. */
  readonly config: Config;
  readonly parts: LiveParts;
  readonly board: Board;
  readonly log: Logger;
  /** This is what runs now. */
  readonly tookOver: (config: Config) => void;
  readonly now: () => number;
  /** The service stops. */
  readonly signal: AbortSignal;
}

interface Applied {
  readonly applied: readonly string[];
  readonly restartNeeded: readonly string[];
}

/** Of the request itself, beside a verb's arguments. */
const REQUEST_KEYS = ['id', 'ts', 'ttlMs', 'name'];

export class Reconfiguring {
  readonly #context: ReconfiguringContext;
  readonly #store: ConfigStore;
  #running: Config;
  /** Of the file, when it was last looked at. */
  #text: string | undefined;
  #problem: string | undefined;
  #last: Applied = { applied: [], restartNeeded: [] };
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: ReconfiguringContext) {
    this.#context = context;
    this.#store = new ConfigStore(context.file);
    this.#running = context.config;
  }

  /** The file may be another. `isAsked`: somebody wants it looked at in any case, for files that it names may be others. */
  reload(isAsked: boolean): Promise<void> {
    return this.#inTurn(() => this.#look(isAsked));
  }

  get(): Promise<CommandData['config/get']> {
    return this.#inTurn(async () => {
      await this.#look(false);
      const { restartNeeded } = this.#last;
      const problem = this.#problem;
      const view = this.#store.view();
      return { ...view, restartNeeded, ...(problem === undefined ? {} : { problem }) };
    });
  }

  set({ patch, revision }: CommandArguments<'config/set'>): Promise<CommandData['config/set']> {
    return this.#inTurn(() => this.#change(patch, 'config/set', revision));
  }

  async addStream(args: CommandArguments<'stream/add'>): Promise<CommandData['stream/add']> {
    const { name } = args;
    const entries = Object.entries(args).filter(([key]) => !REQUEST_KEYS.includes(key));
    const reply = await this.#inTurn(() => {
      if (this.#store.hasStream(name) || this.#context.parts.isNameTaken(name)) {
        throw new CommandError('exists', `there is a stream called ${name} already`);
      }
      return this.#change({ streams: { [name]: Object.fromEntries(entries) } }, 'stream/add');
    });
    const { board, signal } = this.#context;
    const { state, code, reason } = (await streamOutcome(board, name, signal)) ?? {};
    return { name, ...reply, ...(state && code && reason ? { state, code, reason } : {}) };
  }

  removeStream({ name }: CommandArguments<'stream/remove'>): Promise<CommandData['stream/remove']> {
    return this.#inTurn(async () => {
      const { parts, board } = this.#context;
      if (this.#store.hasStream(name)) {
        const device = parts.deviceOf(name);
        const { revision } = await this.#change({ streams: { [name]: null } }, 'stream/remove');
        // It would be adopted as what it was found as.
        const ignored = await device?.ignore();
        const also =
          ignored === undefined
            ? ''
            : ` The device ${ignored} is ignored from now on; the command adopt changes that.`;
        return { name, outcome: 'removed', revision, message: `It is removed.${also}` };
      }
      const ignored = await parts.adopted(name)?.ignore();
      if (ignored !== undefined) {
        const message = `It was found, not configured: the device ${ignored} is ignored from now on; the command adopt changes that.`;
        return { name, outcome: 'ignored', message };
      }
      if (parts.giveUp(name)) {
        const message =
          'It was pushed in from elsewhere; it is there again when somebody publishes it.';
        return { name, outcome: 'removed', message };
      }
      if (!board.streams.has(name)) {
        throw new CommandError('not-found', `there is no stream called ${name}`);
      }
      const words = `${name} is pushed in from elsewhere: it ends when its publisher ends it`;
      throw new CommandError('unsupported', words);
    });
  }

  async #change(
    patch: unknown,
    verb: string,
    revision?: string,
  ): Promise<CommandData['config/set']> {
    const change = this.#store.change(patch, revision);
    const written = await this.#store.write(change);
    this.#text = change.text;
    this.#problem = undefined;
    return { revision: written, ...(await this.#apply(change.config, verb)) };
  }

  async #look(isAsked: boolean): Promise<void> {
    const { file } = this.#context;
    let text: string | undefined;
    try {
      text = file.read();
      if (text === this.#text && !isAsked) return;
      await this.#apply(file.parse(text), isAsked ? 'SIGHUP' : 'the file');
      this.#problem = undefined;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (this.#problem !== error.message || isAsked) this.#tellProblem(error.message);
      this.#problem = error.message;
    }
    this.#text = text;
  }

  async #apply(wanted: Config, by: string): Promise<Applied> {
    const { live, restartNeeded } = difference(this.#running, wanted);
    const next = withLiveParts(this.#running, wanted);
    const before = this.#running;
    const taken = live.length === 0 ? [] : await this.#context.parts.apply(next, before);
    this.#running = withoutStreams(next, before, taken);
    this.#context.tookOver(this.#running);
    const waiting = taken.map((name) => `streams.${name}`);
    this.#last = {
      applied: live.filter((path) => !waiting.includes(path)),
      restartNeeded: [...restartNeeded, ...waiting],
    };
    if (live.length + restartNeeded.length > 0) this.#tellApplied(by);
    return this.#last;
  }

  #tellApplied(by: string): void {
    const { log } = this.#context;
    const { applied, restartNeeded } = this.#last;
    log.info({ by, applied, restartNeeded }, 'configuration changed');
    const parts = [
      applied.length === 0 ? '' : `In effect: ${applied.join(', ')}.`,
      restartNeeded.length === 0 ? '' : `At the next start: ${restartNeeded.join(', ')}.`,
    ];
    const words = ['The configuration was changed.', ...parts].filter(Boolean).join(' ');
    this.#event('config-changed', words);
  }

  #tellProblem(problem: string): void {
    this.#context.log.error({ problem }, 'the configuration is not valid: nothing is changed');
    this.#event('config-invalid', `The configuration is not valid, nothing is changed: ${problem}`);
  }

  #event(type: string, message: string): void {
    const { board, now } = this.#context;
    board.emit('event', { at: new Date(now()).toISOString(), type, message });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** Those of `names` are as they were. */
function withoutStreams(next: Config, before: Config, names: readonly string[]): Config {
  if (names.length === 0) return next;
  const kept = Object.entries(next.streams).filter(([name]) => !names.includes(name));
  const old = Object.entries(before.streams).filter(([name]) => names.includes(name));
  return { ...next, streams: Object.fromEntries([...kept, ...old]) };
}
