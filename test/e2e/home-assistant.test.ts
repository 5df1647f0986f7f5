/**
 * Home Assistant's discovery through Debian's Mosquitto: what is told is what Home Assistant takes, its templates come to the right
 * values with the payloads that were really sent (Debian's Jinja evaluates them), and its commands arrive.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { concat } from '../../codecs/bytes.ts';
import { COMMANDS } from '../../gateway/report/commands.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { hex } from '../support/hex.ts';
import {
  DISCOVERY_TOPIC,
  type Discovery,
  deviceDiscoverySchema,
  writtenOut,
} from '../support/home-assistant-schema.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { renderJinja } from '../support/render-jinja.ts';
import {
  makeReporting,
  publishStatus,
  type Reporting,
  streamStatus,
} from '../support/reporting.ts';
import { ScriptedCamera } from '../support/scripted-camera.ts';
import { motionMessage } from '../support/virtual-onvif/event-service.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';

const PREFIX = 'homeassistant/';
const OWN = 'homeassistant/device/test-1/';
const GATEWAY = 'homeassistant/device/test-1/config';
const DOOR = 'homeassistant/device/test-1/door/config';
const SERIAL = 'homeassistant/device/test-1/serial/config';
const LAST_FRAME = '2026-11-25T10:00:00.000Z';
const JPEG = concat(hex`ffd8ffe0`, new Uint8Array(1_000).fill(0x4a), hex`ffd9`);
const ODD_PRESET = `it's "{{ 7 * 7 }}" \\ 😀`;

const check = new Ajv({ allErrors: true, discriminator: true, strict: false }).compile(
  deviceDiscoverySchema,
);

let broker: Mosquitto;
let watcher: MqttWatcher;
let rtsp: ScriptedCamera;
let camera: VirtualOnvif;
let gateway: GatewayProcess;
let pictures: NodeJS.Timeout;
let reporting: Reporting;
let withoutBroker: Reporting;
const restarted: string[] = [];

before(async () => {
  broker = await Mosquitto.start();
  watcher = await MqttWatcher.open(broker.url);
  const cmps = { 'publish-gone': { p: 'sensor', unique_id: 'gone' } };
  await watcher.publish(DOOR, JSON.stringify({ cmps }), { retain: true });
  reporting = makeReporting(
    { url: broker.url, homeAssistant: true },
    {
      'stream/restart': ({ name }) => restarted.push(name),
      ptz: () => ({ presets: [{ token: 'tok"1', name: ODD_PRESET }] }),
    },
  );
  const { board, reporter } = reporting;
  const ptz = { protocol: 'onvif', absolute: true, home: true, presets: 'list' } as const;
  for (const name of ['door', 'serial']) {
    board.setStreamStatus(name, streamStatus({ lastFrameAt: LAST_FRAME }));
  }
  board.setStreamInfo('door', { source: '', tracks: [], manufacturer: 'Acme', ptz });
  board.setStreamInfo('serial', {
    source: '',
    tracks: [],
    ptz: { ...ptz, presets: 'numbers' },
  });
  board.setStreamStats('door', {
    ...{ videoKbps: 2000, audioKbps: 64, fps: 25, gopMs: 2000, lostPackets: 3, damagedUnits: 0 },
    ...{ jitterMs: 1, reconnects: 2, units: 1000, bytes: 1_000_000, viewers: 4 },
  });
  board.setMotion('door', 'ON');
  board.setPublish('door', 'master', publishStatus({ reason: 'It’s "fine" <here>' }), 'status');
  await reporter.start();
  withoutBroker = makeReporting({ homeAssistant: true, embedded: { listen: '127.0.0.1:0' } });
  await withoutBroker.reporter.start();
  rtsp = await ScriptedCamera.open();
  pictures = setInterval(() => rtsp.sendPicture({ idr: true }), 100);
  camera = await VirtualOnvif.start({
    ...{ rtspUrl: rtsp.url, auth: 'both', snapshot: JPEG, ptz: {}, events: {} },
  });
  camera.ptz.presets.set('p1', { name: ODD_PRESET, position: { pan: 0.5, tilt: 0, zoom: 0 } });
  gateway = await GatewayProcess.start(`mqtt: { url: "${broker.url}", homeAssistant: true }
streams:
  gate: { source: "onvif://127.0.0.1:${camera.port}", username: admin, password: secret }
`);
});

after(async () => {
  clearInterval(pictures);
  await gateway?.stop();
  await camera?.close();
  await rtsp?.close();
  await reporting?.reporter.stop();
  await withoutBroker?.reporter.stop();
  await watcher?.close();
  await broker?.stop();
});

async function told(topic: string): Promise<Discovery> {
  return writtenOut(await watcher.untilState(topic));
}

/** The values of a device's entities, by component. */
function valuesOf({ components }: Discovery): Map<string, string> {
  const read = Object.entries(components).flatMap(([id, { state_topic, value_template }]) =>
    typeof state_topic === 'string'
      ? [{ id, template: String(value_template ?? '{{ value }}'), payload: held(state_topic) }]
      : [],
  );
  const values = renderJinja(read);
  return new Map(read.map(({ id }, index) => [id, values[index] ?? '']));
}

