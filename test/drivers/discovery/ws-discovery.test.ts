/** Real datagrams over the loopback interface: multicast works there when the interface is chosen. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type Logger, pino } from 'pino';
import { DeviceRegistry } from '../../../drivers/discovery/device-registry.ts';
import type { LocalInterface } from '../../../drivers/discovery/interfaces.ts';
import { WsDiscovery } from '../../../drivers/discovery/ws-discovery.ts';
import { parseWsDiscoveryMessage } from '../../../protocols/ws-discovery/message.ts';
import { HIKVISION } from '../../protocols/ws-discovery/datagrams.ts';
import { until } from '../../support/until.ts';
import { VirtualOnvif, type VirtualOnvifOptions } from '../../support/virtual-onvif.ts';

const LOOPBACK: LocalInterface = { name: 'lo', family: 'IPv4', address: '127.0.0.1', key: 'lo' };
const SECOND: LocalInterface = { name: 'lo', family: 'IPv4', address: '127.0.0.2', key: 'lo2' };
const silent = pino({ level: 'silent' });

async function startCamera(t: TestContext, options: Partial<VirtualOnvifOptions> = {}) {
  const camera = await VirtualOnvif.start({
    rtspUrl: 'rtsp://127.0.0.1:554/main',
    wsDiscoveryPort: 0,
    ...options,
  });
  t.after(() => camera.close());
  return camera;
}

/** Runs until the test ends. */
function startDiscovery(
  t: TestContext,
  port: number,
  interfaces: LocalInterface[] = [LOOPBACK],
  intervalMs = 60_000,
  isHeard: (address: string) => boolean = () => true,
  elapsedMs: () => number = () => performance.now(),
  log: Logger = silent,
) {
  const registry = new DeviceRegistry({ now: Date.now, elapsedMs: () => performance.now() });
  const discovery = new WsDiscovery(
    { intervalMs, port, listInterfaces: () => interfaces, isHeard, elapsedMs },
    registry,
    log,
  );
  const stop = new AbortController();
  const done = discovery.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await done;
  });
  return { registry, discovery, stop, done };
}

const within = (ms = 5000) => ({ signal: AbortSignal.timeout(ms) });

test('a camera answers a probe and is listed with the address its packet came from', async (t) => {
  const camera = await startCamera(t, {
    advertisedHost: '192.168.77.77',
    mac: '4c:bd:8f:00:00:01',
  });
  const { registry } = startDiscovery(t, camera.wsDiscoveryPort);
  const [device] = await once(registry, 'found', within());
  assert.deepEqual(device.addresses, ['127.0.0.1']);
  assert.deepEqual(device.xaddrs, [`http://192.168.77.77:${camera.port}/onvif/device_service`]);
  assert.equal(device.id, '4cbd8f000001');
  assert.equal(device.model, 'VC-1');
  assert.equal(device.name, 'Virtual camera');
});

/** HA#132780: 16 answered, 2 were shown. */
test('every match of one datagram is listed', async (t) => {
  const siblings = ['urn:uuid:sibling-1', 'urn:uuid:sibling-2'];
  const camera = await startCamera(t, { siblings });
  const { registry } = startDiscovery(t, camera.wsDiscoveryPort);
  while (registry.devices.length < 3) await once(registry, 'found', within());
  assert.deepEqual(
    registry.devices.map((device) => device.endpointReference).sort(),
    [camera.endpointReference.slice('urn:uuid:'.length), 'sibling-1', 'sibling-2'].sort(),
  );
});

/** agsh#330; openhab-addons#9023; node-onvif#28, #41; OnvifDeviceManager#6; device-onvif-camera#134. */
test('three rounds of three probes each on every interface, then one round per interval', async (t) => {
  const camera = await startCamera(t);
  const { discovery, registry } = startDiscovery(t, camera.wsDiscoveryPort, [LOOPBACK, SECOND]);
  await once(registry, 'found', within());
  await until(() => discovery.stats.probesSent >= 18);
  assert.equal(discovery.stats.probesSent, 18);
  assert.equal(discovery.stats.unrelated, 0);
  discovery.probeNow();
  await until(() => discovery.stats.probesSent >= 36);
});

test('hello and bye are heard without a probe', async (t) => {
  const camera = await startCamera(t);
  const { registry } = startDiscovery(t, camera.wsDiscoveryPort);
  await once(registry, 'found', within());
  const gone = once(registry, 'gone', within());
  await camera.bye();
  assert.equal((await gone)[0].gone, true);
  const back = once(registry, 'found', within());
  await camera.hello();
  assert.equal((await back)[0].gone, false);
});

test('a hello without XAddrs makes it ask for them', async (t) => {
  const camera = await startCamera(t);
  const { registry, discovery } = startDiscovery(t, camera.wsDiscoveryPort);
  await once(registry, 'found', within());
  const gone = once(registry, 'gone', within());
  await camera.bye();
  await gone;
  const before = discovery.stats.probesSent;
  await camera.hello(false);
  await until(() => discovery.stats.probesSent > before);
});

test('junk is counted and changes nothing', async (t) => {
  const camera = await startCamera(t);
  const { registry, discovery } = startDiscovery(t, camera.wsDiscoveryPort);
  await once(registry, 'found', within());
  const junk = [
    '',
    '\0\0\0',
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n',
    '<!DOCTYPE a [<!ENTITY b "c">]><Envelope><Body><Hello>&b;</Hello></Body></Envelope>',
    '<a>'.repeat(10_000),
    new Uint8Array(9000).fill(0xff),
  ];
  const before = discovery.stats.junk;
  for (const datagram of junk) await camera.sendDatagram(datagram);
  await until(() => discovery.stats.junk >= before + junk.length);
  assert.equal(registry.devices.length, 1);
});

