/**
 * Discovery on the real ports in a network of its own: a namespace with an interface where a virtual
 * camera answers WS-Discovery and Avahi, as on any Linux box, holds port 5353 and announces another one.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import { findMdnsPackage } from '../../drivers/discovery/mdns-avahi.ts';

const canUnshare = spawnSync('unshare', ['--net', '--mount', 'true']).status === 0;
const needsRoot = canUnshare ? false : 'needs root, for a network namespace of its own';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** `mdns`, the optional npm package, wherever the developer put it. */
const MDNS_PACKAGE = process.env['MDNS_PACKAGE'] ?? findMdnsPackage();

const AVAHI_CONF = `[server]
host-name=yard-cam
use-ipv6=no
allow-interfaces=cam0
[publish]
publish-hinfo=no
publish-workstation=no
`;
const AVAHI_SERVICE = `<?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>Yard Encoder</name><service><type>_rtsp._tcp</type><port>8554</port><txt-record>path=/main</txt-record></service></service-group>
`;

/** Runs `body` (an ES module) where cam0 is 10.77.0.1 and 10.77.0.2, Avahi up unless told otherwise; what it prints last is JSON. */
async function inNamespace(body: string, hasAvahi = true): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'discovery-'));
  try {
    writeFileSync(join(folder, 'avahi.conf'), AVAHI_CONF);
    writeFileSync(join(folder, 'yard.service'), AVAHI_SERVICE);
    writeFileSync(join(folder, 'body.mjs'), body);
    const script = `
      set -e
      mount -t tmpfs none /run
      mkdir -p /run/dbus /run/avahi-daemon
      chown avahi:avahi /run/avahi-daemon
      mount -t tmpfs none /etc/avahi/services
      cp ${folder}/yard.service /etc/avahi/services/
      ip link set lo up
      ip link add cam0 type veth peer name far0
      ip link set far0 up
      ip addr add 10.77.0.1/24 dev cam0
      ip addr add 10.77.0.2/24 dev cam0
      ip link set cam0 up multicast on
      ${hasAvahi ? `dbus-daemon --system --nopidfile --fork; avahi-daemon -D -f ${folder}/avahi.conf` : ''}
      exec ${process.execPath} ${folder}/body.mjs`;
    const child = spawn(
      'unshare',
      ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    clearTimeout(limit);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CAMERA = `
  import { pino } from '${ROOT}../node_modules/pino/pino.js';
  import { Discovery } from '${ROOT}drivers/discovery/discovery.js';
  import { discover } from '${ROOT}gateway/cli/discover.js';
  import { VirtualOnvif } from '${ROOT}test/support/virtual-onvif.js';
  const options = { rtspUrl: 'rtsp://10.77.0.2/x', address: '10.77.0.2', wsDiscoveryPort: 3702, mac: '4c:bd:8f:00:00:01' };
`;

test('discover lists a camera by WS-Discovery and an encoder announced by Avahi', {
  skip: needsRoot,
}, async () => {
  const devices = (await inNamespace(`${CAMERA}
    const camera = await VirtualOnvif.start(options);
    let text = '';
    const write = process.stdout.write;
    process.stdout.write = (chunk) => { text += chunk; return true; };
    await discover(['--json', '--timeout-ms', '4000']);
    process.stdout.write = write;
    console.log(JSON.stringify(JSON.parse(text)));
    process.exit();
  `)) as DiscoveredDevice[];
  const camera = devices.find((device) => device.id === '4cbd8f000001');
  assert.ok(camera?.via.includes('ws-discovery'), JSON.stringify(devices));
  assert.ok(camera?.addresses.includes('10.77.0.2'));
  const rtspUrls = devices.flatMap((device) => device.rtspUrls);
  assert.ok(
    rtspUrls.some((url) => /^rtsp:\/\/10\.77\.0\.[12]:8554\/main$/.test(url)),
    JSON.stringify(devices),
  );
});

test('nothing answers: says so and where to look', { skip: needsRoot }, async () => {
  const text = await inNamespace(
    `${CAMERA}
    let text = '';
    const write = process.stdout.write;
    process.stdout.write = (chunk) => { text += chunk; return true; };
    const code = await discover(['--timeout-ms', '2000']);
    process.stdout.write = write;
    console.log(JSON.stringify(code + text));
    process.exit();
  `,
    false,
  );
  assert.match(String(text), /^0No camera answered/);
});

test('a camera that moves to another address, says goodbye, and an interface that appears', {
  skip: needsRoot,
}, async () => {
  const events = await inNamespace(`${CAMERA}
    import { execFileSync } from 'node:child_process';
    import { once } from 'node:events';
    const discovery = new Discovery(
      { onvif: true, mdns: false, mdnsBackend: 'js', intervalMs: 60000, interfaces: [] },
      { log: pino({ level: 'silent' }), now: Date.now },
    );
    const events = [];
    const note = (type) => (device) => events.push([type, device.id, device.addresses[0]].join(' '));
    discovery.on('found', note('found')).on('changed', note('changed')).on('gone', note('gone'));
    void discovery.run(AbortSignal.timeout(20000));
    const first = await VirtualOnvif.start(options);
    discovery.probeNow();
    await once(discovery, 'found');
    await first.close();
    const moved = await VirtualOnvif.start({ ...options, address: '10.77.0.1' });
    const changed = once(discovery, 'changed');
    await moved.hello();
    await changed;
    const gone = once(discovery, 'gone');
    await moved.bye();
    await gone;
    await moved.close();
    for (const command of ['link add late0 type veth peer name far1', 'link set far1 up', 'addr add 10.78.0.1/24 dev late0', 'link set late0 up multicast on']) {
      execFileSync('ip', command.split(' '));
    }
    const found = once(discovery, 'found');
    await VirtualOnvif.start({ ...options, address: '10.78.0.1', mac: '4c:bd:8f:00:00:02', endpointReference: 'urn:uuid:late' });
    await found;
    console.log(JSON.stringify(events));
    process.exit();
  `);
  assert.deepEqual(events, [
    'found 4cbd8f000001 10.77.0.2',
    'changed 4cbd8f000001 10.77.0.1',
    'gone 4cbd8f000001 10.77.0.1',
    'found 4cbd8f000002 10.78.0.1',
  ]);
});

if (MDNS_PACKAGE !== undefined) {
  test('the Avahi backend finds what Avahi knows', { skip: needsRoot }, async () => {
    const device = (await inNamespace(`${CAMERA}
      import { once } from 'node:events';
      const discovery = new Discovery(
        { onvif: false, mdns: true, mdnsBackend: 'avahi', intervalMs: 60000, interfaces: [] },
        { log: pino({ level: 'warn' }), now: Date.now },
        { findMdnsPackage: () => '${MDNS_PACKAGE}' },
      );
      void discovery.run(AbortSignal.timeout(20000));
      const [device] = await once(discovery, 'found');
      console.log(JSON.stringify(device));
      process.exit();
    `)) as DiscoveredDevice;
    assert.equal(device.name, 'Yard Encoder');
    assert.match(device.rtspUrls[0] ?? '', /^rtsp:\/\/10\.77\.0\.[12]:8554\/main$/);
  });
}
