/** `sluice config check FILE` and `sluice config schema`. */
import { ConfigError } from '../config/config-error.ts';
import { loadConfig } from '../config/load.ts';
import { configJsonSchema } from '../config/schema.ts';

const USAGE = 'usage: sluice config check FILE | sluice config schema';

export interface Output {
  out(line: string): void;
  err(line: string): void;
}

/** Returns the exit code: 0 done, 2 wrong arguments or configuration. */
export function runConfigCommand(
  args: readonly string[],
  { out, err }: Output = { out: console.log, err: console.error },
): number {
  const [verb, file, ...rest] = args;
  if (verb === 'schema' && file === undefined) {
    out(JSON.stringify(configJsonSchema(), undefined, 2));
    return 0;
  }
  if (verb !== 'check' || file === undefined || rest.length > 0) {
    err(USAGE);
    return 2;
  }
  try {
    loadConfig(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    err(error.message);
    return 2;
  }
  out(`${file}: valid`);
  return 0;
}
