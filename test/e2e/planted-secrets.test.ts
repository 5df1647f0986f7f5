/**
 * A secret is planted in every credential field of the configuration (the schema says which there are), as a value, in a file and in
 * the environment: three gateways at Debian's Mosquitto, Home Assistant included, the log at its most talkative. None of the secrets
 * is in a topic, a log line, an answer of the API, a file of the page, or on a screen of it in Chromium.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, it } from 'node:test';
import { configJsonSchema } from '../../gateway/config/schema.ts';
import { launchBrowser } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { ScriptedCamera } from '../support/scripted-camera.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';
import { watchPage } from './dashboard-scenario.ts';

const FORMS = ['value', 'file', 'env'] as const;
type Form = (typeof FORMS)[number];

const USER = 'keeper';
const READER = { username: 'reader', password: 'of-the-test-alone' };
const SCREENS = [
  ...['wall', 'camera/FORM/onvif', 'camera/FORM/rtsp', 'devices'],
  ...['targets', 'events', 'settings', 'gateway'],
];
/** What a screen is given to fill itself. */
const SCREEN_MS = 700;
const TEST_MS = 120_000;

/** What was planted, by its place in the configuration. */
class Planting {
  readonly form: Form;
  readonly secrets = new Map<string, string>();
  readonly env: Record<string, string> = {};
  readonly files: Promise<void>[] = [];
  readonly #folder: string;

  constructor(form: Form, folder: string) {
    this.form = form;
    this.#folder = folder;
  }

  /** Within a text. `odd`: characters that JSON and URLs write otherwise. */
  text(place: string, odd = ''): string {
    const secret = `planted-${this.form}-${this.secrets.size}-${odd}end`;
    this.secrets.set(place, secret);
    if (this.form !== 'env') return secret;
    const variable = `PLANTED_${this.secrets.size}`;
    this.env[variable] = secret;
    return `\${${variable}}`;
  }

  /** As `password` or `passwordFile`, and so on. */
  key(key: 'password' | 'token' | 'streamKey', place: string, odd = ''): Record<string, string> {
    const text = this.text(`${place}.${key}`, odd);
    if (this.form !== 'file') return { [key]: text };
    const file = join(this.#folder, `${this.form}-${this.secrets.size}`);
    this.files.push(writeFile(file, `${text}\n`, { mode: 0o600 }));
    return { [`${key}File`]: file };
  }

  login(place: string, odd = ''): Record<string, string> {
    return { username: USER, ...this.key('password', place, odd) };
  }

  secret(place: string): string {
    const secret = this.secrets.get(place);
    assert.ok(secret !== undefined, place);
    return secret;
  }
}

interface Box {
  readonly planting: Planting;
  readonly gateway: GatewayProcess;
  readonly config: Readonly<Record<string, unknown>>;
  readonly headers: Record<string, string>;
  readonly onvif: VirtualOnvif;
  readonly master: RtmpSink;
}

let folder: string;
let broker: Mosquitto;
let watcher: MqttWatcher;
let camera: ScriptedCamera;
let pictures: NodeJS.Timeout;
const boxes: Box[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-planted-'));
  camera = await ScriptedCamera.open();
  pictures = setInterval(() => camera.sendPicture({ idr: true }), 100);
  const plantings = FORMS.map((form) => new Planting(form, folder));
  const mqttLogins = plantings.map((planting) => planting.login('mqtt', '"@'));
  broker = await Mosquitto.start({
    logins: [
      READER,
      ...plantings.map((planting) => ({
        username: USER + planting.form,
        password: planting.secret('mqtt.password'),
      })),
    ],
  });
  watcher = await MqttWatcher.open(broker.url, 5, READER);
  const started = plantings.map((planting, index) => startBox(planting, mqttLogins[index] ?? {}));
  boxes.push(...(await Promise.all(started)));
});

