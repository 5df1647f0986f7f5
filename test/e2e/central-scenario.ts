/**
 * The central side as deploy/central/ sets it up, with its own ports, in a network of its own (central.test.ts starts it there):
 * Mosquitto, nginx and Sluice as the master, three gateways with what add-gateway.sh prints, and the web page in Chromium.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startGstCamera } from '../support/gst-camera.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { type FleetPageResult, lookAtFleet } from './fleet-page.ts';

const run = promisify(execFile);
const HOST = '127.0.0.1';
const GATEWAYS = ['shop-1', 'shop-2', 'shop-3'] as const;
const START_TIMEOUT_MS = 20_000;
const NGINX_MODULES = '/usr/lib/nginx/modules';

export interface CentralResult {
  readonly setUpTwice: string;
  readonly refusedIds: readonly number[];
  readonly states: Readonly<Record<string, string | undefined>>;
  /** By gateway. */
  readonly published: Readonly<Record<string, boolean>>;
  /** Heard by shop-1's login of what others tell, and what it could make them hear. */
  readonly foreign: readonly string[];
  readonly pageWithoutLogin: number;
  readonly page: { readonly status: number; readonly policy: string };
  readonly picture: { readonly withoutLogin: number; readonly signature: string };
  readonly fleetPage: FleetPageResult;
  readonly nginx: { readonly published: boolean; readonly wrongKey: string };
  /** After remove-gateway.sh of the third gateway, which runs on. */
  readonly removed: { readonly topics: readonly string[]; readonly hasLogin: boolean };
  readonly modes: Readonly<Record<string, string>>;
}

const children: ChildProcess[] = [];

async function main(): Promise<CentralResult> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-central-'));
  await chmod(root, 0o755);
  const folder = join(root, 'etc');
  await setUp(folder);
  const passwordBefore = await readFile(join(folder, 'dashboard-password'), 'utf8');
  await setUp(folder);
  const dashboardPassword = (await readFile(join(folder, 'dashboard-password'), 'utf8')).trim();
  const setUpTwice = passwordBefore.trim() === dashboardPassword ? 'kept' : 'changed';
  const refusedIds = await Promise.all(
    ['Shop 1', 'dashboard', ''].map((id) => refusal(folder, id)),
  );

  await startBroker(root, folder);
  await startNginx(root, folder);
  launch(process.execPath, [
    'dist/gateway/main.js',
    'run',
    '--config',
    join(folder, 'master.yaml'),
  ]);
  await listening(1936);
  await listening(8080);

  const camera = await startGstCamera({ audio: 'aac', fps: 25, gop: 25, viewers: 'own' });
  const snippets = new Map<string, string>();
  for (const id of GATEWAYS) snippets.set(id, await addGateway(folder, id));
  // What systemctl would do.
  broker?.kill('SIGHUP');
  for (const [id, snippet] of snippets) await startGateway(root, folder, id, snippet, camera.url);

  const ca = await readFile(join(folder, 'tls/ca.pem'));
  const people = { username: 'dashboard', password: dashboardPassword, ca };
  const watcher = await MqttWatcher.open(`mqtts://${HOST}:8883`, 5, people);
  const published: Record<string, boolean> = {};
  for (const id of GATEWAYS) {
    const topic = `sluice/${id}/publish/yard/${HOST.replaceAll('.', '-')}-live`;
    published[id] = await watcher.until(`${id} publishes`, () => {
      const text = watcher.state.get(topic);
      return text?.includes('"publishing"') === true || undefined;
    });
  }
  const states = Object.fromEntries(
    GATEWAYS.map((id) => [id, watcher.state.get(`sluice/${id}/state`)]),
  );
  const foreign = await hearsOfOthers(snippets.get('shop-1') ?? '', ca, watcher);

  const basic = `Basic ${Buffer.from(`dashboard:${dashboardPassword}`).toString('base64')}`;
  const page = await get('/', basic, ca);
  const picture = await untilFlv(() => get('/live/shop-1-yard.flv', basic, ca));
  const fleetPage = await lookAtFleet(`https://${HOST}/`, {
    username: 'dashboard',
    password: dashboardPassword,
    gateways: GATEWAYS,
    stream: 'yard',
  });
  const result = {
    setUpTwice,
    refusedIds,
    states,
    published,
    foreign,
    pageWithoutLogin: (await get('/', undefined, ca)).status,
    page: { status: page.status, policy: page.policy },
    picture: {
      withoutLogin: (await get('/live/shop-1-yard.flv', undefined, ca)).status,
      signature: picture.start.subarray(0, 3).toString('latin1'),
    },
    fleetPage,
    nginx: await throughNginxRtmp(root, folder, camera.url, watcher),
    removed: await removed(root, folder, people),
    modes: await modesOf(folder),
  };
  await watcher.close();
  await camera[Symbol.asyncDispose]();
  return result;
}

