/**
 * Discovery on the real ports in networks of its own: cameras in a namespace at the other end of a cable, behind a
 * router, on interfaces that come and go; Avahi as on any Linux box. The programs are in discovery-scenarios.ts.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import { findMdnsPackage } from '../../drivers/discovery/mdns-avahi.ts';
import type { Finding } from '../../gateway/finding.ts';
import type { CommandData } from '../../gateway/report/command-data.ts';
import type { FoundDevice } from '../../gateway/report/status.ts';
import { PayloadSchemas } from '../support/payload-schemas.ts';
import { runScenario } from '../support/scenario.ts';

const canUnshare = spawnSync('unshare', ['--net', '--mount', 'true']).status === 0;
const needsRoot = canUnshare ? false : 'needs root, for network namespaces of its own';
const PROGRAM = fileURLToPath(new URL('./discovery-scenarios.js', import.meta.url));
/** `mdns`, the optional npm package, wherever the developer put it. */
const MDNS_PACKAGE = process.env['MDNS_PACKAGE'] ?? findMdnsPackage();
const needsMdns =
  MDNS_PACKAGE === undefined ? 'needs the package mdns, which does not compile here' : false;
const LIMIT_MS = 90_000;

const FIRST = '4cbd8f000001';
const SECOND = '4cbd8f000002';

/** Namespaces, mounts and processes of a scenario end with it. What it prints last is JSON. */
function run<Result>(scenario: string): Promise<Result> {
  return runScenario<Result>({
    program: PROGRAM,
    args: [scenario],
    setUp: ['mount -t tmpfs none /run', 'mkdir /run/netns'],
    namespaces: ['--mount', '--mount-proc'],
    env: { ...process.env, ...(MDNS_PACKAGE === undefined ? {} : { MDNS_PACKAGE }) },
    limitMs: LIMIT_MS,
  });
}

interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('discovery', { concurrency: true, skip: needsRoot }, () => {
  it('follows a camera that moves, with a word or without; frees addresses; notices who vanishes', async () => {
    const { silentlyMs, helloMs, slow, fast } = await run<{
      silentlyMs: number;
      helloMs: number;
      slow: string[];
      fast: string[];
    }>('moving');
    assert.ok(silentlyMs < 6000, `${silentlyMs}`);
    assert.ok(helloMs < 3000, `${helloMs}`);
    const moves = slow.filter((event, i) => event !== slow[i - 1]);
    assert.deepEqual(moves.slice(0, 3), [
      `found ${FIRST} 10.77.0.2`,
      `changed ${FIRST} 10.77.0.3`,
      `changed ${FIRST} 10.77.0.4`,
    ]);
    // Its address of before is another camera's by now; that one said goodbye.
    assert.ok(slow.includes(`found ${SECOND} 10.77.0.3`), slow.join());
    assert.equal(slow.at(-1), `gone ${SECOND} 10.77.0.3`);
    assert.ok(fast.includes(`gone ${FIRST} 10.77.0.4`), fast.join());
  });

  it('speaks on interfaces that come late, have no IPv4, flap, change their address, are made anew', async () => {
    const { lateMs, remadeMs, events } = await run<{
      lateMs: number;
      remadeMs: number;
      events: string[];
    }>('interfaces');
    assert.ok(lateMs < 6000 && remadeMs < 6000, `${lateMs}, ${remadeMs}`);
    assert.deepEqual(events, [
      `found ${FIRST} 10.77.0.2`,
      `found ${SECOND} 10.78.0.2`,
      `gone ${FIRST} 10.77.0.2`,
      `found ${FIRST} 10.77.0.2`,
      `changed ${FIRST} 10.77.0.5`,
    ]);
  });

  /** R28, R29: agsh#330, python-onvif#7, tiscamera#38. */
  it('asks hosts behind a router, scans their network, and tells who is on another one', async () => {
    const { hosts, scan, table, stopped } = await run<{
      hosts: DiscoveredDevice[];
      scan: CliResult;
      table: CliResult;
      stopped: CliResult;
    }>('router');
    const [answering, mute] = hosts;
    assert.deepEqual([answering?.via, answering?.answered], [['ws-discovery'], true]);
    // By name, and by HTTP, for it does not answer WS-Discovery.
    assert.deepEqual([mute?.via, mute?.answered], [['host'], true]);

    assert.equal(scan.code, 0, scan.stderr);
    const found = JSON.parse(scan.stdout) as (DiscoveredDevice & Finding)[];
    const byAddress = new Map(found.map((device) => [device.addresses[0], device]));
    assert.deepEqual([...byAddress.keys()].sort(), [
      '10.88.0.2',
      '10.88.0.3',
      '10.88.0.4',
      '192.168.99.5',
    ]);
    assert.equal(byAddress.get('10.88.0.2')?.id, FIRST);
    assert.equal(byAddress.get('10.88.0.3')?.source, 'onvif://10.88.0.3');
    assert.equal(byAddress.get('10.88.0.4')?.source, 'rtsp://10.88.0.4:554/');
    assert.match(byAddress.get('10.88.0.4')?.reason ?? '', /path/);
    assert.equal(byAddress.get('192.168.99.5')?.code, 'other-network');

    assert.equal(table.code, 0);
    const [titles, row, note, ...more] = table.stdout.trim().split('\n');
    assert.match(titles ?? '', /^ID +ADDRESS +MAKE +MODEL +SEEN BY +CODE +SOURCE$/);
    assert.match(
      row ?? '',
      /^4cbd8f000002 +192\.168\.99\.5 +- +VC-1 +ws-discovery +other-network +onvif:/,
    );
    assert.match(
      note ?? '',
      /^4cbd8f000002: 192\.168\.99\.5 is on none of this machine's networks/,
    );
    assert.deepEqual(more, []);

    // Ctrl-C: what was found until then.
    assert.equal(stopped.code, 1);
    assert.match(
      stopped.stderr,
      /^sluice discover: stopped after \d+ of 254 addresses of 10\.88\.0\.0\/24\n$/,
    );
    assert.ok((JSON.parse(stopped.stdout) as object[]).length >= 1);
  });

  it('finds the same by mDNS with both backends, and outlives the end of Avahi’s', {
    skip: needsMdns,
  }, async () => {
    const { found, hasChild, gone, moved, back, after } = await run<{
      found: DiscoveredDevice[][];
      hasChild: number;
      gone: boolean[];
      moved: string[][];
      back: boolean[];
      after: string[][];
    }>('mdns');
    const [js, avahi, auto] = found;
    assert.deepEqual(avahi, js);
    assert.deepEqual(auto, js);
    assert.deepEqual(
      js?.map(({ id, xaddrs, rtspUrls, sourceUrls }) => [
        id,
        ...xaddrs,
        ...rtspUrls,
        ...sourceUrls,
      ]),
      [
        [
          'accc8e000003',
          'http://10.77.0.23:80/onvif/device_service',
          'rtsp://10.77.0.23:554/axis-media/media.amp',
        ],
        ['dome', 'http://10.77.0.22:8080/onvif/device_service'],
        ['rack', 'tcp://10.77.0.24:5001', 'udp://@239.1.1.1:5000'],
        ['studio', 'http://10.77.0.25:8081/live.ts'],
        ['yard', 'rtsp://10.77.0.21:8554/main'],
      ],
    );
    assert.equal(hasChild, 2, 'avahi and auto have a child each');
    assert.deepEqual(gone, [true, true, true], 'after the goodbye');
    const url = 'rtsp://10.77.0.31:8554/main';
    assert.deepEqual(moved, [[url], [url], [url]]);
    assert.deepEqual(back, [true, true, true], 'after the children were killed, too');
    // Nobody else came or went by it.
    for (const events of after) assert.deepEqual(events, ['found accc8e000003 10.77.0.23']);
  });

  it('nothing answers: says so and where to look', async () => {
    const { code, stdout } = await run<CliResult>('nothing');
    assert.equal(code, 0);
    assert.match(stdout, /^No camera answered/);
    assert.match(stdout, /--scan 10\.0\.0\.0\/24/);
  });

  it('the gateway’s stream goes where its camera went, within seconds', async () => {
    const { online, outOfReach, found, reply, movedMs, moved } = await run<{
      online: { name: string };
      outOfReach: FoundDevice;
      found: FoundDevice;
      reply: { id: number; ok: boolean; data: CommandData['discover'] };
      movedMs: number;
      moved: FoundDevice;
    }>('gateway');
    assert.equal(online.name, 'vc-1-move1');
    assert.match(outOfReach.reason ?? '', /192\.168\.99\.5 is on none of this machine's networks/);
    assert.equal(found.reason, outOfReach.reason, 'over MQTT the same');
    assert.deepEqual([reply.id, reply.ok], [7, true]);
    assert.equal((await PayloadSchemas.read()).problem('res-discover', reply), undefined);
    // Of /29 our own address is left out.
    const { network, asked, addresses, isDone } = reply.data.scan ?? {};
    assert.deepEqual([network, asked, addresses, isDone], ['10.77.0.0/29', 5, 5, true]);
    assert.deepEqual(reply.data.devices.map(({ id }) => id).sort(), [FIRST, SECOND]);
    assert.ok(movedMs < 12_000, `${movedMs}`);
    assert.equal(moved.adoptedAs, 'vc-1-move1');
    assert.equal(moved.addresses[0], '10.77.0.3');
  });

  it('an encoder that announces its MPEG-TS by mDNS is there with no configuration', async () => {
    const { online, onlineMs, devices } = await run<{
      online: { name: string; info: { source: string } };
      onlineMs: number;
      devices: FoundDevice[];
    }>('encoder');
    assert.match(online.info.source, /^udp:\/\/@?239\.1\.1\.1:5000$/);
    assert.equal(online.name, 'r7-rack7001');
    assert.ok(onlineMs < 20_000, `${onlineMs}`);
    const [device] = devices;
    assert.deepEqual([device?.via, device?.adoptedAs], [['mdns'], 'r7-rack7001']);
  });
});
