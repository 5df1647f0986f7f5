import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { DeviceRegistry } from '../../drivers/discovery/device-registry.ts';
import { AdoptedNames } from '../../gateway/adopted-names.ts';
import { type AdoptedStream, Adoption } from '../../gateway/adoption.ts';
import { AttemptBudget } from '../../gateway/attempt-budget.ts';
import { parseConfig } from '../../gateway/config/load.ts';
import { Board } from '../../gateway/report/board.ts';
import { until } from '../support/until.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';

interface Wanted {
  readonly yaml?: string;
  readonly configuredHost?: string;
}

/** Adoption with a registry that the test fills by hand. */
async function setUp(t: TestContext, { yaml = '', configuredHost }: Wanted = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-adoption-'));
  const camera = await VirtualOnvif.start({
    rtspUrl: 'rtsp://127.0.0.1:1/main',
    username: 'admin',
    password: 'right',
    manufacturer: 'Acme',
    model: 'Dome 4',
    serial: 'AC0042',
  });
  const log = pino({ level: 'silent' });
  const registry = new DeviceRegistry({ now: Date.now, elapsedMs: () => performance.now() });
  const board = new Board();
  const added: AdoptedStream[] = [];
  const stop = new AbortController();
  const { discovery: config } = parseConfig(`discovery: { ${yaml} }`, {
    file: 'test',
    folder,
    env: {},
  });
  const discovery = Object.assign(registry, {
    device: (id: string) => registry.get(id),
    learn: registry.learn.bind(registry),
    searchFor: () => undefined,
  });
  new Adoption({
    config,
    discovery,
    board,
    log,
    target: {
      streamAt: (addresses) => (addresses.includes(configuredHost ?? '') ? 'front' : undefined),
      isNameTaken: (name) => name === 'front',
      add: (stream) => added.push(stream),
      wake: () => undefined,
    },
    names: new AdoptedNames(folder, log),
    budget: new AttemptBudget(1000, 1000, Date.now),
    now: Date.now,
    random: Math.random,
  }).follow(stop.signal);
  t.after(async () => {
    stop.abort();
    await camera.close();
    rmSync(folder, { recursive: true });
  });
  const see = () =>
    registry.see({
      via: 'ws-discovery',
      key: 'urn:uuid:1',
      addresses: ['127.0.0.1'],
      endpointReference: 'urn:uuid:1',
      xaddrs: [`http://127.0.0.1:${new URL(camera.xaddr).port}/onvif/device_service`],
    });
  const found = () => [...board.found.values()][0];
  return { camera, registry, see, found, added };
}

test('found, logged into with the second of two passwords, named from model and serial', async (t) => {
  const { see, found, added, camera } = await setUp(t, {
    yaml: 'credentials: [ { username: admin, password: wrong }, { username: admin, password: right } ]',
  });
  see();
  await until(() => added.length > 0);
  assert.equal(added[0]?.name, 'dome-4-ac0042');
  assert.equal(found()?.adoptedAs, 'dome-4-ac0042');
  assert.equal(found()?.manufacturer, 'Acme');
  assert.equal(camera.refusals, 1);
});

test('a wrong password: listed with what to do, and never more than three refusals', async (t) => {
  const { see, found, added, camera } = await setUp(t, {
    yaml: 'credentials: [ { username: admin, password: w1 }, { username: admin, password: w2 }, { username: admin, password: w3 }, { username: admin, password: w4 } ]',
  });
  see();
  await until(() => found()?.needsPassword === true);
  see();
  assert.equal(added.length, 0);
  assert.equal(camera.refusals, 3);
  assert.match(found()?.reason ?? '', /refused the login.*discovery\.credentials/);
  assert.ok(!/w1|w4/.test(JSON.stringify(found())));
});

test('on another network than this box: heard, not reached, with what to do', async (t) => {
  const { registry, found } = await setUp(t);
  registry.see({
    via: 'ws-discovery',
    key: 'urn:uuid:2',
    // Whoever connects there connects to himself, and no network is that.
    addresses: ['0.0.0.0'],
    endpointReference: 'urn:uuid:2',
    xaddrs: ['http://0.0.0.0:9/onvif/device_service'],
  });
  await until(() => found()?.reason !== undefined);
  assert.match(
    found()?.reason ?? '',
    /nothing listens there.* is on none of this machine's networks/,
  );
});

test('no password configured: asks for one', async (t) => {
  const { see, found } = await setUp(t);
  see();
  await until(() => found()?.needsPassword === true);
  assert.match(found()?.reason ?? '', /none is configured/);
});

test('adopt: ask lists it and waits', async (t) => {
  const { see, found, added, camera } = await setUp(t, { yaml: 'adopt: ask' });
  see();
  assert.match(found()?.reason ?? '', /discovery\.adopt is ask/);
  assert.equal(added.length, 0);
  assert.deepEqual(camera.requests, []);
});

test('a camera that is configured already is not adopted a second time', async (t) => {
  const { see, found, added } = await setUp(t, { configuredHost: '127.0.0.1' });
  see();
  assert.equal(found()?.adoptedAs, 'front');
  assert.equal(added.length, 0);
});
