/** The short run of `npm run fuzz`: the seed is fixed, so that a failure is the same on every machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../support/hex.ts';
import { fuzz } from './run.ts';
import { parserOf } from './subject.ts';
import { ALL_SUBJECTS } from './subjects/all-subjects.ts';

const SEED = 20_261_124;
const INPUTS = 2000;

for (const subject of ALL_SUBJECTS) {
  test(`${subject.name}: damaged input gives a value or an error of ours`, async () => {
    const { failures, accepted } = await fuzz(subject, { inputs: INPUTS, seed: SEED });
    const words = failures.map(({ problem, input }) => `${toHex(input)}: ${problem}`);
    assert.deepEqual(words, []);
    assert.ok(accepted > 0, 'some mutants are harmless: the run reaches the depths of the parser');
  });
}

test('the harness sees a foreign error, a changed input and a slow one', async () => {
  const seed = Uint8Array.of(1, 2, 3, 4);
  const problems = async (parse: (bytes: Uint8Array) => unknown) => {
    const { failures } = await fuzz(parserOf('faulty', parse, seed), { inputs: 200, seed: SEED });
    return failures.map(({ problem }) => problem.split('\n', 1)[0] ?? '').join('; ');
  };
  assert.match(
    await problems((bytes) => {
      if (bytes[0] !== 1) throw new TypeError('oops');
    }),
    /TypeError: oops/,
  );
  assert.match(await problems((bytes) => bytes.fill(0)), /the input was changed/);
  assert.match(
    await problems((bytes) => {
      const before = process.cpuUsage().user;
      while (bytes.length > 6 && process.cpuUsage().user - before < 110_000);
    }),
    /takes \d{3,} ms/,
  );
});

test('the harness sees what is not let go', async () => {
  const kept: Uint8Array[] = [];
  let used = 0;
  const leak = parserOf(
    'leak',
    (bytes) => {
      used += 64 * 1024;
      kept.push(bytes);
    },
    Uint8Array.of(1),
  );
  const { failures } = await fuzz(leak, { inputs: 500, seed: SEED, usedBytes: () => used });
  assert.match(failures[0]?.problem ?? '', /MB are not let go/);
});
