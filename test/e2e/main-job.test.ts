/**
 * Discovered → published → played, with real programs in a network of their own, bit for bit over
 * more than a minute (main-job-scenario.ts is what runs there).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cableWith, runScenario } from '../support/scenario.ts';
import type { MainJobResult } from './main-job-scenario.ts';

const SCENARIO = fileURLToPath(new URL('main-job-scenario.js', import.meta.url));
const LIMIT_MS = 150_000;
/** 62 s at 25 fps, less what passes before the first keyframe. */
const FEWEST_PICTURES = 1500;
/** 62 s at 48 kHz in frames of 1024 samples, less a little. */
const FEWEST_AUDIO_FRAMES = 2800;

test('the main job: an ONVIF camera is found, logged into, pulled, published, played bit for bit, and MQTT tells', async (t) => {
  const result = await runScenario<MainJobResult>({
    program: SCENARIO,
    setUp: cableWith('10.77.0.1/24', '10.77.0.2/24'),
    limitMs: LIMIT_MS,
  });

  await t.test('found and adopted within a minute, under a name from model and serial', () => {
    assert.ok(result.adoptedAfterMs < 60_000, `${result.adoptedAfterMs} ms`);
    const found = JSON.stringify(result.found);
    assert.match(found, /dome-4-ac0042/);
    assert.match(found, /10\.77\.0\.2/);
  });

  await t.test('every access unit after the first keyframe is equal, PTS and DTS to 1 ms', () => {
    for (const [name, comparison] of Object.entries(result.comparisons)) {
      assert.ok(typeof comparison !== 'string', `${name}: ${String(comparison)}\n${result.log}`);
      assert.ok(comparison.video >= FEWEST_PICTURES, `${name}: ${comparison.video} pictures`);
      assert.ok(comparison.audio >= FEWEST_AUDIO_FRAMES, `${name}: ${comparison.audio} frames`);
      assert.ok(
        Math.abs(comparison.audioDelayUs ?? 0) <= 2_000,
        `${name}: audio off by ${comparison.audioDelayUs} µs`,
      );
    }
  });

  await t.test('MQTT tells that all is well', () => {
    for (const status of Object.values(result.statuses))
      assert.match(String(status), /"state":"online"/);
    assert.equal(Object.keys(result.statuses).length, 2);
    for (const status of Object.values(result.published))
      assert.match(String(status), /"state":"publishing"/);
  });

  await t.test('it ends cleanly within 2 s, and no password was written anywhere', () => {
    assert.equal(result.exitCode, 0);
    assert.ok(result.stopMs < 2_000, `${result.stopMs} ms`);
    assert.equal(result.stateAfterStop, 'stopped');
    assert.deepEqual(result.leaks, []);
  });
});
