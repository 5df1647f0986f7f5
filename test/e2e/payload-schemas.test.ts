/**
 * What the bundle really sends, held against the schemas in deploy/: every message on every topic of a gateway that has cameras, well
 * and ill, a found device, targets, a head and a receiver on serial lines; every verb, asked well and badly, over MQTT and over HTTP;
 * every answer of the API.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { concat } from '../../codecs/bytes.ts';
import { ProbeResponder } from '../../gateway/demo/probe-responder.ts';
import { COMMANDS, type CommandReply } from '../../gateway/report/commands.ts';
import type { FoundDevice } from '../../gateway/report/status.ts';
import { asSent, QUECTEL_FIX } from '../protocols/nmea/receiver-logs.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { hex } from '../support/hex.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { PayloadSchemas } from '../support/payload-schemas.ts';
import { PseudoTerminal } from '../support/pseudo-terminal.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { ScriptedCamera } from '../support/scripted-camera.ts';
import { motionMessage } from '../support/virtual-onvif/event-service.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';

const B = 'sluice/box/';
const PATIENCE_MS = 40_000;
const PICTURE_MS = 100;
const PASSWORD = 'pl4nted-secret';
/** Of this test alone: others may look for devices at the same time. */
const FOUND_AT = `127.${1 + (process.pid % 250)}.${1 + ((process.pid >> 8) % 250)}.9`;
const JPEG = concat(hex`ffd8ffe0`, new Uint8Array(1_000).fill(0x4a), hex`ffd9`);

const cleanup: (() => unknown)[] = [];
let schemas: PayloadSchemas;
let gateway: GatewayProcess;
let watcher: MqttWatcher;
let gate: VirtualOnvif;

before(async () => {
  schemas = await PayloadSchemas.read();
  const yardRtsp = await open(ScriptedCamera.open(), (camera) => camera.close());
  const gateRtsp = await open(ScriptedCamera.open(), (camera) => camera.close());
  const timer = setInterval(() => {
    for (const camera of [yardRtsp, gateRtsp]) camera.sendPicture({ idr: true });
  }, PICTURE_MS);
  cleanup.push(() => clearInterval(timer));
  const onvif = { rtspUrl: gateRtsp.url, auth: 'both', password: PASSWORD } as const;
  const abilities = { snapshot: JPEG, ptz: {}, events: {} };
  gate = await open(VirtualOnvif.start({ ...onvif, ...abilities, serial: 'G-1' }), (camera) =>
    camera.close(),
  );
  const found = await open(
    VirtualOnvif.start({ ...onvif, address: FOUND_AT, serial: 'F-1' }),
    (camera) => camera.close(),
  );
  const { endpointReference, xaddr } = found;
  const responder = new ProbeResponder({ endpointReference, xaddr, scopes: [] });
  await responder.start(FOUND_AT);
  cleanup.push(() => responder.stop());
  const [mast, roof] = [
    await open(PseudoTerminal.make(), (line) => line[Symbol.asyncDispose]()),
    await open(PseudoTerminal.make(), (line) => line[Symbol.asyncDispose]()),
  ];
  const receiver = setInterval(() => roof.say(asSent(QUECTEL_FIX)), 500);
  cleanup.push(() => clearInterval(receiver));
  const master = await open(RtmpSink.listen(), (sink) => sink.close());
  const broker = await open(Mosquitto.start(), (one) => one.stop());
  // Before the gateway is there: nothing of what it says is missed.
  watcher = await open(MqttWatcher.open(broker.url), (one) => one.close());
  const login = `username: admin, password: ${PASSWORD}`;
  gateway = await open(
    GatewayProcess.start(
      `mqtt: { url: "${broker.url}" }
serial:
  - { name: mast, path: "${mast.path}", protocol: pelco-d, addresses: { yard: 1 } }
  - { name: roof, path: "${roof.path}", protocol: nmea }
acceptors:
  - { protocol: rtmp, listen: "127.0.0.1:${await freePort()}" }
  - { protocol: rtsp, listen: "127.0.0.1:${await freePort()}" }
proxypublish:
  targets:
    - { targetUri: "${master.url()}" }
    - { targetUri: "rtmp://u:${PASSWORD}@127.0.0.1:${await freePort()}/live", localStreamName: yard }
streams:
  yard: { source: "${yardRtsp.url}", ptz: mast/yard }
  gate: { source: "onvif://127.0.0.1:${gate.port}", ${login} }
  dead: { source: "rtsp://admin:${PASSWORD}@127.0.0.1:${await freePort()}/x" }
`,
      { discovery: `mdns: false, adopt: ask, interfaces: [lo], hosts: ["${FOUND_AT}"]` },
    ),
    (process) => process.stop(),
  );
});

after(async () => {
  for (const close of cleanup.reverse()) await close();
});

async function open<T>(opening: Promise<T>, close: (opened: T) => unknown): Promise<T> {
  const opened = await opening;
  cleanup.push(() => close(opened));
  return opened;
}

