/** One gateway's configuration while somebody edits it: what it is, what it is to become, and what the gateway said. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { CommandFailure } from '../model.ts';
import { type Change, changesBetween } from './changes.ts';
import { pathIn } from './field-path.ts';
import { isMap, type JsonMap } from './json.ts';
import { applyPatch, patchBetween } from './merge-patch.ts';

export type Ask = (verb: string, args: Readonly<Record<string, unknown>>) => Promise<unknown>;

export type SaveOutcome =
  | {
      readonly at: 'saved';
      readonly applied: readonly string[];
      readonly restartNeeded: readonly string[];
    }
  /** Somebody else was faster: theirs is loaded, with these changes on top, to be looked at once more. */
  | { readonly at: 'conflict' }
  | { readonly at: 'invalid'; readonly path: string | undefined; readonly message: string };

export class SettingsSession {
  readonly #ask: Ask;
  readonly #base = signal<JsonMap | undefined>(undefined);
  readonly #draft = signal<JsonMap>({});
  readonly #restartNeeded = signal<readonly string[]>([]);
  readonly #epoch = signal(0);
  #revision: unknown;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** undefined: not loaded yet. */
  get base(): ReadonlySignal<JsonMap | undefined> {
    return this.#base;
  }

  get draft(): ReadonlySignal<JsonMap> {
    return this.#draft;
  }

  /** What is in the file and waits for the next start. */
  get restartNeeded(): ReadonlySignal<readonly string[]> {
    return this.#restartNeeded;
  }

  /** Another number: the draft is another as a whole, not by editing. */
  get epoch(): ReadonlySignal<number> {
    return this.#epoch;
  }

  get changes(): readonly Change[] {
    return changesBetween(this.#base.value ?? {}, this.#draft.value);
  }

  edit(draft: JsonMap): void {
    this.#draft.value = draft;
  }

  discard(): void {
    this.#begin(this.#base.value ?? {});
  }

  /** First or once more: what is being edited is put on top of what it is now. */
  async load(): Promise<void> {
    const reply = await this.#ask('config/get', {});
    if (!isMap(reply) || !isMap(reply['config'])) {
      throw new CommandFailure('protocol', 'expected a configuration');
    }
    this.#revision = reply['revision'];
    this.#restartNeeded.value = textsOf(reply['restartNeeded']);
    const edits = this.#edits();
    this.#base.value = reply['config'];
    const draft = applyPatch(reply['config'], edits);
    this.#begin(isMap(draft) ? draft : {});
  }

  async save(): Promise<SaveOutcome> {
    const sent = this.#draft.value;
    const patch = this.#edits();
    try {
      const reply = await this.#ask('config/set', { patch, revision: this.#revision });
      const told = isMap(reply) ? reply : {};
      // No edit any more, whatever happens next.
      this.#base.value = sent;
      await this.load();
      return {
        at: 'saved',
        applied: textsOf(told['applied']),
        restartNeeded: textsOf(told['restartNeeded']),
      };
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      if (error.code === 'conflict') {
        await this.load();
        return { at: 'conflict' };
      }
      if (error.code !== 'invalid') throw error;
      return { at: 'invalid', path: pathIn(error.message), message: error.message };
    }
  }

  #edits(): JsonMap {
    return patchBetween(this.#base.value ?? {}, this.#draft.value);
  }

  #begin(draft: JsonMap): void {
    this.#draft.value = draft;
    this.#epoch.value += 1;
  }
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
