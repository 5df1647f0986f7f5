/**
 * Discovered → published → played, with real programs in a network of their own, bit for bit over
 * more than a minute (main-job-scenario.ts is what runs there).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MainJobResult } from './main-job-scenario.ts';

const SCENARIO = fileURLToPath(new URL('main-job-scenario.js', import.meta.url));
const LIMIT_MS = 150_000;
/** 62 s at 25 fps, less what passes before the first keyframe. */
const FEWEST_PICTURES = 1500;
/** 62 s at 48 kHz in frames of 1024 samples, less a little. */
const FEWEST_AUDIO_FRAMES = 2800;

async function runScenario(): Promise<MainJobResult> {
  const script = `
    set -e
    ip link set lo up
    ip link add cam0 type veth peer name far0
    ip link set far0 up
    ip addr add 10.77.0.1/24 dev cam0
    ip addr add 10.77.0.2/24 dev cam0
    ip link set cam0 up multicast on
    exec "${process.execPath}" --enable-source-maps "${SCENARIO}"`;
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const child = spawn(
    'unshare',
    [...asRoot, '--net', '--pid', '--fork', '--kill-child', 'sh', '-c', script],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const [code] = await once(child, 'close');
  clearTimeout(limit);
  assert.equal(code, 0, `${stdout.slice(-4000)}\n${stderr.slice(-8000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as MainJobResult;
}

test('the main job: an ONVIF camera is found, logged into, pulled, published, played bit for bit, and MQTT tells', async (t) => {
  const result = await runScenario();

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