after(async () => {
  clearInterval(pictures);
  await watcher?.close();
  for (const { gateway, onvif, master } of boxes) {
    await gateway.stop();
    await onvif.close();
    await master.close();
  }
  await camera?.close();
  await broker?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function startBox(planting: Planting, mqttLogin: Record<string, string>): Promise<Box> {
  const { form } = planting;
  const onvifLogin = planting.login('streams.*', '"#/');
  const admin = planting.login('http.admin', '\\');
  const [onvif, extensionPort, rtmpPort, rtspPort, flvPort, nobody] = await Promise.all([
    VirtualOnvif.start({
      ...{ rtspUrl: camera.url, auth: 'both', events: {} },
      ...{ username: USER, password: planting.secret('streams.*.password') },
    }),
    ...[freePort(), freePort(), freePort(), freePort(), freePort()],
  ]);
  const at = (url: string, place: string) =>
    `${url.replace('://', `://${USER}:${planting.text(place)}@`)}?token=${planting.text(`${place}?`)}`;
  const targetLogin = planting.text('targetUri');
  const master = await RtmpSink.listen({
    login: { mode: 'adobe', username: USER, password: planting.secret('targetUri') },
  });
  const both = (place: string) => ({ ...planting.login(place), ...planting.key('token', place) });
  const config = {
    discovery: {
      ...{ onvif: false, mdns: false },
      credentials: [planting.login('discovery.credentials.*')],
    },
    http: {
      admin,
      play: both('http.play'),
      tokens: [{ name: 'robot', access: 'admin', ...planting.key('token', 'http.tokens.*') }],
    },
    log: { level: 'trace' },
    mqtt: {
      ...{ url: broker.url, ...mqttLogin, username: USER + form, homeAssistant: true },
    },
    streams: {
      onvif: { source: `onvif://127.0.0.1:${onvif.port}`, ...onvifLogin },
      // The credentials of discovery are tried.
      stranger: { source: `onvif://127.0.0.1:${onvif.port}` },
      rtsp: { source: at(camera.url, 'rtsp'), snapshot: at(`http://127.0.0.1:${nobody}/`, 'jpg') },
      rtmp: { source: at(`rtmp://127.0.0.1:${nobody}/live/x`, 'rtmp') },
      flv: {
        source: `http://127.0.0.1:${nobody}/flv?user=${USER}&password=${planting.text('flv?')}`,
      },
    },
    acceptors: [
      {
        ...{ protocol: 'rtmp', listen: `127.0.0.1:${rtmpPort}` },
        ...{ publish: both('acceptors.*.publish'), play: both('acceptors.*.play') },
      },
      {
        ...{ protocol: 'rtsp', listen: `127.0.0.1:${rtspPort}` },
        ...{ publish: both('rtsp.publish'), play: both('rtsp.play') },
      },
      {
        ...{ protocol: 'liveflv', listen: `127.0.0.1:${flvPort}` },
        publish: planting.key('token', 'liveflv.publish'),
      },
    ],
    extensions: [
      {
        module: resolve('deploy/examples/raw-h264.mjs'),
        options: {
          ...{ listen: `127.0.0.1:${extensionPort}`, streamName: 'raw' },
          apiToken: planting.text('extensions.options'),
        },
      },
    ],
    proxypublish: {
      targets: [
        {
          targetUri: `rtmp://${USER}:${targetLogin}@127.0.0.1:${master.port}/live`,
          targetStreamName: `{stream}?key=${planting.text('targetStreamName')}`,
          tcUrl: `rtmp://127.0.0.1/live?token=${planting.text('tcUrl')}`,
          swfUrl: `http://127.0.0.1/x.swf?token=${planting.text('swfUrl')}`,
          pageUrl: `http://127.0.0.1/?token=${planting.text('pageUrl')}`,
        },
        {
          targetUri: at(`rtmp://127.0.0.1:${nobody}/live`, 'gone'),
          ...planting.key('streamKey', 'proxypublish.targets.*'),
        },
        {
          targetUri: `rtmp://${USER}:${targetLogin}@127.0.0.1:${master.port}/live`,
          localStreamName: 'rtsp',
          ...planting.key('streamKey', 'live'),
        },
      ],
    },
  };
  await Promise.all(planting.files);
  const inner = (part: object) => JSON.stringify(part).slice(1, -1);
  const { discovery, http, ...rest } = config;
  const yaml = Object.entries(rest).map(([key, part]) => `${key}: ${JSON.stringify(part)}\n`);
  const gateway = await GatewayProcess.start(yaml.join(''), {
    ...{ id: form, discovery: inner(discovery), http: inner(http), env: planting.env },
  });
  const headers = { authorization: `Bearer ${planting.secret('http.tokens.*.token')}` };
  return { planting, gateway, config, headers, onvif, master };
}

/** As it is, within JSON and URLs, and as Basic authentication has it. */
function found(text: string, planting: Planting): string[] {
  return [...planting.secrets].flatMap(([place, secret]) => {
    const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
    const basic = Buffer.from(`${USER}:${secret}`).toString('base64').replace(/=+$/, '');
    const form = [...forms, basic].find((written) => text.includes(written));
    if (form === undefined) return [];
    const at = text.indexOf(form);
    return [`${planting.form} ${place}: …${text.slice(Math.max(0, at - 150), at + 60)}`];
  });
}

function assertClean(text: string, where: string): void {
  for (const { planting } of boxes) assert.deepEqual(found(text, planting), [], where);
}

/** Where a password or a token may stand, `*` for names and numbers. */
function credentialFields(node: unknown, path: string): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties, items, additionalProperties, anyOf } = node as Record<string, unknown>;
  const fields = Object.entries(properties ?? {}).flatMap(([key, inner]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return /^(?:password|token|streamKey)(?:File)?$/.test(key) ? [at] : credentialFields(inner, at);
  });
  const more = [items, additionalProperties].flatMap((inner) =>
    credentialFields(inner, `${path}.*`),
  );
  const others = Array.isArray(anyOf) ? anyOf.flatMap((one) => credentialFields(one, path)) : [];
  return [...fields, ...more, ...others];
}

