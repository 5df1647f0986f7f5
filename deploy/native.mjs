/**
 * The native addon (drivers/native), compiled where there is a compiler; the service runs without it, at more
 * CPU over UDP and for many players. Never in the way: what fails is said once and not tried again before sources or tools change.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = join(ROOT, 'drivers', 'native');
const OUTPUT = join(ROOT, 'dist', 'native');
const STAGING = join(OUTPUT, '.build');
const LOG = join(OUTPUT, 'build.log');
/** Per machine, so that those of several may lie side by side. The addon's interface is the same for all versions of Node. */
const TARGET = join(OUTPUT, `${process.platform}-${process.arch}`);
const ADDON = join(TARGET, 'sluice.node');
const STAMP = join(TARGET, '.stamp');

/** A second on a desktop, half a minute on a small board; the rest is for fetching Node's headers. */
const TIMEOUT_MS = 120_000;

/** What node-gyp needs. */
const TOOLS = ['make', 'cc', 'c++', 'python3'];

export function isNativeReady() {
  return process.platform !== 'linux' || readStamp() === wantedStamp();
}

/** Returns what is worth telling; nothing where there is no compiler. */
export function buildNative() {
  mkdirSync(TARGET, { recursive: true });
  rmSync(ADDON, { force: true });
  const isTried = hasTools();
  const isBuilt = isTried && compile();
  rmSync(STAGING, { recursive: true, force: true });
  writeFileSync(STAMP, wantedStamp());
  if (!isTried) return undefined;
  return isBuilt
    ? 'native addon built'
    : `the native addon could not be built; doing without it. What was said is in ${LOG}`;
}

/** In a copy: node-gyp leaves files beside what it builds. */
function compile() {
  const nodeGyp = findNodeGyp();
  if (nodeGyp === undefined) {
    writeFileSync(LOG, 'node-gyp is not installed\n');
    return false;
  }
  rmSync(STAGING, { recursive: true, force: true });
  cpSync(SOURCES, STAGING, { recursive: true });
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [nodeGyp, 'rebuild', '--directory', STAGING, ...headerOptions()],
    { encoding: 'utf8', timeout: TIMEOUT_MS },
  );
  writeFileSync(LOG, `${stdout}${stderr}`);
  if (status !== 0) return false;
  copyFileSync(join(STAGING, 'build', 'Release', 'sluice.node'), `${ADDON}.tmp`);
  renameSync(`${ADDON}.tmp`, ADDON);
  return true;
}

function findNodeGyp() {
  try {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return undefined; // An optional package.
  }
}

/** The headers that came with Node, where they did: nothing needs to be fetched. */
function headerOptions() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include/node/node_api.h')) ? ['--nodedir', prefix] : [];
}

/** Tools that appear later make a difference; a build that failed with them does not mend by itself. */
function wantedStamp() {
  const hash = createHash('sha256').update(`tools: ${hasTools()}`);
  for (const name of readdirSync(SOURCES).sort()) {
    hash.update(`\0${name}\0`).update(readFileSync(join(SOURCES, name)));
  }
  return hash.digest('hex');
}

function readStamp() {
  return existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : undefined;
}

function hasTools() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return TOOLS.every((tool) => folders.some((folder) => isExecutable(join(folder, tool))));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
