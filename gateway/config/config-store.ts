/** The file as it can be asked for and changed from afar: without secrets, by patches, never a file that would not do. */
import { isDeepStrictEqual } from 'node:util';
import { CommandError } from '../report/commands.ts';
import { ConfigError, failAt } from './config-error.ts';
import { type ConfigFile, revisionOf } from './config-file.ts';
import { isMap } from './describe-issue.ts';
import { readTree } from './load.ts';
import { mergePatch, patchProblem } from './merge-patch.ts';
import { rewriteYaml } from './rewrite-yaml.ts';
import type { Config } from './schema.ts';
import { SecretMarks } from './secret-marks.ts';

type Tree = Readonly<Record<string, unknown>>;

interface ConfigChange {
  readonly text: string;
  readonly config: Config;
  readonly hasSecrets: boolean;
  /** False: the file says so already. */
  readonly isNews: boolean;
}

export class ConfigStore {
  readonly #file: ConfigFile;
  readonly #marks = new SecretMarks();

  constructor(file: ConfigFile) {
    this.#file = file;
  }

  /** What the file says, each secret masked. */
  view(): { readonly config: Tree; readonly revision: string } {
    const text = this.#read();
    return { config: this.#marks.hide(this.#tree(text)) as Tree, revision: revisionOf(text) };
  }

  /** Whether the file, not the network, has this stream. */
  hasStream(name: string): boolean {
    const { streams } = this.#tree(this.#read());
    return isMap(streams) && Object.hasOwn(streams, name);
  }

  /** The file with the patch applied, checked as at a start. `revision`: of the text that it is meant for; undefined: of any. */
  change(patch: unknown, revision?: string): ConfigChange {
    const text = this.#read();
    if (revision !== undefined && revision !== revisionOf(text)) {
      const words = 'the file has been changed meanwhile: get it again';
      throw new CommandError('conflict', words);
    }
    return this.#refusing(() => {
      const { name } = this.#file;
      const problem = patchProblem(patch);
      if (problem !== undefined) failAt(name, problem.path, problem.words);
      const tree = this.#tree(text);
      const wanted = mergePatch(tree, this.#marks.restore(patch, tree, name));
      if (!isMap(wanted)) failAt(name, [], 'expected a map of keys');
      const rewritten = rewriteYaml(text, wanted, (yaml) => readTree(yaml, name));
      const config = this.#file.parse(rewritten);
      const hasSecrets = !isDeepStrictEqual(this.#marks.hide(wanted), wanted);
      return { text: rewritten, config, hasSecrets, isNews: rewritten !== text };
    });
  }

  async write({ text, hasSecrets }: ConfigChange): Promise<string> {
    try {
      await this.#file.write(text, hasSecrets);
    } catch (error) {
      if (error instanceof ConfigError) throw new CommandError('failed', error.message);
      throw error;
    }
    return revisionOf(text);
  }

  #read(): string {
    return this.#refusing(() => this.#file.read());
  }

  #tree(text: string): Tree {
    return this.#refusing(() => {
      const tree = readTree(text, this.#file.name);
      if (!isMap(tree)) failAt(this.#file.name, [], 'expected a map of keys');
      return tree;
    });
  }

  /** Whoever asked knows which file it is about. */
  #refusing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new CommandError('invalid', error.message.replace(`${this.#file.name}: `, ''));
    }
  }
}