function placesOf(node: unknown, path: string): string[] {
  if (Array.isArray(node)) return node.flatMap((item) => placesOf(item, `${path}.*`));
  if (typeof node !== 'object' || node === null) return [path];
  return Object.entries(node).flatMap(([key, inner]) => {
    const part = path === 'streams' ? '*' : key;
    return placesOf(inner, path === '' ? part : `${path}.${part}`);
  });
}

it('every credential field of the schema has one', () => {
  const wanted = new Set(credentialFields(configJsonSchema(), ''));
  assert.ok(wanted.size >= 14, [...wanted].join());
  const planted = new Set(boxes.flatMap(({ config }) => placesOf(config, '')));
  assert.deepEqual(
    [...wanted].filter((field) => !planted.has(field)),
    [],
  );
});

it('they are in use: cameras, masters, broker, login', { timeout: TEST_MS }, async () => {
  for (const { planting, gateway, headers, master } of boxes) {
    const topic = (rest: string) => `sluice/${planting.form}/${rest}`;
    await watcher.untilState(topic('state'), 'online');
    for (const name of ['onvif', 'rtsp']) {
      await gateway.until(`${name} is online`, async () =>
        watcher.state.get(topic(`stream/${name}/status`))?.includes('"state":"online"'),
      );
    }
    await gateway.until('it is published', async () =>
      [...watcher.state].some(
        ([at, text]) => at.startsWith(topic('publish/onvif/')) && /"publishing"/.test(text),
      ),
    );
    const streamKey = planting.secret('live.streamKey');
    await gateway.until('it is published under its stream key', async () =>
      [...master.sessions].some(({ streamName }) => streamName === streamKey),
    );
    assert.equal((await fetch(`${gateway.url}/api/v1/streams`)).status, 401);
    assert.equal((await fetch(`${gateway.url}/api/v1/streams`, { headers })).status, 200);
  }
});

