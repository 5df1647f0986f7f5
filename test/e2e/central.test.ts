/** deploy/central/ as it is: its scripts, Mosquitto, nginx, the master, three gateways, and the fleet page in Chromium. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runScenario } from '../support/scenario.ts';
import type { CentralResult } from './central-scenario.ts';

const SCENARIO = fileURLToPath(new URL('central-scenario.js', import.meta.url));
const LIMIT_MS = 180_000;
const GATEWAYS = ['shop-1', 'shop-2', 'shop-3'];

test('the central side: set up by its scripts, three gateways, one page', async (t) => {
  const result = await runScenario<CentralResult>({
    program: SCENARIO,
    setUp: ['ip link set lo up'],
    limitMs: LIMIT_MS,
  });

  await t.test('set up again it keeps logins; an id that is none is refused', () => {
    assert.equal(result.setUpTwice, 'kept');
    assert.deepEqual(result.refusedIds, [2, 2, 2]);
  });

  await t.test('no secret can be read by everybody', () => {
    for (const [name, mode] of Object.entries(result.modes)) {
      if (/password|key$|login/.test(name)) assert.match(mode, /0$/, `${name} ${mode}`);
    }
    assert.equal(result.modes['tls/ca.key'], '600');
  });

  await t.test('what add-gateway.sh prints is all that a gateway needs', () => {
    assert.deepEqual(result.states, Object.fromEntries(GATEWAYS.map((id) => [id, 'online'])));
    assert.deepEqual(result.published, Object.fromEntries(GATEWAYS.map((id) => [id, true])));
  });

  await t.test('one gateway neither hears another nor speaks for it', () => {
    assert.deepEqual(result.foreign, []);
  });

  await t.test('page and pictures ask for a login', () => {
    assert.equal(result.pageWithoutLogin, 401);
    assert.equal(result.picture.withoutLogin, 401);
    assert.equal(result.page.status, 200);
    assert.match(result.page.policy, /default-src 'none'/);
    assert.equal(result.picture.signature, 'FLV');
  });

  await t.test('the page shows three gateways, their cameras, and a live picture', () => {
    const { refusedLogin, rows, tiles, frames, troubles, foreignRequests } = result.fleetPage;
    assert.match(refusedLogin, /refused/);
    for (const [index, id] of GATEWAYS.entries()) {
      assert.match(rows[index] ?? '', new RegExp(`${id}.*online.*1 / 1.*1 / 1`, 'i'));
      assert.match(tiles[index] ?? '', new RegExp(`yard.*${id}|${id}.*yard`, 'i'));
    }
    assert.ok(frames >= 30, `${frames} frames`);
    assert.deepEqual(foreignRequests, []);
    assert.deepEqual(troubles, []);
  });

  await t.test(
    'a gateway that was removed has no login, and has left nothing at the broker',
    () => {
      assert.deepEqual(result.removed, { topics: [], hasLogin: false });
    },
  );

  await t.test('nginx as the master takes who knows the key, and nobody else', () => {
    assert.equal(result.nginx.published, true);
    assert.notEqual(result.nginx.wrongKey, 'publishing');
  });
});