function held(topic: unknown): string {
  const text =
    watcher.state.get(String(topic)) ??
    watcher.heard.findLast((message) => message.topic === topic)?.text;
  assert.ok(text !== undefined, `nothing was said on ${topic}`);
  return text;
}

it('tells what Home Assistant takes, and takes back what an earlier life told', async () => {
  await watcher.until('the presets', () =>
    watcher.state.get(DOOR)?.includes('"preset"') ? true : undefined,
  );
  await told(SERIAL);
  const topics = [...watcher.state.keys()].filter((topic) => topic.startsWith(OWN));
  assert.deepEqual(topics.sort(), [GATEWAY, DOOR, SERIAL]);
  for (const topic of topics) {
    assert.match(topic.slice(PREFIX.length), DISCOVERY_TOPIC);
    const discovery = await told(topic);
    assert.ok(check(discovery), `${topic} ${JSON.stringify(check.errors, undefined, 1)}`);
  }
  assert.deepEqual((await told(DOOR)).components['publish-gone'], { platform: 'sensor' });
});

it('its templates come to the values that were sent', async () => {
  const door = await told(DOOR);
  const gateway = await told(GATEWAY);
  await watcher.until('statistics', () =>
    watcher.heard.find(({ topic }) => topic === 'sluice/test-1/stream/door/stats'),
  );
  await watcher.untilState('sluice/test-1/health');
  assert.deepEqual(Object.fromEntries(valuesOf(door)), {
    ...{ connectivity: 'ON', problem: 'OFF', 'last-frame': LAST_FRAME, 'bit-rate': '2064' },
    ...{ fps: '25', viewers: '4', reconnects: '2', 'lost-packets': '3', motion: 'ON' },
    'publish-master': 'publishing',
  });
  const values = valuesOf(gateway);
  assert.equal(values.get('connectivity'), 'ON');
  assert.equal(values.get('streams-up'), '2');
  assert.equal(values.get('version'), '0.0.0');
  assert.ok(!Number.isNaN(Date.parse(values.get('started') ?? '')));
  for (const id of ['cpu', 'own-memory', 'load', 'uplink', 'memory', 'disk']) {
    assert.match(values.get(id) ?? '', /^\d+(\.\d+)?$/, id);
  }
  const attributes = [...Object.values(door.components), ...Object.values(gateway.components)]
    .filter(({ json_attributes_topic }) => json_attributes_topic !== undefined)
    .map(({ json_attributes_topic, json_attributes_template }) => ({
      template: String(json_attributes_template),
      payload: held(json_attributes_topic),
    }));
  const reasons = renderJinja(attributes).map((text) => JSON.parse(text).reason);
  assert.deepEqual(
    reasons.filter((reason) => reason !== undefined),
    ['ok', 'It’s "fine" <here>'],
  );
});

it('what may be null, and each state, has a value, too', async () => {
  const { components, availability } = await told(DOOR);
  const gateway = await told(GATEWAY);
  const problem = components['problem']?.['value_template'];
  const lastFrame = components['last-frame']?.['value_template'];
  const [box, stream] = availability.map(({ value_template }) => value_template);
  const boxProblem = gateway.components['problem']?.['value_template'];
  const memory = gateway.components['memory']?.['value_template'];
  const healthy = { streamsUp: 1, streamsTotal: 1, clockSynchronised: null, throttled: null };
  const cases: [template: unknown, payload: object | string, want: string][] = [
    [problem, { state: 'stalled' }, 'ON'],
    [problem, { state: 'connecting' }, 'OFF'],
    [lastFrame, { lastFrameAt: null }, 'None'],
    [box, 'online', 'online'],
    [box, 'offline', 'offline'],
    [box, 'stopped', 'offline'],
    [stream, { state: 'disabled' }, 'offline'],
    [stream, { state: 'unreachable' }, 'online'],
    [boxProblem, healthy, 'OFF'],
    [boxProblem, { ...healthy, throttled: '0x50000' }, 'OFF'],
    [boxProblem, { ...healthy, throttled: '50005' }, 'ON'],
    [boxProblem, { ...healthy, clockSynchronised: false }, 'ON'],
    [boxProblem, { ...healthy, streamsUp: 0 }, 'ON'],
    [memory, { memoryAvailableMb: null, memoryTotalMb: 4000 }, 'None'],
  ];
  const texts = renderJinja(
    cases.map(([template, payload]) => ({
      template: String(template),
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    })),
  );
  assert.deepEqual(
    texts,
    cases.map(([, , want]) => want),
  );
});

