/** Hosts that are asked one by one; who answers a WS-Discovery probe is the test's to say. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { DeviceRegistry } from '../../../drivers/discovery/device-registry.ts';
import { KnownHosts } from '../../../drivers/discovery/known-hosts.ts';
import { until } from '../../support/until.ts';
import { VirtualOnvif } from '../../support/virtual-onvif.ts';

const within = () => ({ signal: AbortSignal.timeout(9000) });
const EPR = 'urn:uuid:11111111-2222-4333-8444-555555555555';

interface SetUp {
  readonly hosts?: readonly string[];
  readonly intervalMs?: number;
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** Addresses that answer WS-Discovery. */
  readonly answering?: ReadonlySet<string>;
}

function setUp(t: TestContext, options: SetUp = {}) {
  const { hosts = [], intervalMs = 60_000, answering = new Set() } = options;
  const probed: string[] = [];
  const elapsedMs = () => performance.now();
  const registry = new DeviceRegistry({ now: Date.now, elapsedMs });
  const hear = (address: string) =>
    registry.see({
      ...{ via: 'ws-discovery', key: address, addresses: [address], answered: true },
      endpointReference: `urn:uuid:of-${address}`,
    });
  const known = new KnownHosts(
    {
      ...{ hosts, intervalMs, elapsedMs },
      probe: (address) => {
        probed.push(address);
        if (answering.has(address)) setImmediate(hear, address);
      },
      resolve: options.resolve ?? (async () => []),
    },
    registry,
  );
  const stop = new AbortController();
  const done = known.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await done;
  });
  return { registry, known, probed, hear };
}

test('hosts of the configuration: addresses and names, looked up anew in each round', async (t) => {
  const answers = [['10.9.0.2'], ['10.9.0.3', '10.9.0.2']];
  const { registry, known, probed } = setUp(t, {
    hosts: ['10.9.0.1', 'camera.example', 'fd00::7'],
    resolve: async () => answers.shift() ?? [],
    answering: new Set(['10.9.0.2', '10.9.0.3']),
  });
  const [first] = await once(registry, 'found', within());
  assert.deepEqual(first.addresses, ['10.9.0.2']);
  assert.equal(first.answered, true);
  await until(() => probed.includes('fd00::7'));
  known.probeNow();
  const [second] = await once(registry, 'found', within());
  assert.deepEqual(second.addresses, ['10.9.0.3']);
  assert.equal(probed.filter((address) => address === '10.9.0.1').length, 2);
});

test('a name that nobody knows, or that takes for ever, does not keep the others waiting', async (t) => {
  const { registry } = setUp(t, {
    hosts: ['unknown.example', 'slow.example', '10.9.0.1'],
    resolve: (host) =>
      host === 'slow.example' ? new Promise(() => undefined) : Promise.resolve([]),
    answering: new Set(['10.9.0.1']),
  });
  await once(registry, 'found', within());
});

test('addresses that are remembered are asked at once; what is no address is passed over', async (t) => {
  const { registry, known, probed } = setUp(t, { answering: new Set(['10.9.0.1']) });
  known.remember(['10.9.0.1', 'no address', '', 'fe80::1%eth0', '10.9.0.1']);
  await once(registry, 'found', within());
  await until(() => probed.length === 2);
  assert.deepEqual(probed, ['10.9.0.1', 'fe80::1%eth0']);
});

test('no answer to WS-Discovery: ONVIF is asked by HTTP, at the port where it was before', async (t) => {
  const camera = await VirtualOnvif.start({ rtspUrl: 'rtsp://127.0.0.1/x', address: '127.0.0.77' });
  t.after(() => camera.close());
  const { registry, known } = setUp(t);
  registry.see({
    ...{ via: 'ws-discovery', key: EPR, addresses: ['127.0.0.77'], endpointReference: EPR },
    xaddrs: [`http://192.168.77.77:${camera.port}/onvif/device_service`],
  });
  const changed = once(registry, 'changed', within());
  known.remember(['127.0.0.77']);
  const [device] = await changed;
  assert.deepEqual(device.via, ['host', 'ws-discovery']);
  assert.equal(device.answered, true);
  assert.ok(device.xaddrs.includes(camera.xaddr), String(device.xaddrs));
  assert.equal(registry.devices.length, 1);
});

test('who has been silent for a round is asked alone; for four, is gone, and comes back', async (t) => {
  const answering = new Set<string>();
  const { registry, probed, hear } = setUp(t, { intervalMs: 300, answering });
  // From the beginning: on a busy machine the rounds that remain may pass before we look.
  const goes = once(registry, 'gone', within());
  hear('10.9.0.1');
  await until(() => probed.includes('10.9.0.1'));
  const [gone] = await goes;
  assert.deepEqual(gone.addresses, ['10.9.0.1']);
  answering.add('10.9.0.1');
  const [back] = await once(registry, 'found', within());
  assert.equal(back.id, gone.id);
});
