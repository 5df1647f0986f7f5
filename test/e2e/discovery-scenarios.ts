/**
 * What discovery.test.ts looks at, each as a program in networks of its own: it is root there, in a namespace where cam0
 * leads to the namespace `cam`, and nothing else is. Prints what it saw as one JSON line.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { DiscoveredDevice } from '../../drivers/discovery/device-registry.ts';
import { Discovery, type DiscoveryOptions } from '../../drivers/discovery/discovery.ts';
import { startGstCamera } from '../support/gst-camera.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { OnvifCameraProcess } from '../support/onvif-camera-process.ts';
import { until } from '../support/until.ts';

const WAIT_MS = 15_000;
const CLI = ['dist/gateway/main.js', 'discover'];
const FIRST = { mac: '4c:bd:8f:00:00:01', endpointReference: 'urn:uuid:first' };
const SECOND = { mac: '4c:bd:8f:00:00:02', endpointReference: 'urn:uuid:second' };

/** `ip` with the words of a sentence. */
function ip(sentence: string): void {
  execFileSync('ip', sentence.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A cable from `name` here to eth-`name` in the namespace. */
function cable(name: string, namespace: string): void {
  ip(`link add ${name} type veth peer name eth-${name} netns ${namespace}`);
  ip(`-n ${namespace} link set eth-${name} up`);
  ip(`link set ${name} up`);
}

function discover(options: Partial<DiscoveryOptions> = {}) {
  const discovery = new Discovery(
    { onvif: true, mdns: false, mdnsBackend: 'js', intervalMs: 60_000, interfaces: [], ...options },
    { log: pino({ level: 'silent' }), now: Date.now },
    { findMdnsPackage: () => process.env['MDNS_PACKAGE'] },
  );
  const events: string[] = [];
  const note = (type: string) => (device: DiscoveredDevice) =>
    events.push([type, device.id, device.addresses[0]].join(' '));
  discovery.on('found', note('found')).on('changed', note('changed')).on('gone', note('gone'));
  const running = discovery.run(new AbortController().signal);
  running.catch((error: unknown) => events.push(`failed ${error}`));
  const device = (id: string) => discovery.device(id);
  /** How long it takes. */
  const untilSeen = async (id: string, address: string): Promise<number> => {
    const sinceMs = performance.now();
    await until(() => {
      const found = device(id);
      return found?.gone === false && found.addresses[0] === address;
    }, WAIT_MS);
    return performance.now() - sinceMs;
  };
  return { discovery, events, device, untilSeen };
}

/** A camera that moves, with a word and without; another one takes its old address; one that vanishes. */
async function moving() {
  for (const last of [2, 3, 4]) ip(`-n cam addr add 10.77.0.${last}/24 dev eth-cam0`);
  const slow = discover();
  const fast = discover({ intervalMs: 1000 });
  const camera = new OnvifCameraProcess('cam');
  await camera.start({ ...FIRST, address: '10.77.0.2' });
  slow.discovery.probeNow();
  await slow.untilSeen('4cbd8f000001', '10.77.0.2');
  await camera.close();
  await camera.start({ ...FIRST, address: '10.77.0.3' });
  // As when its stream has failed.
  slow.discovery.searchFor('4cbd8f000001');
  const silentlyMs = await slow.untilSeen('4cbd8f000001', '10.77.0.3');
  await camera.close();
  await camera.start({ ...FIRST, address: '10.77.0.4' });
  const greeted = slow.untilSeen('4cbd8f000001', '10.77.0.4');
  await camera.hello();
  const helloMs = await greeted;
  const other = new OnvifCameraProcess('cam');
  await other.start({ ...SECOND, address: '10.77.0.3' });
  await other.hello();
  await slow.untilSeen('4cbd8f000002', '10.77.0.3');
  const isFreed = () => slow.device('4cbd8f000001')?.addresses.includes('10.77.0.3') === false;
  await until(isFreed, WAIT_MS);
  camera.kill();
  await until(() => fast.device('4cbd8f000001')?.gone === true, WAIT_MS);
  await other.bye();
  await until(() => slow.device('4cbd8f000002')?.gone === true, WAIT_MS);
  return { silentlyMs, helloMs, slow: slow.events, fast: fast.events };
}

/** Interfaces that come late, have no IPv4, flap, change their address, are made anew. */
async function interfaces() {
  ip('-n cam addr add 10.77.0.2/24 dev eth-cam0');
  const { discovery, events, untilSeen } = discover();
  const camera = new OnvifCameraProcess('cam');
  await camera.start({ ...FIRST, address: '10.77.0.2' });
  discovery.probeNow();
  await untilSeen('4cbd8f000001', '10.77.0.2');
  cable('bare0', 'cam');
  cable('late0', 'cam');
  ip('-n cam addr add 10.78.0.2/24 dev eth-late0');
  const late = new OnvifCameraProcess('cam');
  await late.start({ ...SECOND, address: '10.78.0.2' });
  // Only now: who is asked three times in the first two seconds must be there.
  ip('addr add 10.78.0.1/24 dev late0');
  const lateMs = await untilSeen('4cbd8f000002', '10.78.0.2');
  for (let i = 0; i < 5; i += 1) {
    ip('link set cam0 down');
    await sleep(50);
    ip('link set cam0 up');
    await sleep(50);
  }
  ip('addr del 10.77.0.1/24 dev cam0');
  ip('addr add 10.77.0.9/24 dev cam0');
  await asksFrom('10.77.0.9');
  // A camera that answers after its goodbye is there again: what is asked from a new address is asked three times in two seconds.
  await sleep(2500);
  await camera.bye();
  await until(() => events.at(-1) === 'gone 4cbd8f000001 10.77.0.2', WAIT_MS);
  await camera.hello();
  await untilSeen('4cbd8f000001', '10.77.0.2');
  await camera.close();
  ip('link add new0 type veth peer name eth-new0 netns cam');
  ip('-n cam link set eth-new0 up');
  ip('-n cam addr add 10.77.0.5/24 dev eth-new0');
  await camera.start({ ...FIRST, address: '10.77.0.5' });
  ip('link delete cam0');
  ip('link set new0 name cam0');
  ip('addr add 10.77.0.9/24 dev cam0');
  ip('link set cam0 up');
  const remadeMs = await untilSeen('4cbd8f000001', '10.77.0.5');
  return { lateMs, remadeMs, events };
}

/** Until discovery has noticed that it is ours: a socket is bound to it, as the kernel writes it on machines like these. */
async function asksFrom(address: string): Promise<void> {
  const bytes = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  const bound = ` ${bytes.toReversed().join('').toUpperCase()}:`;
  await until(() => readFileSync('/proc/net/udp', 'latin1').includes(bound), WAIT_MS);
}

/** Cameras behind a router; one beside it with an address of another network. */
async function router() {
  ip('netns add far');
  ip('-n cam link add out type veth peer name eth-far netns far');
  const forward = 'echo 1 > /proc/sys/net/ipv4/ip_forward';
  execFileSync('ip', ['netns', 'exec', 'cam', 'sh', '-c', forward]);
  ip('-n cam addr add 10.77.0.2/24 dev eth-cam0');
  ip('-n cam addr add 192.168.99.5/24 dev eth-cam0');
  ip('-n cam addr add 10.88.0.1/24 dev out');
  ip('-n cam link set out up');
  ip('-n far link set lo up');
  ip('-n far link set eth-far up');
  for (const last of [2, 3, 4]) ip(`-n far addr add 10.88.0.${last}/24 dev eth-far`);
  ip('-n far route add default via 10.88.0.1');
  ip('route add 10.88.0.0/24 via 10.77.0.2');
  const [answering, httpOnly, rtspOnly] = [1, 2, 3].map(() => new OnvifCameraProcess('far'));
  await answering?.start({ ...FIRST, address: '10.88.0.2' });
  await httpOnly?.startMute('10.88.0.3', 80);
  await rtspOnly?.startRtsp('10.88.0.4');
  const apart = new OnvifCameraProcess('cam');
  await apart.start({ ...SECOND, address: '192.168.99.5' });
  writeFileSync('/run/hosts', '127.0.0.1 localhost\n10.88.0.3 behind.example\n');
  execFileSync('mount', ['--bind', '/run/hosts', '/etc/hosts']);
  const { discovery } = discover({ hosts: ['10.88.0.2', 'behind.example', 'nobody.example'] });
  const by = (address: string) =>
    discovery.devices.find(({ addresses }) => addresses.includes(address));
  await until(() => by('10.88.0.2') !== undefined && by('10.88.0.3') !== undefined, WAIT_MS);
  const hosts = [by('10.88.0.2'), by('10.88.0.3')];
  const scan = await run([...CLI, '--json', '--timeout-ms', '2500', '--scan', '10.88.0.0/28']);
  const table = await run([...CLI, '--timeout-ms', '1500']);
  const stopped = await run([...CLI, '--json', '--scan', '10.88.0.0/24'], 1500);
  return { hosts, scan, table, stopped };
}

/** `sluice discover`, interrupted after so long. */
async function run(args: readonly string[], interruptMs?: number) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  if (interruptMs !== undefined) setTimeout(() => child.kill('SIGINT'), interruptMs);
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

const SERVICES: Readonly<Record<string, string>> = {
  rtsp: service('Yard Encoder', '_rtsp._tcp', 8554, 'yard.local', 'path=/main'),
  onvif: service('Dome', '_onvif._tcp', 8080, 'dome.local', 'path=/onvif/device_service'),
  axis: service(
    'AXIS P1448-LE - ACCC8E000003',
    '_axis-video._tcp',
    80,
    'axis-accc8e000003.local',
    'macaddress=ACCC8E000003',
  ),
  ts: service('Rack', '_mpegts._udp', 5000, 'rack.local', 'group=239.1.1.1'),
  tcp: service('Rack', '_mpegts._tcp', 5001, 'rack.local', 'model=R2'),
  vlc: service('Studio', '_vlc-http._tcp', 8081, 'studio.local', 'path=/live.ts'),
};
const HOSTS = `10.77.0.21 yard.local
10.77.0.22 dome.local
10.77.0.23 axis-accc8e000003.local
10.77.0.24 rack.local
10.77.0.25 studio.local
`;

function service(name: string, type: string, port: number, host: string, txt: string): string {
  return `<?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>${name}</name><service><type>${type}</type><host-name>${host}</host-name><port>${port}</port><txt-record>${txt}</txt-record></service></service-group>
`;
}

/** avahi-daemon with all of them. What it announces, both backends see; its end, and that of Avahi's child, ends nothing. */
async function mdns() {
  execFileSync('mount', ['-t', 'tmpfs', 'none', '/etc/avahi']);
  execFileSync('mkdir', ['-p', '/etc/avahi/services', '/run/dbus', '/run/avahi-daemon']);
  execFileSync('chown', ['avahi:avahi', '/run/avahi-daemon']);
  writeFileSync('/etc/avahi/hosts', HOSTS);
  writeFileSync(
    '/etc/avahi/avahi-daemon.conf',
    '[server]\nhost-name=box\nuse-ipv6=no\nallow-interfaces=cam0\n[publish]\npublish-hinfo=no\npublish-workstation=no\n',
  );
  for (const [file, text] of Object.entries(SERVICES)) {
    writeFileSync(`/etc/avahi/services/${file}.service`, text);
  }
  execFileSync('dbus-daemon', ['--system', '--nopidfile', '--fork']);
  execFileSync('avahi-daemon', ['-D']);
  const js = discover({ onvif: false, mdns: true, mdnsBackend: 'js' });
  const avahi = discover({ onvif: false, mdns: true, mdnsBackend: 'avahi' });
  const auto = discover({ onvif: false, mdns: true, mdnsBackend: 'auto' });
  const all = [js, avahi, auto];
  const lists = () => all.map(({ discovery }) => comparable(discovery.devices));
  const isFull = (list: readonly object[]) => list.length === 5;
  await until(
    () => lists().every(isFull) && new Set(lists().map(toText)).size === 1,
    WAIT_MS,
  ).catch(() => undefined);
  const found = lists();
  const hasChild = children().length;
  unlinkSync('/etc/avahi/services/axis.service');
  execFileSync('avahi-daemon', ['-r']);
  const isGone = ({ device }: typeof js) => device('accc8e000003')?.gone === true;
  await until(() => all.every(isGone), WAIT_MS).catch(() => undefined);
  const gone = all.map(isGone);
  writeFileSync('/etc/avahi/hosts', HOSTS.replace('10.77.0.21', '10.77.0.31'));
  execFileSync('avahi-daemon', ['-r']);
  // The js backend hears it; with Avahi the address is looked up anew, once in a minute or when asked.
  const isAt = ({ device }: typeof js) => device('yard')?.addresses[0] === '10.77.0.31';
  await until(() => isAt(js), WAIT_MS).catch(() => undefined);
  for (const { discovery } of [avahi, auto]) discovery.searchFor('yard');
  await until(() => all.every(isAt), WAIT_MS).catch(() => undefined);
  const moved = all.map(({ device }) => device('yard')?.rtspUrls);
  const before = all.map(({ events }) => events.length);
  for (let i = 0; i < 5; i += 1) {
    for (const pid of children()) process.kill(pid, 'SIGKILL');
    await sleep(100);
  }
  writeFileSync('/etc/avahi/services/axis.service', SERVICES['axis'] ?? '');
  execFileSync('avahi-daemon', ['-r']);
  const isBack = ({ device }: typeof js) => device('accc8e000003')?.gone === false;
  await until(() => all.every(isBack), WAIT_MS).catch(() => undefined);
  const back = all.map(isBack);
  const after = all.map(({ events }, i) => events.slice(before[i]));
  return { found, hasChild, gone, moved, back, after };
}

const PASSWORD = 'pl4nted-s3cret';
const LOGIN = { username: 'admin', password: PASSWORD };

/** The gateway's stream of a camera that comes back at another address and says nothing; and one out of reach. */
async function gateway() {
  ip('-n cam addr add 10.77.0.2/24 dev eth-cam0');
  ip('-n cam addr add 192.168.99.5/24 dev eth-cam0');
  const apart = new OnvifCameraProcess('cam');
  await apart.start({ ...SECOND, address: '192.168.99.5' });
  const device = new OnvifCameraProcess('cam');
  const begin = async (address: string) => {
    const camera = await startGstCamera({ address, namespace: 'cam', ...LOGIN, auth: 'digest' });
    await device.start({ ...FIRST, ...LOGIN, address, rtspUrl: camera.url, serial: 'MOVE1' });
    return camera;
  };
  const before = await begin('10.77.0.2');
  writeFileSync(
    '/run/sluice.yaml',
    `gateway: { id: box, dataDir: /run/data }
discovery: { mdns: false, credentials: [{ username: admin, password: ${PASSWORD} }] }
http: { listen: "127.0.0.1:8080" }
mqtt: { embedded: { listen: "127.0.0.1:1883" } }
`,
  );
  const sluice = startSluice();
  const online = await eventually('streams', ({ status }) => status?.state === 'online');
  const mqtt = await MqttWatcher.open('mqtt://127.0.0.1:1883', 4);
  await mqtt.publish('sluice/box/cmd/discover', '{"id":7,"timeoutMs":500,"scan":"10.77.0.0/29"}');
  const reply = await mqtt.until('the reply to discover', () =>
    mqtt.heard.find(({ topic }) => topic === 'sluice/box/res/discover'),
  );
  const outOfReach = await eventually(
    'devices',
    ({ id, reason }) => id === '4cbd8f000002' && reason !== undefined,
  );
  // The questions of the first seconds are over; the next are asked in a minute.
  await sleep(4000);
  const found = JSON.parse(mqtt.state.get('sluice/box/found/4cbd8f000002') ?? '{}');
  await device.close();
  await before.kill();
  ip('-n cam addr del 10.77.0.2/24 dev eth-cam0');
  ip('-n cam addr add 10.77.0.3/24 dev eth-cam0');
  // Its kernel does not answer for the old address any more; the stream's connection is cut by nobody.
  await eventually('streams', ({ status }) => status?.state !== 'online');
  const after = await begin('10.77.0.3');
  const sinceMs = performance.now();
  await eventually('streams', ({ status }) => status?.state === 'online');
  const movedMs = performance.now() - sinceMs;
  const [moved] = (await api('devices')).filter(({ id }) => id === '4cbd8f000001');
  sluice.kill();
  await after.kill();
  await mqtt.close();
  return { online, outOfReach, found, reply: JSON.parse(reply.text), movedMs, moved };
}

/** An encoder that sends MPEG-TS to a group, and says so by mDNS: published with no configuration. */
async function encoder() {
  ip('-n cam addr add 10.77.0.2/24 dev eth-cam0');
  ip('-n cam route add 239.0.0.0/8 dev eth-cam0');
  const announcer = new OnvifCameraProcess('cam');
  await announcer.announce('10.77.0.2', '239.1.1.1', 5000);
  const picture = 'testsrc=size=320x240:rate=25';
  const sender = spawn(
    'ip',
    [
      ...[
        'netns',
        'exec',
        'cam',
        'ffmpeg',
        '-loglevel',
        'error',
        '-re',
        '-f',
        'lavfi',
        '-i',
        picture,
      ],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-f', 'mpegts'],
      'udp://239.1.1.1:5000?pkt_size=1316',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  writeFileSync(
    '/run/sluice.yaml',
    `gateway: { id: box, dataDir: /run/data }
discovery: { onvif: false }
http: { listen: "127.0.0.1:8080" }
mqtt: { embedded: { listen: "127.0.0.1:1883" } }
`,
  );
  const sinceMs = performance.now();
  const sluice = startSluice();
  const online = await eventually('streams', ({ status }) => status?.state === 'online');
  const onlineMs = performance.now() - sinceMs;
  const devices = await api('devices');
  sender.kill();
  sluice.kill();
  return { online, onlineMs, devices };
}

function startSluice() {
  const args = ['dist/gateway/main.js', 'run', '--config', '/run/sluice.yaml'];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function api(path: string): Promise<readonly ApiEntry[]> {
  const response = await fetch(`http://127.0.0.1:8080/api/v1/${path}`);
  return (await response.json()) as ApiEntry[];
}

async function eventually(path: string, isSo: (entry: ApiEntry) => boolean): Promise<ApiEntry> {
  for (const sinceMs = performance.now(); ; await sleep(50)) {
    const entry = (await api(path).catch(() => [])).find(isSo);
    if (entry !== undefined) return entry;
    if (performance.now() - sinceMs > 2 * WAIT_MS) {
      throw new Error(`not so: ${isSo} of ${JSON.stringify(await api(path))}`);
    }
  }
}

interface ApiEntry {
  readonly id?: string;
  readonly name?: string;
  readonly status?: { readonly state: string };
  readonly reason?: string;
  readonly addresses?: readonly string[];
}

const toText = (value: unknown) => JSON.stringify(value);

/** Without what differs from one look to the next. */
function comparable(devices: readonly DiscoveredDevice[]): object[] {
  return devices
    .map(({ lastSeenAt: _time, ...rest }) => rest)
    .sort((a, b) => a.id.localeCompare(b.id));
}

/** Of this process: what runs Avahi's library. */
function children(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        return command.includes('_rtsp._tcp') && parent === String(process.pid)
          ? [Number(pid)]
          : [];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}

const nothing = () => run([...CLI, '--timeout-ms', '1500']);

const SCENARIOS: Readonly<Record<string, () => Promise<unknown>>> = {
  moving,
  interfaces,
  router,
  mdns,
  nothing,
  gateway,
  encoder,
};

async function main(): Promise<void> {
  ip('link set lo up');
  ip('netns add cam');
  ip('-n cam link set lo up');
  cable('cam0', 'cam');
  ip('addr add 10.77.0.1/24 dev cam0');
  const result = await SCENARIOS[process.argv[2] ?? '']?.();
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit();
}

await main();
