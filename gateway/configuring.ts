/** The configuration that the service runs with, and the ways to another one. What takes it over is loaded with the first. */
import type { Logger } from 'pino';
import type { ConfigFile } from './config/config-file.ts';
import { ConfigWatch } from './config/config-watch.ts';
import type { Config, LogLevel } from './config/schema.ts';
import { LiveParts, type LivePartsContext } from './live-parts.ts';
import type { Reconfiguring } from './reconfiguring.ts';
import { CommandError, type CommandHandlers } from './report/commands.ts';
import type { CONFIG_COMMANDS } from './report/config-commands.ts';

export interface ConfiguringOptions {
  /** At the start. */
  readonly config: Config;
  /** undefined: the configuration is nobody's to change. */
  readonly file?: ConfigFile;
  readonly log: Logger;
  readonly setLogLevel: (level: LogLevel) => void;
}

export class Configuring {
  /** Is another once it was taken over. */
  config: Config;
  readonly #options: ConfiguringOptions;
  readonly #signal: AbortSignal;
  readonly #context: Omit<LivePartsContext, 'setLogLevel'>;
  #watch: ConfigWatch | undefined;
  #reconfiguring: Promise<Reconfiguring> | undefined;

  constructor(
    options: ConfiguringOptions,
    context: Omit<LivePartsContext, 'setLogLevel'>,
    signal: AbortSignal,
  ) {
    this.config = options.config;
    this.#options = options;
    this.#context = context;
    this.#signal = signal;
  }

  /** From now on a change of the file counts. */
  watch(): void {
    const { file, log } = this.#options;
    if (file === undefined) return;
    const failed = (err: unknown) => log.error({ err }, 'the configuration was not taken over');
    this.#watch = new ConfigWatch(file.path, () => void this.reload(false).catch(failed));
    this.#watch.start();
  }

  stop(): void {
    this.#watch?.stop();
  }

  /** `isAsked`: by a signal, and not because the file was seen to change. */
  async reload(isAsked: boolean): Promise<void> {
    await (await this.reconfiguring()).reload(isAsked);
  }

  reconfiguring(): Promise<Reconfiguring> {
    this.#reconfiguring ??= this.#load();
    return this.#reconfiguring;
  }

  async #load(): Promise<Reconfiguring> {
    const { file, log, config, setLogLevel } = this.#options;
    if (file === undefined) {
      throw new CommandError(
        'unsupported',
        'this service was started without a configuration file',
      );
    }
    const { Reconfiguring } = await import('./reconfiguring.ts');
    return new Reconfiguring({
      ...{ file, config, log: log.child({ part: 'config' }), signal: this.#signal },
      board: this.#context.board,
      parts: new LiveParts({ ...this.#context, setLogLevel }),
      tookOver: (taken) => {
        this.config = taken;
      },
      now: Date.now,
    });
  }
}

/** Of `configuring`, which may come later. */
export function configHandlers(
  configuring: () => Configuring,
): Pick<CommandHandlers, keyof typeof CONFIG_COMMANDS> {
  const reconfiguring = () => configuring().reconfiguring();
  return {
    'config/get': async () => (await reconfiguring()).get(),
    'config/set': async (args) => (await reconfiguring()).set(args),
    'stream/add': async (args) => (await reconfiguring()).addStream(args),
    'stream/remove': async (args) => (await reconfiguring()).removeStream(args),
  };
}