test('an interface that comes later is probed; one that goes, or cannot be used, disturbs nothing', async (t) => {
  const camera = await startCamera(t);
  const unusable: LocalInterface[] = [
    { name: 'gone0', family: 'IPv4', address: '203.0.113.7', key: 'gone0' },
    { name: 'gone1', family: 'IPv6', address: 'fe80::1', key: 'gone1' },
  ];
  const interfaces = [...unusable];
  const { registry, discovery } = startDiscovery(t, camera.wsDiscoveryPort, interfaces);
  await until(() => discovery.stats.sendErrors > 0);
  assert.equal(registry.devices.length, 0);
  interfaces.splice(0, 2, LOOPBACK);
  discovery.probeNow();
  await once(registry, 'found', within());
  interfaces.length = 0;
  discovery.probeNow();
});

test('stops at once when told, even in the middle of a burst, and leaves nothing open', async (t) => {
  const camera = await startCamera(t);
  const { stop, done } = startDiscovery(t, camera.wsDiscoveryPort);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const started = performance.now();
  stop.abort();
  await done;
  // The burst would go on for more than a second.
  assert.ok(performance.now() - started < 1000);
});

test('a flood: not listened to for five seconds, and then everything is as before', async (t) => {
  const camera = await startCamera(t);
  // A second lasts as long as this machine needs to send and hear a flood.
  let nowMs = 1000;
  const heard = () => true;
  const clock = () => nowMs;
  const told: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void told.push(line) });
  const port = camera.wsDiscoveryPort;
  const { registry, discovery } = startDiscovery(t, port, [LOOPBACK], 60_000, heard, clock, log);
  await once(registry, 'found', within());
  // Sending is synchronous: what comes is read in between only.
  const flood = async (count: number) => {
    for (let i = 0; i < count; i += 1) await camera.sendDatagram('<junk/>');
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  while (told.length === 0) await flood(200);
  assert.ok(discovery.stats.dropped > 3000, `${discovery.stats.dropped}`);
  nowMs += 4999;
  discovery.probeNow();
  const before = discovery.stats.datagrams;
  await flood(20);
  assert.equal(discovery.stats.datagrams, before, 'before five seconds are over');
  assert.match(told.join(), /a flood of datagrams; not listening/);
  registry.lose('ws-discovery', camera.endpointReference.replace('urn:uuid:', ''));
  nowMs += 1;
  await once(registry, 'found', within(12_000));
});

/** A camera that answers only the probes that `wants` says. */
async function startPicky(t: TestContext, wants: (types: readonly string[]) => boolean) {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  t.after(() => socket.close());
  socket.bind(0, '0.0.0.0');
  await once(socket, 'listening');
  socket.addMembership('239.255.255.250', '127.0.0.1');
  socket.on('message', (bytes, from) => {
    const probe = parseWsDiscoveryMessage(bytes);
    if (probe.kind !== 'probe' || !wants(probe.types)) return;
    const relatesTo = `<RelatesTo>${probe.messageId}</RelatesTo>`;
    const answer = HIKVISION.replace(/<wsadis:RelatesTo>.*?<\/wsadis:RelatesTo>/, relatesTo);
    socket.send(answer, from.port, from.address);
  });
  return socket.address().port;
}

const PICKY: readonly [string, (types: readonly string[]) => boolean][] = [
  ['NetworkVideoTransmitter', (types) => types.includes('NetworkVideoTransmitter')],
  ['Device', (types) => types.includes('Device')],
  ['no type', (types) => types.length === 0],
];
for (const [name, wants] of PICKY) {
  test(`a camera that answers probes for ${name} only`, async (t) => {
    const { registry, discovery } = startDiscovery(t, await startPicky(t, wants));
    const [device] = await once(registry, 'found', within());
    assert.equal(device.mac, '4cbd8f000001');
    assert.equal(device.answered, false);
    assert.equal(discovery.stats.unrelated, 0);
  });
}

test('a host that is asked alone: there is a way to it', async (t) => {
  const port = await startPicky(t, () => true);
  const { registry, discovery } = startDiscovery(t, port, []);
  discovery.probeHost('127.0.0.1');
  const [device] = await once(registry, 'found', within());
  assert.deepEqual([device.answered, device.addresses], [true, ['127.0.0.1']]);
});

test('another address that answers for the one that was asked: not known whether there is a way to that', async (t) => {
  const port = await startPicky(t, () => true);
  const { registry, discovery } = startDiscovery(t, port, []);
  // The kernel answers for all of 127.0.0.0/8, from the address that was asked; the camera from its own.
  discovery.probeHost('127.0.0.9');
  const [device] = await once(registry, 'found', within());
  assert.deepEqual([device.answered, device.addresses], [false, ['127.0.0.1']]);
});

test('a hello from where we do not speak is not heard; an answer is', async (t) => {
  const camera = await startCamera(t);
  const { registry, discovery } = startDiscovery(
    t,
    camera.wsDiscoveryPort,
    [LOOPBACK],
    60_000,
    () => false,
  );
  await once(registry, 'found', within());
  registry.on('gone', () => assert.fail('it heard the bye'));
  await camera.bye();
  // A round is three probes, which we hear, too, and three answers.
  const afterTwoRounds = discovery.stats.datagrams + 12;
  discovery.probeNow();
  await until(() => discovery.stats.datagrams > afterTwoRounds);
});
