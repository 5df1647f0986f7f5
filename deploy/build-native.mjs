/** `npm run build:native`: the addon for this machine or, with Debian's cross compilers, for another. */
import { parseArgs } from 'node:util';
import { buildNativeFor } from './native.mjs';
import { PlainError, ROOT, seconds } from './prepare.mjs';

const USAGE = 'usage: npm run build:native -- [--arch arm64 | arm | armhf | x64]';

export async function buildNative(commandLine) {
  const started = Date.now();
  try {
    const { values } = parseArgs({ args: commandLine, options: { arch: { type: 'string' } } });
    const addon = buildNativeFor(values.arch ?? process.arch);
    console.log(`${addon.slice(ROOT.length)} built in ${seconds(started)} s`);
  } catch (error) {
    const isArgument = error.code?.startsWith('ERR_PARSE_ARGS') === true;
    throw new PlainError(isArgument ? `${error.message}\n${USAGE}` : error.message);
  }
}
