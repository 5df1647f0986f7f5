/**
 * Flash the box, plug it in: five cameras of different kinds, an empty dataDir and one list of credentials, in a network of
 * their own (adoption-scenario.ts is what runs there). And the file in which decisions are kept, killed while it is written.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { AdoptionState } from '../../gateway/adoption/adoption-state.ts';
import { cableWith, runScenario } from '../support/scenario.ts';
import type { AdoptionScenarioResult } from './adoption-scenario.ts';

const FIRST_START_MS = 60_000;
const RESTART_MS = 10_000;
const LIMIT_MS = 150_000;
const KILLS = 100;
/** Node takes most of the time to start, and there are two cores. */
const FOLDERS = 4;

const WRITER = fileURLToPath(new URL('../support/decision-writer.js', import.meta.url));
const SCENARIO = fileURLToPath(new URL('adoption-scenario.js', import.meta.url));
const canUnshare = spawnSync('unshare', ['--net', 'true']).status === 0;

// One after the other: the times are those of a box that does nothing else.
describe('adoption', () => {
  test('factory-fresh: five cameras are published within a minute, and again within 10 s of a power cut', {
    skip: canUnshare ? false : 'needs root, for a network namespace of its own',
  }, async (t) => {
    const hosts = [1, 11, 12, 13, 14, 15];
    const result = await runScenario<AdoptionScenarioResult>({
      program: SCENARIO,
      setUp: cableWith(...hosts.map((host) => `10.78.0.${host}/24`)),
      limitMs: LIMIT_MS,
    });
    t.diagnostic(`published after ${result.firstMs} ms, after a power cut ${result.againMs} ms`);
    assert.ok(result.firstMs < FIRST_START_MS, `${result.firstMs} ms\n${result.log}`);
    assert.ok(result.againMs < RESTART_MS, `${result.againMs} ms\n${result.log}`);
    assert.deepEqual(result.atMaster, result.names, 'each of them twice');
    // The fifth has the third password of the list; nobody is refused after the restart.
    assert.deepEqual(result.refusals, [0, 0, 0, 0, 2]);
    assert.deepEqual(result.refusalsAgain, result.refusals);
    assert.equal(result.mode, '600');
    assert.deepEqual(result.leaks, []);
  });

  test(`killed at random moments ${KILLS} times: the file always loads, and never goes back`, async (t) => {
    const folders = Array.from({ length: FOLDERS }, () =>
      mkdtempSync(join(tmpdir(), 'sluice-kill-')),
    );
    t.after(() => {
      for (const folder of folders) rmSync(folder, { recursive: true });
    });
    await Promise.all(folders.map((folder) => killAgainAndAgain(folder, KILLS / FOLDERS)));
  });
});

async function killAgainAndAgain(dataDir: string, rounds: number): Promise<void> {
  let last = -1;
  for (let round = 0; round < rounds; round += 1) {
    const writer = [WRITER, dataDir, String(last + 1)];
    const child = spawn(process.execPath, writer, { stdio: ['ignore', 'pipe', 'inherit'] });
    const acknowledged = await killedAtRandom(child);
    const said: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => said.push(line) });
    const { records } = new AdoptionState({ dataDir, log, now: Date.now });
    assert.deepEqual(said, [], `round ${round}`);
    assert.equal(records.length, 1, `round ${round}`);
    const number = Number(records[0]?.name?.slice('n-'.length));
    assert.ok(number >= acknowledged, `round ${round}: ${number} after ${acknowledged}`);
    last = number;
  }
}

/** The last number that it had said was on the disk. It is killed within 30 ms of its first. */
async function killedAtRandom(child: ChildProcess): Promise<number> {
  let said = '';
  child.stdout?.on('data', (chunk) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), Math.random() * 30);
    said += chunk;
  });
  await once(child, 'close');
  return Number(said.split('\n').at(-2));
}
