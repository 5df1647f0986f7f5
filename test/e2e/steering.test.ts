/**
 * Cameras steered through the whole gateway: commands over MQTT 5 (through Mosquitto: aedes, the embedded broker, takes 3.1.1
 * only) and over HTTP; a Pelco-D head on a pseudo-terminal, and a virtual
 * ONVIF camera.
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
import { motionMessage } from '../support/virtual-onvif/event-service.ts';
import { VirtualOnvif } from '../support/virtual-onvif.ts';

const B = 'sluice/box';
const PATIENCE_MS = 30_000;
const PICTURE_MS = 100;
const HOUR_MS = 3_600_000;

/** Pelco-D, address 1: sync, address, two command bytes, two data bytes, sum modulo 256 (the document's own rule). */
const RIGHT_FULL = 'ff010002 3f00 42'.replaceAll(' ', '');
/** Twice: nobody answers that it was heard. */
const STOP = 'ff010000000001'.repeat(2);
const GO_TO_PRESET_3 = 'ff01000700030b';

const JPEG = concat(hex`ffd8ffe0`, new Uint8Array(60_000).fill(0x4a), hex`ffd9`);

let rtsp: ScriptedCamera;
/** That of the ONVIF camera. */
let gateRtsp: ScriptedCamera;
let camera: VirtualOnvif;
let terminal: PseudoTerminal;
let gateway: GatewayProcess;
let broker: Mosquitto;
let watcher: MqttWatcher;
let pictures: NodeJS.Timeout;

