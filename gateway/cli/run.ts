/** `sluice run`: the service, until SIGTERM or SIGINT. */
import { parseArgs } from 'node:util';
import { ConfigError } from '../config/config-error.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { Gateway } from '../gateway.ts';
import { GatewayLog } from '../log.ts';
import { withReadiness } from '../readiness.ts';
import { describeUp } from '../report/health.ts';
import { untilStopped } from './until-stopped.ts';

const USAGE = 'usage: sluice run [--config FILE] [--data-dir DIR]';

export async function run(args: string[]): Promise<number> {
  const config = readConfig(args);
  if (typeof config === 'number') return config;
  const gatewayLog = new GatewayLog(config.log.level);
  const { log } = gatewayLog;
  return await untilStopped(log, (fail) => {
    const gateway = new Gateway({
      config,
      log,
      setLogLevel: (level) => gatewayLog.setLevel(level),
      onFatal: (reason) =>
        fail(
          `a target refused at start, and proxypublish.abortOnConnectError is set: ${reason.replace(/ Trying again\.$/, '')}`,
        ),
    });
    return withReadiness(gateway, { log, status: () => describeUp(gateway.board) });
  });
}

function readConfig(args: string[]): Config | number {
  try {
    const { values } = parseArgs({
      args,
      options: {
        config: { type: 'string', short: 'c' },
        'data-dir': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    return loadConfig(values.config, { dataDir: values['data-dir'] });
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