const until = (what: string, isSo: () => unknown) =>
  gateway.until(what, async () => Boolean(isSo()), PATIENCE_MS);

let asked = 0;

async function overMqtt(verb: string, args: object): Promise<CommandReply> {
  asked += 1;
  const id = `m${asked}`;
  await watcher.publish(`${B}cmd/${verb}`, JSON.stringify({ ...args, id }));
  const topic = `${B}res/${verb}`;
  let reply: CommandReply | undefined;
  await until(`the answer to ${verb}`, () => {
    const heard = watcher.heard.filter((one) => one.topic === topic);
    reply = heard.map(({ text }) => JSON.parse(text) as CommandReply).find((one) => one.id === id);
    return reply;
  });
  return reply ?? assert.fail();
}

async function overHttp(verb: string, args: object): Promise<CommandReply> {
  const response = await fetch(`${gateway.url}/api/v1/cmd/${verb}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(args),
  });
  const body = (await response.json()) as CommandReply;
  if (Object.hasOwn(COMMANDS, verb)) {
    const problem = schemas.httpAnswer('post', `/api/v1/cmd/${verb}`, response.status, body);
    assert.equal(problem, undefined, `${verb} ${JSON.stringify(body)}`);
  }
  assert.equal(response.ok, body.ok);
  return body;
}

const NOBODY = { name: 'nobody' };

/** In this order: what goes well, and what does not. The last thing that is done with the found device is its adoption. */
const QUESTIONS: readonly (readonly [verb: string, good: readonly object[], bad: object])[] = [
  ['log/level', [{ level: 'debug' }], { level: 'shout' }],
  ['discover', [{ timeoutMs: 500 }], { scan: '8.8.8.8' }],
  ['ptz', [{ name: 'yard', action: 'move', pan: 1, timeoutMs: 200 }], { action: 'dance' }],
  [
    'ptz',
    [
      { name: 'gate', action: 'absolute', pan: 0.5, tilt: 0, zoom: 1 },
      { name: 'gate', action: 'set-preset', presetName: 'dock' },
      { name: 'gate', action: 'presets' },
      { name: 'gate', action: 'home' },
      { name: 'gate', action: 'stop' },
    ],
    { name: 'gate', action: 'preset', preset: 'no-such' },
  ],
  ['snapshot', [{ name: 'gate' }], { name: 'yard' }],
  ['camera/clock', [{ name: 'gate', set: true, ntp: 'pool.example' }], { name: 'yard' }],
  ['camera/encoder', [{ name: 'gate' }, { name: 'gate', kbps: 2048 }], { name: 'yard' }],
  ['camera/reboot', [{ name: 'gate' }], NOBODY],
  ['stream/restart', [{ name: 'yard' }], NOBODY],
];

describe('what is sent is what the schemas say', () => {
  it('cameras, targets, lines, the position, events: all of it is there', async () => {
    await until('yard is online', () => has('stream/yard/status', '"online"'));
    await until('gate is online', () => has('stream/gate/status', '"online"'));
    await until('dead is not', () => has('stream/dead/status', '"refused"'));
    await until('one publishes', () => has('publish/gate/', '"publishing"'));
    await until('one does not', () => has('publish/yard/', '"refused"'));
    await until('the head', () => has('serial/mast', '"open"'));
    await until('the position', () => has('position', '"fix"'));
    await until('a found device', () => foundDevice()?.code === 'undecided');
    await until('it listens for motion', () => gate.events.subscriptions.size > 0);
    gate.events.emit(
      motionMessage('tns1:RuleEngine/CellMotionDetector/Motion', { IsMotion: 'true' }),
    );
    await until('motion', () => has('stream/gate/motion', 'ON'));
    await until('numbers', () => has('stream/gate/stats', 'fps'));
    await until('health', () => has('health', 'rssMb'));
    await until('an event', () => has('event', 'type'));
  });

  it('every verb, asked well and badly, over MQTT and HTTP', async () => {
    const device = foundDevice()?.id ?? assert.fail('no device is found');
    const adoption = [{ device, decision: 'ignore' }, login(device)];
    const questions = [...QUESTIONS, ['adopt', adoption, { device: 'nobody' }] as const];
    for (const [verb, good, bad] of questions) {
      for (const args of good) {
        const isAsDescribed = schemas.problem(`cmd-${verb.replaceAll('/', '-')}`, args);
        assert.equal(isAsDescribed, undefined, `${verb} ${JSON.stringify(args)}`);
        const overMqttReply = await overMqtt(verb, args);
        assert.ok(overMqttReply.ok, `${verb} ${JSON.stringify(overMqttReply)}`);
      }
      const last = await overHttp(verb, good.at(-1) ?? {});
      assert.ok(last.ok, `${verb} ${JSON.stringify(last)}`);
      assert.equal((await overMqtt(verb, bad)).ok, false, verb);
      assert.equal((await overHttp(verb, bad)).ok, false, verb);
    }
    assert.equal((await overMqtt('format/disk', {})).ok, false);
    assert.equal((await overHttp('format/disk', {})).ok, false);
  });

  it('a restart: nobody would start this one again', async () => {
    for (const ask of [overMqtt, overHttp]) {
      const reply = await ask('restart', {});
      assert.equal(reply.ok ? '' : reply.error.code, 'unsupported');
    }
  });

  it('the configuration’s verbs', async () => {
    for (const ask of [overMqtt, overHttp]) {
      const well = async (verb: string, args: object) => {
        const isAsDescribed = schemas.problem(`cmd-${verb.replaceAll('/', '-')}`, args);
        assert.equal(isAsDescribed, undefined, `${verb} ${JSON.stringify(args)}`);
        const reply = await ask(verb, args);
        assert.ok(reply.ok, `${verb} ${JSON.stringify(reply)}`);
        return reply.data as Record<string, unknown>;
      };
      const badly = async (verb: string, args: object) => {
        assert.equal((await ask(verb, args)).ok, false, verb);
      };
      const { revision } = await well('config/get', {});
      await well('config/set', { patch: { log: { level: 'debug' } }, revision });
      await badly('config/set', { patch: { log: { level: 'shout' } }, revision: 'another' });
      const late = { name: 'late', source: 'rtsp://127.0.0.1:1/late' };
      await well('stream/add', late);
      await badly('stream/add', late);
      await well('stream/remove', { name: 'late' });
      await badly('stream/remove', NOBODY);
    }
  });

  it('a session: here nobody needs one', async () => {
    for (const [verb, status] of [
      ['login', 200],
      ['logout', 200],
      ['password', 409],
    ] as const) {
      const response = await fetch(`${gateway.url}/api/v1/${verb}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ username: 'admin', password: 'long-enough-1', current: 'x' }),
      });
      const body: unknown = await response.json();
      assert.equal(response.status, status, `${verb} ${JSON.stringify(body)}`);
      const path = `/api/v1/${verb}`;
      assert.equal(schemas.httpAnswer('post', path, response.status, body), undefined, verb);
    }
  });

  it('every answer of the API', async () => {
    for (const [path, methods] of Object.entries(schemas.document.paths)) {
      if (!path.startsWith('/api/v1/') && path !== '/healthz') continue;
      if (methods['get'] === undefined) continue;
      const response = await fetch(`${gateway.url}${path.replace('{name}', 'yard')}`);
      const body: unknown = await response.json();
      assert.equal(response.status, 200, path);
      assert.equal(schemas.httpAnswer('get', path, response.status, body), undefined, path);
    }
  });

  it('URLs lead to this box, and hold no login', async () => {
    const { info } = (await gateway.stream('gate')) ?? assert.fail();
    const urls = info?.urls ?? {};
    const keys = ['flv', 'hls', 'page', 'rtmp', 'rtsp', 'snapshot', 'ts', 'wsFlv'];
    assert.deepEqual(Object.keys(urls).sort(), keys);
    const page = await fetch(urls['page'] ?? '');
    assert.match(page.headers.get('content-type') ?? '', /text\/html/);
    const snapshot = await fetch(urls['snapshot'] ?? '');
    assert.deepEqual(new Uint8Array(await snapshot.arrayBuffer()), JPEG);
  });

  it('then it stops; nothing that was ever said is left unchecked, and each is as its schema says', async () => {
    assert.equal((await gateway.stop()).code, 0);
    await watcher.untilState(`${B}state`, 'stopped');
    const used = new Set<string>();
    for (const { topic, text } of watcher.heard) {
      if (topic.startsWith(`${B}cmd/`) || text === '') continue;
      assert.doesNotMatch(text, new RegExp(PASSWORD), topic);
      assert.ok(topic.startsWith(B), topic);
      const { schema, problem } = schemas.message(topic.slice(B.length), text);
      assert.equal(problem, undefined, `${topic} ${text}`);
      used.add(schema);
    }
    const missing = [
      ...['info', 'health', 'event', 'position', 'found', 'serial', 'publish', 'reply'],
      ...['stream-status', 'stream-info', 'stream-stats'],
      ...['plain state', 'plain motion', 'plain snapshot'],
      ...Object.keys(COMMANDS).map((verb) => schemas.replySchema(verb)),
    ].filter((schema) => !used.has(schema));
    assert.deepEqual(missing, []);
  });
});

function has(topic: string, words: string): boolean {
  return watcher.heard.some((one) => one.topic.startsWith(B + topic) && one.text.includes(words));
}

/** Ours, and not one of another test. */
function foundDevice(): FoundDevice | undefined {
  return [...watcher.state]
    .filter(([topic]) => topic.startsWith(`${B}found/`))
    .map(([, text]) => JSON.parse(text) as FoundDevice)
    .find(({ addresses }) => addresses.includes(FOUND_AT));
}

function login(device: string): object {
  return { device, username: 'admin', password: PASSWORD };
}
