/** `npm start -- ARGUMENTS`: the bundle, brought up to date, in this very process, so that signals and exit code are its own. */
import { pathToFileURL } from 'node:url';
import { BUNDLE, prepare } from './prepare.mjs';

export async function start(commandLine) {
  await prepare({ withDevelopmentPackages: false });
  process.argv.splice(1, process.argv.length, BUNDLE, ...commandLine);
  await import(pathToFileURL(BUNDLE).href);
}
