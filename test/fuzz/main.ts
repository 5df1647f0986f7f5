/**
 * `npm run fuzz`: every parser against damaged input, a thread for each. What fails is left in test/out, and the
 * line that names it says how to see it again. Bounded by the number of inputs; not a test, for it takes minutes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { FuzzFailure, FuzzResult } from './run.ts';
import { ALL_SUBJECTS } from './subjects/all-subjects.ts';
import { type FuzzOrder, MAX_PROGRESS_BYTES, PROGRESS_HEADER_BYTES } from './worker.ts';

const USAGE = `npm run fuzz -- [OPTIONS]
  --inputs 100000     for each parser (default 100000)
  --seed 1            another one: other inputs (default 1)
  --only WORD         only parsers whose name holds this word
  --list              the names of the parsers
Exits with 1 when one crashes, hangs for more than 100 ms, changes its input or keeps more than 4 MB.`;

const OUT_FOLDER = 'test/out';
/** An input at work for so long hangs: many times what an input may take on a busy machine. */
const HANG_MS = 10_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const only = values.only.toLowerCase();
  const names = ALL_SUBJECTS.map(({ name }) => name).filter((name) =>
    name.toLowerCase().includes(only),
  );
  if (values.help) return console.log(USAGE);
  if (values.list) return console.log(names.join('\n'));
  const inputs = wholeNumber('--inputs', values.inputs);
  const seed = wholeNumber('--seed', values.seed);
  if (names.length === 0) throw new Error(`no parser's name holds "${values.only}"\n${USAGE}`);
  console.log(`${names.length} parsers, ${inputs} inputs each, seed ${seed}`);
  const results = await inParallel(names, (name) => runInThread({ name, inputs, seed }));
  const bad = results.filter(({ failures }) => failures.length > 0);
  const total = results.reduce((sum, result) => sum + result.inputs, 0);
  console.log(`${total} inputs, ${bad.length} of ${results.length} parsers failed`);
  if (bad.length > 0) process.exitCode = 1;
}

async function inParallel(
  names: readonly string[],
  work: (name: string) => Promise<FuzzResult>,
): Promise<FuzzResult[]> {
  const waiting = [...names];
  const results: FuzzResult[] = [];
  const lanes = Array.from({ length: availableParallelism() }, async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const result = await work(name);
      report(result);
      results.push(result);
    }
  });
  await Promise.all(lanes);
  return results;
}

function runInThread(order: Omit<FuzzOrder, 'progress'>): Promise<FuzzResult> {
  const progress = new SharedArrayBuffer(PROGRESS_HEADER_BYTES + MAX_PROGRESS_BYTES);
  const workerData: FuzzOrder = { ...order, progress };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  const header = new Int32Array(progress, 0, 2);
  let seen = 0;
  return new Promise((resolve) => {
    const settle = (result: FuzzResult) => {
      clearInterval(watch);
      void worker.terminate();
      resolve(result);
    };
    const failed = (problem: string) =>
      settle({
        name: order.name,
        inputs: seen,
        accepted: 0,
        slowestMs: HANG_MS,
        growthBytes: undefined,
        failures: [{ problem, input: inputAtWork(progress), index: seen - 1 }],
      });
    const watch = setInterval(() => {
      const now = Atomics.load(header, 0);
      if (now === seen && now > 0) failed(`hangs for ${HANG_MS / 1000} s`);
      seen = now;
    }, HANG_MS);
    worker.once('message', settle);
    worker.once('error', (error) => failed(String(error)));
  });
}

function inputAtWork(progress: SharedArrayBuffer): Uint8Array {
  const length = Atomics.load(new Int32Array(progress, 0, 2), 1);
  return new Uint8Array(progress, PROGRESS_HEADER_BYTES, length).slice();
}

function report({ name, inputs, accepted, slowestMs, growthBytes, failures }: FuzzResult): void {
  const share = inputs === 0 ? 0 : Math.round((accepted / inputs) * 100);
  const growth = growthBytes === undefined ? '' : `, kept ${Math.round(growthBytes / 1024)} kB`;
  const slowest = `slowest ${slowestMs.toFixed(1)} ms`;
  const verdict = failures.length === 0 ? 'ok    ' : 'FAILED';
  console.log(`${verdict}  ${name}: ${inputs} inputs, ${share} % taken, ${slowest}${growth}`);
  for (const failure of failures) reportFailure(name, failure);
}

function reportFailure(name: string, { problem, input, index }: FuzzFailure): void {
  mkdirSync(OUT_FOLDER, { recursive: true });
  const file = `${OUT_FOLDER}/fuzz-${name.replace(/\W+/g, '-')}-${index}.bin`;
  writeFileSync(file, input);
  console.log(`        input ${index}, left in ${file}: ${problem}`);
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${option}: ${text} is no whole number\n${USAGE}`);
  return Number(text);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