async function setUp(folder: string): Promise<void> {
  await run('deploy/central/set-up.sh', [HOST, '--folder', folder]);
}

async function refusal(folder: string, id: string): Promise<number> {
  try {
    await run('deploy/central/add-gateway.sh', [id, '--folder', folder]);
    return 0;
  } catch (error) {
    return error instanceof Error && 'code' in error ? Number(error.code) : -1;
  }
}

async function addGateway(folder: string, id: string, ...more: string[]): Promise<string> {
  const { stdout } = await run('deploy/central/add-gateway.sh', [id, '--folder', folder, ...more]);
  return stdout;
}

/** What is left of a gateway at the broker, and whether its login is. */
async function removed(
  root: string,
  folder: string,
  people: { readonly username: string; readonly password: string; readonly ca: Buffer },
): Promise<CentralResult['removed']> {
  const id = GATEWAYS[2] ?? '';
  const bin = join(root, 'bin');
  await mkdir(bin);
  // There is no systemd here: this is what it would do.
  const reload = `#!/bin/sh\n[ "$1" != reload ] || kill -HUP ${broker?.pid}\n`;
  await writeFile(join(bin, 'systemctl'), reload, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  await run('deploy/central/remove-gateway.sh', [id, '--folder', folder], { env });
  const watcher = await MqttWatcher.open(`mqtts://${HOST}:8883`, 5, people);
  // Its answer comes behind all that the broker keeps.
  await watcher.publish(`sluice/${GATEWAYS[0]}/cmd/stream/restart`, '{"name":"nobody"}');
  await watcher.until('the answer', () =>
    watcher.heard.find(({ topic }) => topic === `sluice/${GATEWAYS[0]}/res/stream/restart`),
  );
  const topics = [...watcher.state.keys()].filter((topic) => topic.includes(`/${id}/`));
  await watcher.close();
  const logins = await readFile(join(folder, 'passwords'), 'utf8');
  return { topics, hasLogin: logins.includes(`${id}:`) };
}

let broker: ChildProcess | undefined;

/** As Debian's own configuration includes what is in conf.d. */
async function startBroker(root: string, folder: string): Promise<void> {
  await mkdir(join(root, 'conf.d'));
  await symlink(join(folder, 'mosquitto.conf'), join(root, 'conf.d/sluice.conf'));
  const config = join(root, 'mosquitto.conf');
  await writeFile(config, `log_dest stderr\ninclude_dir ${root}/conf.d\n`);
  broker = launch('mosquitto', ['-c', config]);
  await listening(8883);
  await listening(9001);
}

/** As Debian's own configuration includes modules outside of http, and sites within. */
async function startNginx(root: string, folder: string): Promise<void> {
  await mkdir(join(root, 'sites'));
  await mkdir(join(root, 'modules'));
  await writeFile(
    join(root, 'modules/50-rtmp.conf'),
    `load_module ${NGINX_MODULES}/ngx_rtmp_module.so;\n`,
  );
  await symlink(join(folder, 'nginx-rtmp.conf'), join(root, 'modules/90-sluice-rtmp.conf'));
  await symlink(join(folder, 'nginx-rtmp-login.conf'), join(root, 'sites/sluice-rtmp-login'));
  await symlink(join(folder, 'nginx-site.conf'), join(root, 'sites/sluice-central'));
  const config = join(root, 'nginx.conf');
  await writeFile(
    config,
    `user www-data;
daemon off;
worker_processes 1;
pid ${root}/nginx.pid;
error_log stderr warn;
include ${root}/modules/*.conf;
events { worker_connections 256; }
http { include /etc/nginx/mime.types; access_log off; include ${root}/sites/*; }
`,
  );
  launch('nginx', ['-c', config, '-p', root]);
  await listening(443);
  await listening(1935);
}

async function startGateway(
  root: string,
  folder: string,
  id: string,
  snippet: string,
  source: string,
): Promise<void> {
  const own = join(root, id);
  await mkdir(own);
  await cp(join(folder, 'tls/ca.pem'), join(own, 'ca.pem'));
  await writeFile(
    join(own, 'sluice.yaml'),
    `${snippet}
discovery: { onvif: false, mdns: false }
http: { listen: "127.0.0.1:0" }
streams: { yard: { source: "${source}", transport: tcp } }
`,
  );
  const dataDir = ['--data-dir', join(own, 'data')];
  launch(process.execPath, [
    'dist/gateway/main.js',
    'run',
    '--config',
    join(own, 'sluice.yaml'),
    ...dataDir,
  ]);
}

/** The broker lets one gateway neither hear another, nor speak to it, nor speak for it. */
async function hearsOfOthers(snippet: string, ca: Buffer, people: MqttWatcher): Promise<string[]> {
  const [, username = '', password = ''] = /username: (\S+), password: "(\w+)"/.exec(snippet) ?? [];
  const gateway = await MqttWatcher.open(`mqtts://${HOST}:8883`, 4, { username, password, ca });
  await gateway.publish('sluice/shop-2/state', 'offline').catch(() => {});
  await gateway.publish('sluice/shop-2/cmd/log/level', '{"level":"trace"}').catch(() => {});
  await gateway.untilState('sluice/shop-1/state', 'online');
  const heard = gateway.heard.filter(({ topic }) => !topic.startsWith('sluice/shop-1/'));
  const forged = people.heard.filter(
    ({ topic, text }) => topic.startsWith('sluice/shop-2/') && /offline|trace/.test(text),
  );
  await gateway.close();
  return [...heard, ...forged].map(({ topic }) => topic);
}

/** A fourth gateway publishes to nginx; and one that does not know the key. */
async function throughNginxRtmp(
  root: string,
  folder: string,
  source: string,
  watcher: MqttWatcher,
): Promise<CentralResult['nginx']> {
  const snippet = await addGateway(folder, 'shop-4', '--nginx');
  const wrong = (await addGateway(folder, 'shop-5', '--nginx')).replace(/key=\w+/, 'key=wrong');
  broker?.kill('SIGHUP');
  await startGateway(root, folder, 'shop-4', snippet, source);
  await startGateway(root, folder, 'shop-5', wrong, source);
  const topic = (id: string) => `sluice/${id}/publish/yard/${HOST.replaceAll('.', '-')}-live`;
  const published = await watcher.until('shop-4 publishes', () => {
    const text = watcher.state.get(topic('shop-4'));
    return text?.includes('"publishing"') === true || undefined;
  });
  const wrongKey = await watcher.until('shop-5 is refused', () => {
    const text = watcher.state.get(topic('shop-5')) ?? '{}';
    const { state, attempts } = JSON.parse(text) as { state?: string; attempts?: number };
    return state !== undefined && (attempts ?? 0) > 0 ? state : undefined;
  });
  return { published, wrongKey };
}

interface Got {
  readonly status: number;
  readonly policy: string;
  readonly start: Buffer;
}

/** The answer as far as its first bytes. */
async function get(path: string, authorization: string | undefined, ca: Buffer): Promise<Got> {
  const asked = request({
    ...{ host: HOST, port: 443, path, ca },
    headers: authorization === undefined ? {} : { authorization },
  });
  asked.end();
  const [response] = await once(asked, 'response');
  const [start] = (await once(response, 'data')) as [Buffer];
  response.destroy();
  return {
    status: response.statusCode,
    policy: String(response.headers['content-security-policy'] ?? ''),
    start,
  };
}

/** The master has taken the publisher in before it has seen a picture. */
async function untilFlv(ask: () => Promise<Got>): Promise<Got> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const got = await ask();
    if (got.status === 200 || Date.now() > deadline) return got;
    await sleep(100);
  }
}

async function modesOf(folder: string): Promise<Record<string, string>> {
  const { stdout } = await run('sh', ['-c', `cd ${folder} && stat -c '%n %a' * tls/*`]);
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}

function launch(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  // What it says goes with the scenario's own words, for a test that fails.
  child.stdout.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  children.push(child);
  return child;
}

async function listening(port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const socket = connect(port, HOST);
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`nobody listens on ${port}: ${String(error)}`);
      await sleep(50);
    } finally {
      socket.destroy();
    }
  }
}

try {
  process.stdout.write(`${JSON.stringify(await main())}\n`);
} finally {
  for (const child of children) child.kill('SIGTERM');
}
process.exit();
