/** `sluice config import` of the ancestor's own example: the result runs as it stands (config-import-scenario.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runScenario } from '../support/scenario.ts';
import type { ConfigImportResult } from './config-import-scenario.ts';

const SCENARIO = fileURLToPath(new URL('config-import-scenario.js', import.meta.url));
const LIMIT_MS = 90_000;

test('crtmpserver.lua is imported, passes the check, and publishes as before', async () => {
  const { checked, publishedAs, comparison, exitCode, log } = await runScenario<ConfigImportResult>(
    {
      program: SCENARIO,
      setUp: ['ip link set lo up', 'ip addr add 192.168.1.115/32 dev lo'],
      limitMs: LIMIT_MS,
    },
  );
  assert.match(checked, /sluice\.yaml: valid$/);
  assert.equal(publishedAs, 'live/proxytest live');
  assert.ok(typeof comparison !== 'string', `${comparison}\n${log}`);
  assert.ok(comparison.video > 50 && comparison.audio > 50, JSON.stringify(comparison));
  assert.equal(exitCode, 0);
});
