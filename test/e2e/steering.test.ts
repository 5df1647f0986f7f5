/**
 * Cameras steered through the whole gateway: commands over MQTT 5 (through Mosquitto: aedes, the embedded broker, takes 3.1.1
 * only) and over HTTP; a Pelco-D head on a pseudo-terminal.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { concat } from '../../codecs/bytes.ts';
import type { CommandReply } from '../../gateway/report/commands.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { hex } from '../support/hex.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { PseudoTerminal } from '../support/pseudo-terminal.ts';
import { ScriptedCamera } from '../support/scripted-camera.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';

const B = 'sluice/box';
const PATIENCE_MS = 30_000;
const PICTURE_MS = 100;

/** Pelco-D, address 1: sync, address, two command bytes, two data bytes, sum modulo 256 (the document's own rule). */
const RIGHT_FULL = 'ff010002 3f00 42'.replaceAll(' ', '');
/** Twice: nobody answers that it was heard. */
const STOP = 'ff010000000001'.repeat(2);
const GO_TO_PRESET_3 = 'ff01000700030b';

const JPEG = concat(hex`ffd8ffe0`, new Uint8Array(60_000).fill(0x4a), hex`ffd9`);

let rtsp: ScriptedCamera;
let camera: VirtualOnvif;
let terminal: PseudoTerminal;
let gateway: GatewayProcess;
let broker: Mosquitto;
let watcher: MqttWatcher;
let pictures: NodeJS.Timeout;

before(async () => {
  rtsp = await ScriptedCamera.open();
  pictures = setInterval(() => rtsp.sendPicture({ idr: true }), PICTURE_MS);
  camera = await VirtualOnvif.start({ rtspUrl: rtsp.url, auth: 'both', snapshot: JPEG });
  terminal = await PseudoTerminal.make();
  broker = await Mosquitto.start();
  gateway = await GatewayProcess.start(
    `mqtt: { url: "${broker.url}" }
serial:
  - { name: mast, path: "${terminal.path}", protocol: pelco-d, addresses: { yard: 1 } }
streams:
  yard: { source: "${rtsp.url}", ptz: mast/yard }
  gate: { source: "onvif://127.0.0.1:${camera.port}", username: admin, password: secret }
`,
  );
  watcher = await MqttWatcher.open(broker.url);
  await line('open');
});

after(async () => {
  clearInterval(pictures);
  await watcher?.close();
  await gateway?.stop();
  await broker?.stop();
  await terminal?.[Symbol.asyncDispose]();
  await camera?.close();
  await rtsp?.close();
});

async function line(state: string): Promise<Record<string, unknown>> {
  return await watcher.until(`the line is ${state}`, () => {
    const text = watcher.state.get(`${B}/serial/mast`);
    const status = text === undefined ? undefined : JSON.parse(text);
    return status?.state === state ? status : undefined;
  });
}

