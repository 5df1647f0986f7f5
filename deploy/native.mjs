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
  mkdtempSync,
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
const LOG = join(OUTPUT, 'build.log');
/** Per machine, so that those of several may lie side by side. The addon's interface is the same for all versions of Node. */
const TARGET = targetOf(process.arch);
const STAMP = join(TARGET, '.stamp');

/** A second on a desktop, half a minute on a small board; the rest is for fetching Node's headers. */
const TIMEOUT_MS = 120_000;

/** What node-gyp needs. */
const TOOLS = ['make', 'cc', 'c++', 'python3'];

/** Debian's cross compilers, by Node's name of the machine; Debian calls arm armhf. All of the addon is C. */
const CROSS_COMPILERS = {
  arm: {
    tool: 'arm-linux-gnueabihf-gcc',
    packages: 'gcc-arm-linux-gnueabihf libc6-dev-armhf-cross',
  },
  arm64: {
    tool: 'aarch64-linux-gnu-gcc',
    packages: 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
  },
  x64: {
    tool: 'x86_64-linux-gnu-gcc',
    packages: 'gcc-x86-64-linux-gnu libc6-dev-amd64-cross',
  },
};
const OTHER_NAMES = { aarch64: 'arm64', amd64: 'x64', armhf: 'arm', armv7l: 'arm', x86_64: 'x64' };
const PACKAGES_OF_TOOLS = { make: 'make', python3: 'python3' };

export function isNativeReady() {
  return process.platform !== 'linux' || readStamp() === wantedStamp();
}

/** Returns what is worth telling; nothing where there is no compiler. */
export function buildNative() {
  mkdirSync(TARGET, { recursive: true });
  rmSync(addonIn(TARGET), { force: true });
  const isTried = hasTools(TOOLS);
  const failure = isTried ? compile(process.arch, process.env) : undefined;
  writeFileSync(STAMP, wantedStamp());
  if (!isTried) return undefined;
  return failure === undefined
    ? 'native addon built'
    : `the native addon could not be built; doing without it. ${failure}`;
}

/** `npm run build:native`: for this machine or another, asked for, so that what is missing is an error. Returns the addon's path. */
export function buildNativeFor(name) {
  const arch = OTHER_NAMES[name] ?? name;
  const isOwn = arch === process.arch && process.platform === 'linux';
  const cross = isOwn ? { tool: 'gcc', packages: 'gcc libc6-dev' } : CROSS_COMPILERS[arch];
  if (cross === undefined) {
    const known = [...Object.keys(CROSS_COMPILERS), ...Object.keys(OTHER_NAMES)].join(', ');
    throw new Error(`--arch ${name}: expected one of ${known}`);
  }
  const packages = { ...PACKAGES_OF_TOOLS, [cross.tool]: cross.packages };
  const missing = Object.keys(packages).filter((tool) => !hasTools([tool]));
  if (missing.length > 0) {
    const wanted = missing.map((tool) => packages[tool]).join(' ');
    throw new Error(
      `${missing.join(', ')} not found. Run this once, then again:\n\n  sudo apt-get install --no-install-recommends ${wanted}\n`,
    );
  }
  const compilers = { CC: cross.tool, CXX: cross.tool, LINK: cross.tool };
  const failure = compile(arch, { ...process.env, ...compilers });
  if (failure !== undefined) throw new Error(`the native addon could not be built. ${failure}`);
  if (isOwn) writeFileSync(STAMP, wantedStamp());
  return addonIn(targetOf(arch));
}

function targetOf(arch) {
  return join(OUTPUT, `linux-${arch}`);
}

function addonIn(target) {
  return join(target, 'sluice.node');
}

/** In a copy: node-gyp leaves files beside what it builds. Returns what went wrong. */
function compile(arch, env) {
  const target = targetOf(arch);
  mkdirSync(target, { recursive: true });
  const nodeGyp = findNodeGyp();
  if (nodeGyp === undefined) return 'node-gyp is not installed: npm install';
  const staging = mkdtempSync(join(OUTPUT, '.build-'));
  try {
    cpSync(SOURCES, staging, { recursive: true });
    const options = ['--directory', staging, `--arch=${arch}`, ...headerOptions()];
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [nodeGyp, 'rebuild', ...options],
      { encoding: 'utf8', timeout: TIMEOUT_MS, env },
    );
    writeFileSync(LOG, `${stdout}${stderr}`);
    if (status !== 0) return `What was said is in ${LOG}`;
    const addon = addonIn(target);
    copyFileSync(join(staging, 'build', 'Release', 'sluice.node'), `${addon}.tmp`);
    renameSync(`${addon}.tmp`, addon);
    return undefined;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
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
  const hash = createHash('sha256').update(`tools: ${hasTools(TOOLS)}`);
  for (const name of readdirSync(SOURCES).sort()) {
    hash.update(`\0${name}\0`).update(readFileSync(join(SOURCES, name)));
  }
  return hash.digest('hex');
}

function readStamp() {
  return existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : undefined;
}

function hasTools(tools) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return tools.every((tool) => folders.some((folder) => isExecutable(join(folder, tool))));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