before(async () => {
  rtsp = await ScriptedCamera.open();
  gateRtsp = await ScriptedCamera.open();
  pictures = setInterval(() => {
    rtsp.sendPicture({ idr: true });
    gateRtsp.sendPicture({ idr: true });
  }, PICTURE_MS);
  camera = await VirtualOnvif.start({
    rtspUrl: gateRtsp.url,
    auth: 'both',
    snapshot: JPEG,
    ptz: {},
    events: {},
    clockOffsetMs: 3 * HOUR_MS,
  });
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
  await gateRtsp?.close();
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
    headers: { 'content-type': 'application/json', connection: 'close' },
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

  it('is stopped first of all: an earlier life may have left it moving', async () => {
    await received(STOP);
  });

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

  const until = (what: string, isSo: () => boolean) =>
    gateway.until(what, async () => isSo(), PATIENCE_MS);

  it('a move ends by itself, although the camera would go on', async () => {
    const timeoutMs = 500;
    dataOf(await overHttp('ptz', { name: 'gate', action: 'move', pan: -0.5, timeoutMs }));
    assert.match(camera.lastBody('ContinuousMove'), /<PanTilt[^>]* x="-0.5" y="0"/);
    await until('it stands', () => !camera.ptz.isMoving);
    assert.equal(camera.requests.filter((name) => name === 'Stop').length, 1);
  });

  it('a stop goes before what waits, and ends the moves that wait', async () => {
    const [first, second, stop] = await Promise.all([
      overMqtt('ptz', { name: 'gate', action: 'move', pan: 1, timeoutMs: 30_000 }),
      overMqtt('ptz', { name: 'gate', action: 'move', pan: -1, timeoutMs: 30_000 }),
      overMqtt('ptz', { name: 'gate', action: 'stop' }),
    ]);
    assert.ok(stop.ok);
    for (const move of [first, second]) assert.ok(move.ok || move.error.code === 'busy');
    assert.equal(camera.ptz.isMoving, false);
  });

  it('places and presets', async () => {
    dataOf(
      await overMqtt('ptz', { name: 'gate', action: 'absolute', pan: 0.5, tilt: -1, zoom: 1 }),
    );
    assert.deepEqual(camera.ptz.position, { pan: 0.5, tilt: -1, zoom: 1 });
    const kept = await overMqtt('ptz', { name: 'gate', action: 'set-preset', presetName: 'dock' });
    const { preset } = dataOf(kept);
    dataOf(await overMqtt('ptz', { name: 'gate', action: 'home' }));
    assert.deepEqual(camera.ptz.position, { pan: 0, tilt: 0, zoom: 0 });
    const { presets } = dataOf(await overHttp('ptz', { name: 'gate', action: 'presets' }));
    assert.deepEqual(presets, [{ token: preset, name: 'dock' }]);
    dataOf(await overMqtt('ptz', { name: 'gate', action: 'preset', preset }));
    assert.equal(camera.ptz.position.pan, 0.5);
    dataOf(await overMqtt('ptz', { name: 'gate', action: 'remove-preset', preset }));
    const gone = errorOf(await overMqtt('ptz', { name: 'gate', action: 'preset', preset }));
    assert.equal(gone.code, 'refused');
    assert.match(gone.message, /no such preset/);
  });

  it('what moves it, and its profile, are in its info', async () => {
    const info = await watcher.until('ptz in the info', () => {
      const text = watcher.state.get(`${B}/stream/gate/info`);
      const told = text === undefined ? undefined : JSON.parse(text);
      return told?.ptz === undefined ? undefined : told;
    });
    const ptz = { protocol: 'onvif', absolute: true, home: true, presets: 'list' };
    assert.deepEqual(info.ptz, ptz);
    assert.equal(info.profile, 'mainStream (Profile_1)');
  });

  it('its clock is told, set, and given a time server', async () => {
    const wrong = dataOf(await overMqtt('camera/clock', { name: 'gate' }));
    assert.equal(wrong['message'], 'Its clock is 3 h ahead of this box.');
    const right = dataOf(await overHttp('camera/clock', { name: 'gate', set: true }));
    assert.equal(right['message'], 'Its clock was set to that of this box. Its clock is right.');
    assert.ok(Math.abs(camera.clockOffsetMs) < 2_000);
    const ntp = dataOf(await overMqtt('camera/clock', { name: 'gate', ntp: 'pool.example' }));
    assert.deepEqual(ntp['ntpServers'], ['pool.example']);
    assert.equal(ntp['setBy'], 'ntp');
  });

  it('its encoder is read, and set on command', async () => {
    const before = dataOf(await overMqtt('camera/encoder', { name: 'gate' }));
    assert.equal(before['codec'], 'h264');
    const change = { kbps: 2048, gopFrames: 40 };
    const after = dataOf(await overMqtt('camera/encoder', { name: 'gate', ...change }));
    assert.deepEqual({ ...after, ...change }, after);
    assert.equal(after['message'], 'kbps is 2048 now. gopFrames is 40 now.');
    assert.equal(camera.media.profiles[0]?.kbps, 2048);
  });

  it('motion is told; a restart in the midst of one ends it, and the stream and motion come back', async () => {
    const topic = `${B}/stream/gate/motion`;
    const isSubscribed = () => camera.events.subscriptions.size === 1;
    await until('it is subscribed to', isSubscribed);
    camera.events.emit(motion(true));
    await watcher.untilState(topic, 'ON');
    assert.equal((await gateway.stream('gate'))?.motion, 'ON');
    camera.events.emit(motion(false));
    await watcher.untilState(topic, 'OFF');
    camera.events.emit(motion(true));
    await watcher.untilState(topic, 'ON');

    dataOf(await overMqtt('camera/reboot', { name: 'gate' }));
    assert.equal(camera.device.reboots, 1);
    camera.events.forget();
    gateRtsp.hangUp();
    await watcher.untilState(topic, 'OFF');
    await gateway.until('it is online again', () => isOnline('gate'), PATIENCE_MS);
    await until('it is subscribed to again', isSubscribed);
    camera.events.emit(motion(true));
    await watcher.untilState(topic, 'ON');
    camera.events.emit(motion(false));
    await watcher.untilState(topic, 'OFF');
  });

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

  it('whoever was logged in when its clock was set is refused once, and nobody more', () => {
    assert.ok(camera.refusals <= 1, `${camera.refusals} refusals`);
  });
});

describe('the end', () => {
  it('motion is OFF at the broker, moves are stopped, and it takes less than 2 s', async () => {
    await gateway.until('subscribed', async () => camera.events.subscriptions.size === 1);
    camera.events.emit(motion(true));
    await watcher.untilState(`${B}/stream/gate/motion`, 'ON');
    terminal.received = '';
    const move = { action: 'move', pan: 1, timeoutMs: 30_000 };
    dataOf(await overMqtt('ptz', { name: 'yard', ...move }));
    const { code, ms } = await gateway.stop();
    assert.equal(code, 0);
    assert.ok(ms < 2_000, `${ms} ms`);
    assert.equal(await terminal.hears(RIGHT_FULL + STOP), RIGHT_FULL + STOP);
    await watcher.untilState(`${B}/stream/gate/motion`, 'OFF');
    await watcher.untilState(`${B}/serial/mast`);
    await watcher.untilState(`${B}/state`, 'stopped');
    assert.equal(camera.events.subscriptions.size, 0, 'unsubscribed');
  });
});

function motion(isMoving: boolean): string {
  return motionMessage('tns1:RuleEngine/CellMotionDetector/Motion', { IsMotion: `${isMoving}` });
}

async function isOnline(name: string): Promise<boolean> {
  return (await gateway.stream(name))?.status.state === 'online';
}
