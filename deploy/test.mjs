/** `npm test`: everything that must hold before a change lands. Stops at the first stage that fails. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { bootCheck } from './boot-check.mjs';
import { ensureDebianPackages } from './debian-packages.mjs';
import { ensureMdnsPackage } from './mdns-package.mjs';
import { filesBelow, PlainError, prepare, ROOT, seconds } from './prepare.mjs';

const BUILD = join(ROOT, 'build');
const BIN = join(ROOT, 'node_modules', '.bin');

/** The whole run must end in a quarter of an hour; a stage that hangs says so well before. */
const STAGE_TIMEOUT_MS = 13 * 60 * 1000;
/** One test file: a minute of media, restarts of programs, and room for a slow machine. */
const TEST_TIMEOUT_MS = 4 * 60 * 1000;
const isRoot = process.getuid?.() === 0;
/** End-to-end tests mostly wait: two at a time leave two cores half idle, and a second of an encoder must stay a second. */
const END_TO_END_CONCURRENCY = 2;

export async function test([which]) {
  if (which !== undefined && which !== 'unit' && which !== 'e2e') {
    throw new PlainError('usage: npm test [unit | e2e]');
  }
  const started = Date.now();
  if (which !== 'unit') await stage('Debian packages', ensureDebianPackages);
  await stage('packages and bundle', () => prepare({ withDevelopmentPackages: true }));
  if (which === undefined)
    await stage('lint', () => run(join(BIN, 'biome'), ['check', '--error-on-warnings', '.']));
  await stage('types', compile);
  if (which === undefined)
    await stage('unused code', () => run(join(BIN, 'knip'), ['--treat-config-hints-as-errors']));
  const { unit, endToEnd } = testFiles();
  if (which !== 'e2e')
    await stage('unit tests', () => runTests('unit', unit, availableParallelism()));
  if (which !== 'unit') {
    await stage('mdns, the optional package', ensureMdnsPackage);
    await stage('end-to-end tests', () => runTests('e2e', endToEnd, END_TO_END_CONCURRENCY));
    await stage('boot', bootCheck);
  }
  console.log(`\nAll passed in ${seconds(started)} s.`);
}

export async function bench(commandLine) {
  await prepare({ withDevelopmentPackages: true });
  await compile();
  await run(process.execPath, [join(BUILD, 'test/bench/main.js'), ...commandLine], {
    timeoutMs: undefined,
  });
}

/** Every parser against damaged input, at length; `npm test` has a short run of the same. */
export async function fuzz(commandLine) {
  await prepare({ withDevelopmentPackages: true });
  await compile();
  const program = join(BUILD, 'test/fuzz/main.js');
  await run(process.execPath, ['--enable-source-maps', program, ...commandLine], {
    timeoutMs: undefined,
  });
}

/** JSON Schemas and OpenAPI, made of the types. */
export async function schemas() {
  await prepare({ withDevelopmentPackages: true });
  await compile();
  const { writeSchemas } = await import('./schemas.mjs');
  await writeSchemas();
}

/** Line coverage of the two layers that do no I/O, where there is no excuse. */
export async function coverage() {
  await prepare({ withDevelopmentPackages: true });
  await compile();
  // Without --exclude-after-remap the patterns match nothing and every threshold passes.
  const limits = ['--exclude-after-remap', '--include', 'codecs/**', '--include', 'protocols/**'];
  const check = ['--check-coverage', '--lines', '95', '--reporter', 'text'];
  const runner = [process.execPath, '--enable-source-maps', '--test', ...testFiles().unit];
  await run(join(BIN, 'c8'), [...limits, ...check, ...runner]);
}

async function stage(name, work) {
  const started = Date.now();
  console.log(`\n── ${name}`);
  await work();
  console.log(`── ${name}: ${seconds(started)} s`);
}

/** tsc writes beside what earlier runs wrote: without this, tests of deleted files would go on running. */
async function compile() {
  removeStaleOutput();
  await run(process.execPath, [
    join(ROOT, 'node_modules/typescript/bin/tsc'),
    ...['-p', '.', '--incremental', '--tsBuildInfoFile', 'build/.tsbuildinfo'],
  ]);
  // It emits nothing: esbuild bundles the page.
  await run(process.execPath, [
    join(ROOT, 'node_modules/typescript/bin/tsc'),
    ...['-p', 'gateway/http/dashboard'],
  ]);
}

function removeStaleOutput() {
  if (!existsSync(join(BUILD, '.tsbuildinfo'))) rmSync(BUILD, { recursive: true, force: true });
  if (!existsSync(BUILD)) return;
  for (const path of filesBelow('build')) {
    const isOutput = /\.js(\.map)?$/.test(path);
    if (isOutput && !existsSync(sourceOf(path))) rmSync(join(ROOT, path));
  }
}

function sourceOf(path) {
  return join(ROOT, path.replace(/^build\//, '').replace(/\.js(\.map)?$/, '.ts'));
}

function testFiles() {
  const all = filesBelow('build/test').filter((path) => path.endsWith('.test.js'));
  const isEndToEnd = (path) => path.startsWith('build/test/e2e/');
  return { unit: all.filter((path) => !isEndToEnd(path)), endToEnd: all.filter(isEndToEnd) };
}

async function runTests(name, files, concurrency) {
  if (files.length === 0) throw new PlainError(`There is no ${name} test file.`);
  mkdirSync(join(ROOT, 'test/out'), { recursive: true });
  const countFile = join(ROOT, 'test/out', `${name}.json`);
  rmSync(countFile, { force: true });
  await run(process.execPath, [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./deploy/count-reporter.mjs', `--test-reporter-destination=${countFile}`],
    ...files,
  ]);
  const counts = JSON.parse(readFileSync(countFile, 'utf8'));
  // Source maps turn the names of compiled files into those of their sources.
  const hasTests = (path) =>
    [join(ROOT, path), sourceOf(path)].some((file) => file in counts.testsByFile);
  const empty = files.filter((path) => !hasTests(path));
  if (empty.length > 0) throw new PlainError(`No test ran in: ${empty.join(', ')}`);
  // Some need a network namespace of their own; as root there is no excuse.
  if (!isRoot) for (const name of counts.notRun) console.log(`not run, for want of root: ${name}`);
  const bad = [...counts.failed, ...(isRoot ? counts.notRun : [])];
  if (bad.length > 0) throw new PlainError(`Every test must run and pass:\n  ${bad.join('\n  ')}`);
  console.log(`${counts.tests} tests in ${files.length} files`);
}

/** Runs a program to its end; throws unless it ends with 0 in time. */
function run(program, commandLine, { timeoutMs = STAGE_TIMEOUT_MS } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, commandLine, {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    // Ctrl-C reaches the child from the terminal; waiting here lets it put its own children away.
    const ignore = () => {};
    const pass = () => child.kill('SIGTERM');
    process.on('SIGINT', ignore).on('SIGTERM', pass);
    const timer = timeoutMs === undefined ? undefined : setTimeout(pass, timeoutMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      process.off('SIGINT', ignore).off('SIGTERM', pass);
      if (code === 0) resolve();
      else
        reject(
          new PlainError(
            `failed (${signal ?? `exit code ${code}`}): ${[program, ...commandLine].join(' ').slice(0, 200)}`,
          ),
        );
    });
  });
}
