/** The verb `restart`: this process ends, and whoever started it starts it again. */
import type { Logger } from 'pino';
import { ConfigError } from './config/config-error.ts';
import type { ConfigFile } from './config/config-file.ts';
import type { CommandData } from './report/command-data.ts';
import { CommandError } from './report/commands.ts';

export interface RestartingContext {
  /** Ends the service such that it is started again; undefined: nobody would. */
  readonly restart?: (() => void) | undefined;
  readonly file?: Pick<ConfigFile, 'load'> | undefined;
  readonly log: Logger;
}

/** `context` may come later. */
export function restartHandler(context: () => RestartingContext): () => CommandData['restart'] {
  let isUnderWay = false;
  return () => {
    const { restart, file, log } = context();
    if (restart === undefined) {
      throw new CommandError(
        'unsupported',
        'nobody would start it again: run it as a systemd service with Restart=always (deploy/systemd/sluice.service), or where something else starts it again whenever it ends, such as a container with a restart policy, start it with --supervised',
      );
    }
    if (isUnderWay) throw new CommandError('busy', 'it is about to restart already');
    checkFile(file);
    isUnderWay = true;
    log.info('restarting, as the command says');
    // The reply is written in the turn of the event loop in which this returns; brokers get `stopped` behind it.
    setImmediate(restart);
    return { message: 'It stops now and is started again within seconds, as a new session.' };
  };
}

/** With a file that is not valid it would end at each start, and nobody could mend that from afar. */
function checkFile(file: RestartingContext['file']): void {
  try {
    file?.load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(
      'invalid',
      `with this configuration it would not start again: ${error.message}`,
    );
  }
}