it('what is picked and pressed there arrives here', async () => {
  const door = await told(DOOR);
  const serial = await told(SERIAL);
  const select = door.components['preset'] ?? {};
  const number = serial.components['preset-number'] ?? {};
  assert.deepEqual(select['options'], [ODD_PRESET]);
  const commands = renderJinja([
    { template: String(select['command_template']), payload: ODD_PRESET },
    { template: String(number['command_template']), payload: '3' },
  ]).map((text) => JSON.parse(text));
  assert.deepEqual(commands, [
    { name: 'door', action: 'preset', preset: 'tok"1' },
    { name: 'serial', action: 'preset', preset: 3 },
  ]);
  for (const command of commands) assert.ok(COMMANDS.ptz.safeParse(command).success);
  const { command_topic, payload_press } = door.components['restart'] ?? {};
  await watcher.publish(String(command_topic), String(payload_press));
  await watcher.until('the command', () => (restarted.includes('door') ? true : undefined));
});

it('the birth of Home Assistant has everything sent again; a removed stream is cleared', async () => {
  await told(SERIAL);
  const before = watcher.heard.length;
  await watcher.publish('homeassistant/status', 'online');
  const again = () => watcher.heard.slice(before).map(({ topic }) => topic);
  await watcher.until('all of it', () =>
    [GATEWAY, DOOR, SERIAL].every((topic) => again().includes(topic)) ? true : undefined,
  );
  reporting.board.removeStream('serial');
  await watcher.until('the removal', () => (watcher.state.has(SERIAL) ? undefined : true));
  assert.ok(watcher.state.has(DOOR));
});

it('Home Assistant on the same box finds the gateway at the embedded broker', async () => {
  const { embeddedPort } = withoutBroker.reporter;
  const there = await MqttWatcher.open(`mqtt://127.0.0.1:${embeddedPort}`, 4);
  try {
    assert.ok(check(writtenOut(await there.untilState(GATEWAY))));
    const before = there.heard.length;
    await there.publish('homeassistant/status', 'online');
    await there.until('it again', () =>
      there.heard.slice(before).find(({ topic }) => topic === GATEWAY),
    );
  } finally {
    await there.close();
  }
});

describe('a camera of the running service', () => {
  const topic = 'homeassistant/device/box/gate/config';

  async function component(id: string): Promise<Record<string, unknown>> {
    const read = () => writtenOut(watcher.state.get(topic) ?? '{"dev":{},"o":{},"cmps":{}}');
    return await watcher.until(`${id} in ${topic}`, () => read().components[id]);
  }

  it('has what it can do, and is behind its gateway', async () => {
    for (const id of ['preset', 'ptz-home', 'snapshot']) await component(id);
    const discovery = await told(topic);
    assert.ok(check(discovery), JSON.stringify(check.errors, undefined, 1));
    assert.equal(discovery.device['via_device'], 'sluice_box');
    const box = await told('homeassistant/device/box/config');
    assert.deepEqual(box.device['identifiers'], ['sluice_box']);
  });

  it('has motion from the first time that it tells of it', async () => {
    await watcher.until('the subscription', () =>
      camera.events.subscriptions.size === 1 ? true : undefined,
    );
    camera.events.emit(
      motionMessage('tns1:RuleEngine/CellMotionDetector/Motion', { IsMotion: 'true' }),
    );
    assert.equal(held((await component('motion'))['state_topic']), 'ON');
  });

  it('goes to the preset that is picked there, turns at a press, and shows its picture', async () => {
    const preset = await component('preset');
    const template = String(preset['command_template']);
    const [command = ''] = renderJinja([{ template, payload: ODD_PRESET }]);
    await watcher.publish(String(preset['command_topic']), command);
    await watcher.until('the preset', () => (camera.ptz.position.pan === 0.5 ? true : undefined));
    const left = await component('ptz-left');
    await watcher.publish(String(left['command_topic']), String(left['payload_press']));
    await watcher.until('the move', () => (camera.ptz.velocity.pan < 0 ? true : undefined));
    await watcher.until('its end', () => (camera.ptz.velocity.pan === 0 ? true : undefined));
    const press = await component('take-snapshot');
    const { image_topic } = await component('snapshot');
    await watcher.publish(String(press['command_topic']), String(press['payload_press']));
    await watcher.until('the picture', () =>
      watcher.heard.find((message) => message.topic === image_topic),
    );
  });
});
