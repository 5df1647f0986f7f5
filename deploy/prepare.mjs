/** Brings a checkout up to date: packages as package-lock.json says, and the bundle of the present sources. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative, isNativeReady } from './native.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
/** What people run, whoever starts it. */
export const BUNDLE = join(ROOT, 'dist', 'gateway', 'main.js');
const INSTALL_STAMP = join(MODULES, '.sluice-install.json');
const BUILD_STAMP = join(ROOT, 'dist', '.stamp');
const LOCK = join(ROOT, 'dist', '.lock');
const SOURCE_FOLDERS = ['gateway', 'drivers', 'protocols', 'codecs'];
const BUILD_INPUTS = [
  'deploy/build.mjs',
  'deploy/build-dashboard.mjs',
  'deploy/config.schema.json',
  'deploy/openapi.json',
  'package.json',
  'package-lock.json',
];

/** A fresh install on a small board with a slow line takes minutes; nobody waits longer than this for another. */
const LOCK_TIMEOUT_MS = 15 * 60 * 1000;
const LOCK_POLL_MS = 200;

/** An error whose message is all that its reader needs. */
export class PlainError extends Error {
  isPlain = true;
}

/** @param {{ withDevelopmentPackages: boolean }} options */
export async function prepare({ withDevelopmentPackages }) {
  if (isInstalled(withDevelopmentPackages) && isBundled() && isNativeReady()) return;
  await withLock(async () => {
    if (!isInstalled(withDevelopmentPackages)) install(withDevelopmentPackages);
    if (!isBundled()) await bundleSources();
    if (!isNativeReady()) buildAddon();
  });
}

/**
 * npm keeps what it installed in node_modules/.package-lock.json, so that an install made by hand counts too. The
 * stamp adds what npm does not note: prebuilt binaries fit one platform and one major version of Node.
 */
function isInstalled(withDevelopmentPackages) {
  const installed = readJson(join(MODULES, '.package-lock.json'))?.packages;
  const wanted = readJson(join(ROOT, 'package-lock.json'))?.packages;
  if (installed === undefined || wanted === undefined) return false;
  const stamp = readJson(INSTALL_STAMP);
  if (stamp !== undefined && stamp.platform !== platform()) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    const mayBeMissing =
      path === '' ||
      entry.optional === true ||
      entry.devOptional === true ||
      (entry.dev === true && !withDevelopmentPackages);
    return mayBeMissing || installed[path]?.version === entry.version;
  });
}

function install(withDevelopmentPackages) {
  say(
    `installing packages (${withDevelopmentPackages ? 'all' : 'run time only'}); needs the network, once …`,
  );
  const started = Date.now();
  const omit = withDevelopmentPackages ? [] : ['--omit=dev'];
  // Not `npm ci`: it refuses a lock file written where the registry lacked some other platform's optional binary, and it
  // empties node_modules under whatever runs. The versions are those of the lock file either way.
  const quiet = ['--no-fund', '--no-audit', '--loglevel=error'];
  const npm = spawnSync('npm', ['install', '--no-save', ...quiet, ...omit], {
    cwd: ROOT,
    // To stderr: stdout belongs to the command, for example `config schema > file`.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.error !== undefined)
    throw new PlainError(`npm could not be started: ${npm.error.message}`);
  if (npm.status !== 0)
    throw new PlainError('npm could not install the packages; what it said is above.');
  writeFileSync(INSTALL_STAMP, JSON.stringify({ platform: platform() }));
  say(`packages installed in ${seconds(started)} s`);
}

function isBundled() {
  return existsSync(BUNDLE) && readText(BUILD_STAMP) === sourceStamp();
}

async function bundleSources() {
  say('building …');
  const started = Date.now();
  const stamp = sourceStamp();
  const { bundle } = await import('./build.mjs');
  const { bundleDashboard } = await import('./build-dashboard.mjs');
  await bundle();
  await bundleDashboard();
  writeFileSync(BUILD_STAMP, stamp);
  say(`built in ${seconds(started)} s`);
}

/** Whatever goes wrong here, the service starts. */
function buildAddon() {
  try {
    const message = buildNative();
    if (message !== undefined) say(message);
  } catch (error) {
    say(`the native addon could not be built; doing without it: ${error.message}`);
  }
}

/** A digest of all that goes into the bundle. Contents, not times: git changes those at will. */
function sourceStamp() {
  const hash = createHash('sha256').update(platform());
  const add = (path) => hash.update(`\0${path}\0`).update(readFileSync(join(ROOT, path)));
  for (const path of BUILD_INPUTS) add(path);
  for (const folder of SOURCE_FOLDERS) {
    for (const path of filesBelow(folder)) add(path);
  }
  return hash.digest('hex');
}

export function filesBelow(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(ROOT.length))
    .sort();
}

/** Two starts at once must not install into one folder: the second waits, then finds all done. */
async function withLock(work) {
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  while (!takeLock()) {
    if (Date.now() > deadline)
      throw new PlainError(`another start holds ${LOCK}; remove that file if it does not`);
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  try {
    await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function takeLock() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const owner = Number(readText(LOCK));
  // A start that was killed leaves its lock behind. 0: the owner has made the file and not yet written to it.
  if (owner > 0 && !isAlive(owner)) rmSync(LOCK, { force: true });
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function platform() {
  return `${process.platform}-${process.arch}-node${process.versions.node.split('.')[0]}`;
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Missing is an answer here.
  }
}

function readJson(path) {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Cut short by a crash: as good as missing.
  }
}

function say(message) {
  process.stderr.write(`sluice: ${message}\n`);
}

export function seconds(sinceMs) {
  return ((Date.now() - sinceMs) / 1000).toFixed(1);
}