it('commands and logins, good and bad, answer and log none', { timeout: TEST_MS }, async () => {
  await Promise.all(
    boxes.map(async ({ planting, gateway, headers }) => {
      const typed = planting.secret('rtsp');
      const commands: [verb: string, args: object][] = [
        ['config/get', {}],
        ['config/set', { patch: { streams: { rtsp: { password: [typed] } } } }],
        ['config/set', { patch: { mqtt: { url: `x://${USER}:${typed}@h` } }, revision: 'x' }],
        ['stream/add', { name: 'bad', source: `gopher://${USER}:${typed}@127.0.0.1/` }],
        ['adopt', { device: 'none', username: USER, password: typed }],
        ['stream/restart', { name: 'rtsp' }],
        ['snapshot', { name: 'rtsp' }],
      ];
      for (const [verb, args] of commands) {
        const response = await fetch(`${gateway.url}/api/v1/cmd/${verb}`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json', connection: 'close' },
          body: JSON.stringify(args),
        });
        assertClean(await response.text(), `the answer to ${verb}`);
        const id = verb.replace('/', '-');
        const before = watcher.heard.length;
        await watcher.publish(
          `sluice/${planting.form}/cmd/${verb}`,
          JSON.stringify({ id, ...args }),
        );
        const answers = `sluice/${planting.form}/res/${verb}`;
        await watcher.until(answers, () =>
          watcher.heard.slice(before).find(({ topic }) => topic === answers),
        );
      }
      for (const token of [planting.secret('http.play.token'), typed]) {
        const controller = new AbortController();
        const { signal } = controller;
        await fetch(`${gateway.url}/live/rtsp.flv?token=${token}`, { signal });
        controller.abort();
      }
      const login = await fetch(`${gateway.url}/api/v1/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ username: USER, password: typed }),
      });
      assertClean(await login.text(), 'the answer to a wrong login');
    }),
  );
});

it('no answer of the API and no file of the page has one', { timeout: TEST_MS }, async () => {
  const openApi = JSON.parse(await readFile('deploy/openapi.json', 'utf8')) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const asked = Object.entries(openApi.paths)
    .filter(([, methods]) => 'get' in methods)
    .map(([path]) => path.replace(/\{[^}]*\}/, 'rtsp'))
    .map((path) => (/^\/(?:api|healthz|metrics)/.test(path) ? path : `/api/v1${path}`));
  const files = (await readdir('dist/dashboard')).filter((name) => !/\.(?:br|gz)$/.test(name));
  const pages = ['/', '/config.json', '/metrics', '/healthz', '/live/rtsp', '/live/rtsp.jpg'];
  const paths = [...asked, ...pages, ...files.map((name) => `/${name}`)];
  assert.ok(asked.length > 8);
  for (const { gateway, headers } of boxes) {
    for (const path of paths) {
      const response = await fetch(gateway.url + path, { headers });
      if (path.includes('/config')) assert.equal(response.status, 200, path);
      const head = JSON.stringify([...response.headers]);
      assertClean(head + (await response.text()), path);
    }
  }
});

it('no screen of the page shows one', { timeout: TEST_MS }, async () => {
  const [box] = boxes;
  assert.ok(box);
  const { planting, gateway } = box;
  const login = await fetch(`${gateway.url}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ username: USER, password: planting.secret('http.admin.password') }),
  });
  assert.equal(login.status, 200, await login.text());
  const [name = '', value = ''] = (login.headers.get('set-cookie') ?? '').split(/[=;]/);
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext();
    await context.addCookies([{ name, value, url: gateway.url }]);
    const { page } = await watchPage(await context.newPage(), `${gateway.url}/#/wall`);
    await page.getByRole('heading', { name: 'stranger' }).waitFor();
    const seen = new Set<string>();
    for (const screen of SCREENS) {
      const hash = `#/${screen.replace('FORM', planting.form)}`;
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.locator('#main h1').first().waitFor();
      // The form comes with the configuration.
      if (screen === 'settings')
        await page.locator('#main input').nth(20).waitFor({ state: 'attached' });
      await page.waitForTimeout(SCREEN_MS);
      const text = await page.evaluate<string>(`(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
        const fields = [...document.querySelectorAll('input, textarea, select')];
        return document.documentElement.outerHTML + fields.map(({ value }) => value).join('\\n');
      })()`);
      seen.add(text);
      assertClean(text, hash);
    }
    assert.equal(seen.size, SCREENS.length);
    const stored = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    assertClean(stored, 'what the page keeps');
  } finally {
    await browser.close();
  }
});

it('no topic and no line of the log has one, to the end', { timeout: TEST_MS }, async () => {
  for (const { gateway } of boxes) await gateway.stop();
  for (const { planting } of boxes) {
    await watcher.untilState(`sluice/${planting.form}/state`, 'stopped');
    const discovery = `homeassistant/device/${planting.form}/rtsp/config`;
    assert.ok(watcher.heard.some(({ topic }) => topic === discovery));
  }
  for (const { topic, text, correlationData } of watcher.heard) {
    // What this test itself commanded comes back to it.
    if (topic.includes('/cmd/')) continue;
    assertClean(`${topic} ${text} ${correlationData ?? ''}`, topic);
  }
  for (const { gateway } of boxes) {
    assert.match(gateway.log, /"level":"(?:trace|debug)"/);
    for (const line of gateway.log.split('\n')) assertClean(line, 'the log');
  }
});