async function overHttp(verb: string, args: object): Promise<CommandReply> {
  const response = await fetch(`${gateway.url}/api/v1/cmd/${verb}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(args),
  });
  return (await response.json()) as CommandReply;
}

let asked = 0;

/** MQTT 5 request and response. */
async function overMqtt(verb: string, args: object): Promise<CommandReply> {
  asked += 1;
  const correlation = `c${asked}`;
  const responseTopic = `answers/${correlation}`;
  await watcher.publish(`${B}/cmd/${verb}`, JSON.stringify(args), {
    properties: { responseTopic, correlationData: Buffer.from(correlation) },
  });
  const heard = await watcher.until(`the answer to ${verb}`, () =>
    watcher.heard.find(({ topic }) => topic === responseTopic),
  );
  assert.equal(heard.correlationData?.toString(), correlation);
  assert.equal(heard.retain, false);
  return JSON.parse(heard.text) as CommandReply;
}

function dataOf(reply: CommandReply): Record<string, unknown> {
  assert.ok(reply.ok, JSON.stringify(reply));
  return reply.data as Record<string, unknown>;
}

function errorOf(reply: CommandReply): { code: string; message: string } {
  assert.ok(!reply.ok, JSON.stringify(reply));
  return reply.error;
}

describe('a Pelco-D head on a serial line', () => {
  async function received(bytes: string): Promise<void> {
    await gateway.until(
      `the head gets ${bytes}, has ${terminal.received}`,
      async () => terminal.received === bytes,
      PATIENCE_MS,
    );
    terminal.received = '';
  }

  it('a move over MQTT ends by itself, whoever asked', async () => {
    const moved = dataOf(
      await overMqtt('ptz', { name: 'yard', action: 'move', pan: 1, timeoutMs: 400 }),
    );
    assert.equal(moved['message'], 'It moves, and stops by itself after 400 ms.');
    await received(RIGHT_FULL + STOP);
  });

  it('the asker goes away at once: it stops all the same', async () => {
    const passer = await MqttWatcher.open(broker.url);
    await passer.publish(`${B}/cmd/ptz`, '{"name":"yard","action":"move","pan":1,"timeoutMs":300}');
    await passer.close();
    await received(RIGHT_FULL + STOP);
  });

  it('over HTTP: presets by number, stop', async () => {
    dataOf(await overHttp('ptz', { name: 'yard', action: 'preset', preset: 3 }));
    await received(GO_TO_PRESET_3);
    dataOf(await overHttp('ptz', { name: 'yard', action: 'stop' }));
    await received(STOP);
  });

  it('what it cannot do, and what is no request', async () => {
    const list = errorOf(await overMqtt('ptz', { name: 'yard', action: 'presets' }));
    assert.equal(list.code, 'unsupported');
    assert.match(list.message, /numbers from 1 to/);
    const bad = errorOf(await overHttp('ptz', { name: 'yard', action: 'preset', preset: 'gate' }));
    assert.equal(bad.code, 'bad-request');
    const reboot = errorOf(await overMqtt('camera/reboot', { name: 'yard' }));
    assert.equal(reboot.code, 'unsupported');
    assert.equal(terminal.received, '');
  });

  it('what moves the camera is in the info of its stream', async () => {
    const info = await watcher.until('ptz in the info', () => {
      const text = watcher.state.get(`${B}/stream/yard/info`);
      return text === undefined ? undefined : JSON.parse(text).ptz;
    });
    assert.deepEqual(info, {
      protocol: 'pelco-d',
      absolute: true,
      home: true,
      presets: 'numbers',
    });
  });

  it('the line is unplugged and comes back: told in words, and the head moves again', async () => {
    await terminal.unplug();
    const gone = await line('waiting');
    assert.match(String(gone['reason']), /Plug it in|Is it plugged in/);
    const refused = errorOf(await overMqtt('ptz', { name: 'yard', action: 'home' }));
    assert.equal(refused.code, 'unreachable');
    assert.match(refused.message, /lug/);
    await terminal.plugIn();
    await line('open');
    terminal.received = '';
    dataOf(await overMqtt('ptz', { name: 'yard', action: 'preset', preset: 3 }));
    await received(GO_TO_PRESET_3);
    const events = watcher.heard
      .filter(({ topic }) => topic === `${B}/event`)
      .map(({ text }) => JSON.parse(text).type as string);
    assert.deepEqual(events.filter((type) => type.startsWith('serial')).slice(-1), [
      'serial-online',
    ]);
    assert.ok(events.includes('serial-down'));
    assert.deepEqual(await gateway.api('serial'), [await line('open')]);
  });
});

describe('an ONVIF camera', () => {
  before(() => gateway.until('it is online', async () => isOnline('gate'), PATIENCE_MS));

  it('its snapshot is published once, and not kept', async () => {
    const topic = `${B}/stream/gate/snapshot`;
    const answer = dataOf(await overMqtt('snapshot', { name: 'gate' }));
    assert.deepEqual(
      { bytes: answer['bytes'], topic: answer['topic'] },
      { bytes: JPEG.length, topic },
    );
    const heard = await watcher.until('the snapshot', () =>
      watcher.heard.find((one) => one.topic === topic),
    );
    assert.equal(heard.text, Buffer.from(JPEG).toString());
    assert.equal(heard.retain, false);
    const late = await MqttWatcher.open(broker.url);
    await late.untilState(`${B}/stream/gate/status`);
    assert.ok(!late.state.has(topic));
    await late.close();
  });
});

async function isOnline(name: string): Promise<boolean> {
  return (await gateway.stream(name))?.status.state === 'online';
}
