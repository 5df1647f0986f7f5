/** `sluice run`: the service, until SIGTERM or SIGINT. */
import { parseArgs } from 'node:util';
import { ConfigError } from '../config/config-error.ts';
import { ConfigFile } from '../config/config-file.ts';
import type { Config } from '../config/schema.ts';
import { Gateway } from '../gateway.ts';
import { GatewayLog } from '../log.ts';
import { withReadiness } from '../readiness.ts';
import { describeUp } from '../report/health.ts';
import { askSystemd, isStartedAgain } from './started-again.ts';
import { untilStopped } from './until-stopped.ts';

const USAGE = `usage: sluice run [--config FILE] [--data-dir DIR] [--supervised]

  --config FILE     the configuration; left out: sluice.yaml in the data folder, where there is one
  --data-dir DIR    folder for what must survive a restart, instead of gateway.dataDir; default: ./data
  --supervised      whoever starts this starts it again whenever it ends (a container with a restart policy, runit, …), so that
                    the command restart may end it, with exit code 75. Under systemd that is known without

A change of the file is taken over while it runs, as far as that can be; so is SIGHUP. The command config/set makes the
file where there is none.`;

export async function run(args: string[]): Promise<number> {
  const read = readArguments(args);
  if (typeof read === 'number') return read;
  const { file, config } = read;
  const { env, pid, ppid } = process;
  const canRestart = read.isSupervised || (await isStartedAgain({ env, pid, ppid, askSystemd }));
  const gatewayLog = new GatewayLog(config.log.level);
  const { log } = gatewayLog;
  return await untilStopped(log, ({ fail, restart }) => {
    const gateway = new Gateway({
      config,
      file,
      log,
      setLogLevel: (level) => gatewayLog.setLevel(level),
      onFatal: (reason) =>
        fail(
          `a target refused at start, and proxypublish.abortOnConnectError is set: ${reason.replace(/ Trying again\.$/, '')}`,
        ),
      restart: canRestart ? restart : undefined,
    });
    process.on('SIGHUP', () => {
      log.info({ signal: 'SIGHUP' }, 'reading the configuration again');
      gateway.reload().catch((err: unknown) => log.error({ err }, 'it was not taken over'));
    });
    return withReadiness(gateway, { log, status: () => describeUp(gateway.board) });
  });
}

interface Arguments {
  readonly file: ConfigFile;
  readonly config: Config;
  readonly isSupervised: boolean;
}

function readArguments(args: string[]): Arguments | number {
  try {
    const { values } = parseArgs({
      args,
      options: {
        config: { type: 'string', short: 'c' },
        'data-dir': { type: 'string' },
        supervised: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const { config: path, 'data-dir': dataDir, supervised } = values;
    const file = new ConfigFile({ path, dataDir, env: process.env });
    return { file, config: file.load(), isSupervised: supervised };
  } catch (error) {
    if (!(error instanceof ConfigError) && !isArgumentError(error)) throw error;
    process.stderr.write(`sluice run: ${error.message}\n`);
    return 2;
  }
}

/** What `parseArgs` throws for an option that is not there. */
function isArgumentError(error: unknown): error is Error {
  return (
    error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  );
}
