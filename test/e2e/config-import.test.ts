/** `sluice config import` of the ancestor's own example: the result runs as it stands (config-import-scenario.ts). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ConfigImportResult } from './config-import-scenario.ts';

const SCENARIO = fileURLToPath(new URL('config-import-scenario.js', import.meta.url));
const LIMIT_MS = 90_000;

async function runScenario(): Promise<ConfigImportResult> {
  const script = `
    set -e
    ip link set lo up
    ip addr add 192.168.1.115/32 dev lo
    exec "${process.execPath}" --enable-source-maps "${SCENARIO}"`;
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const isolated = ['--net', '--pid', '--fork', '--kill-child', 'sh', '-c', script];
  const child = spawn('unshare', [...asRoot, ...isolated], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const [code] = await once(child, 'close');
  clearTimeout(limit);
  assert.equal(code, 0, `${stdout.slice(-4000)}\n${stderr.slice(-8000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ConfigImportResult;
}

test('crtmpserver.lua is imported, passes the check, and publishes as before', async () => {
  const { checked, publishedAs, comparison, exitCode, log } = await runScenario();
  assert.match(checked, /sluice\.yaml: valid$/);
  assert.equal(publishedAs, 'live/proxytest live');
  assert.ok(typeof comparison !== 'string', `${comparison}\n${log}`);
  assert.ok(comparison.video > 50 && comparison.audio > 50, JSON.stringify(comparison));
  assert.equal(exitCode, 0);
});
