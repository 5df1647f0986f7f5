import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Discovery, discoverOnce } from '../../../drivers/discovery/discovery.ts';
import type { LocalInterface } from '../../../drivers/discovery/interfaces.ts';
import { VirtualOnvif } from '../../support/virtual-onvif.ts';

const LOOPBACK: LocalInterface = { name: 'lo', family: 'IPv4', address: '127.0.0.1', key: 'lo' };
const log = pino({ level: 'silent' });

test('discoverOnce lists what answered in time, and tells while it looks', async (t) => {
  const camera = await VirtualOnvif.start({ rtspUrl: 'rtsp://127.0.0.1/x', wsDiscoveryPort: 0 });
  t.after(() => camera.close());
  const counts: number[] = [];
  const devices = await discoverOnce({
    timeoutMs: 1000,
    interfaces: [],
    log,
    network: {
      wsDiscoveryPort: camera.wsDiscoveryPort,
      mdnsPort: camera.port,
      listInterfaces: () => [LOOPBACK],
    },
    onDevices: (list) => counts.push(list.length),
  });
  assert.equal(devices.length, 1);
  assert.deepEqual(devices[0]?.via, ['ws-discovery']);
  assert.equal(counts[0], 1);
});

test('what a login teaches reaches the listeners', async (t) => {
  const camera = await VirtualOnvif.start({ rtspUrl: 'rtsp://127.0.0.1/x', wsDiscoveryPort: 0 });
  t.after(() => camera.close());
  const discovery = new Discovery(
    { onvif: true, mdns: false, mdnsBackend: 'js', intervalMs: 60_000, interfaces: [] },
    { log, now: Date.now },
    { wsDiscoveryPort: camera.wsDiscoveryPort, listInterfaces: () => [LOOPBACK] },
  );
  const events: string[] = [];
  const stop = new AbortController();
  discovery.on('found', (device) => {
    events.push('found');
    discovery.learn(device.id, { manufacturer: 'Virtual', serial: 'VC0001' });
  });
  discovery.on('changed', (device) => {
    events.push(`changed ${device.serial}`);
    assert.deepEqual(discovery.device(device.id), device);
    stop.abort();
  });
  await discovery.run(AbortSignal.any([stop.signal, AbortSignal.timeout(5000)]));
  assert.deepEqual(events, ['found', 'changed VC0001']);
});

test('everything switched off: waits until told to stop', async () => {
  const discovery = new Discovery(
    { onvif: false, mdns: false, mdnsBackend: 'js', intervalMs: 60_000, interfaces: [] },
    { log, now: Date.now },
  );
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  await discovery.run(stop.signal);
  await discovery.run(AbortSignal.abort());
  discovery.probeNow();
  assert.deepEqual(discovery.devices, []);
});
