/** `sluice config check FILE`, `sluice config schema` and `sluice config import crtmpserver.lua`. */
import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import { loadConfig } from '../config/load.ts';
import { configJsonSchema } from '../config/schema.ts';

const USAGE =
  'usage: sluice config check FILE | sluice config schema | sluice config import crtmpserver.lua';

export interface Output {
  out(line: string): void;
  err(line: string): void;
}

/** Returns the exit code: 0 done, 2 wrong arguments or configuration. */
export async function runConfigCommand(
  args: readonly string[],
  output: Output = { out: console.log, err: console.error },
): Promise<number> {
  const [verb, file, ...rest] = args;
  if (verb === 'schema' && file === undefined) {
    output.out(JSON.stringify(configJsonSchema(), undefined, 2));
    return 0;
  }
  if (file !== undefined && rest.length === 0) {
    if (verb === 'check') return checkConfig(file, output);
    if (verb === 'import') return await importConfig(file, output);
  }
  output.err(USAGE);
  return 2;
}

function checkConfig(file: string, { out, err }: Output): number {
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

/** The YAML goes to stdout, so that it can be redirected; what people should know to stderr. */
async function importConfig(file: string, { out, err }: Output): Promise<number> {
  let source: Uint8Array;
  try {
    source = readFileSync(file);
  } catch (error) {
    err(`${file}: cannot read the file: ${error instanceof Error ? error.message : error}`);
    return 2;
  }
  const { importCrtmpserver, LuaError } = await import(
    '../config/crtmpserver/import-crtmpserver.ts'
  );
  try {
    const { yaml, taken, leftOut } = importCrtmpserver(
      source,
      basename(file),
      dirname(resolve(file)),
    );
    out(yaml.trimEnd());
    err(
      `${file}: ${taken} acceptors, streams and targets taken over, ${leftOut} left out; the comments say why, and what is different`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof LuaError)) throw error;
    err(`${file}: ${error.message}`);
    return 2;
  }
}
