/** Another configuration while the service runs: what did not change does not notice, whoever changed the rest. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { PublishEntry } from '../../gateway/report/board.ts';
import type { CommandReply } from '../../gateway/report/commands.ts';
import { MessageType } from '../../protocols/rtmp/message.ts';
import { assertSameUnits, type CodedUnit } from '../support/compare-units.ts';
import { unitOf } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { type GstCamera, startGstCamera } from '../support/gst-camera.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { RtmpSink, type RtmpSinkSession } from '../support/rtmp-sink.ts';

const SECRET = 'planted-4711';
const WAIT_MS = 20_000;

describe('a configuration that changes while the service runs', () => {
  let door: GstCamera;
  let yard: GstCamera;
  let master: RtmpSink;
  let second: RtmpSink;
  let gateway: GatewayProcess;
  let mqtt: MqttWatcher;
  const units: CodedUnit[] = [];
  const answers: string[] = [];

  before(async () => {
    // Of the second there are several streams: with one for all of them GStreamer now and then aborts.
    const cameras = [startGstCamera({}), startGstCamera({ viewers: 'own' })];
    [door, yard] = (await Promise.all(cameras)) as [GstCamera, GstCamera];
    master = await RtmpSink.listen({
      onMessage: ({ streamName }, { typeId, timestampMs, payload }) => {
        if (streamName !== 'door' || typeId !== MessageType.video) return;
        const unit = unitOf({ type: typeId, timestampMs, body: payload.slice() });
        if (unit !== undefined) units.push(unit);
      },
    });
    second = await RtmpSink.listen();
    const mqttPort = await freePort();
    gateway = await GatewayProcess.start(`mqtt: { embedded: { listen: "127.0.0.1:${mqttPort}" } }
streams:
  # stays as it is
  door: { source: "${door.url}" }
  yard: { source: "${yard.url}", username: viewer, password: ${SECRET} }
proxypublish: { targets: [ { targetUri: "${master.url()}" } ] }
`);
    mqtt = await MqttWatcher.open(`mqtt://127.0.0.1:${mqttPort}`, 4);
    await isPublishing('door');
    await isPublishing('yard');
  });

  after(async () => {
    await mqtt?.close();
    await gateway?.stop();
    await Promise.all([door?.stop(), yard?.stop(), master?.close(), second?.close()]);
  });

  async function isPublishing(stream: string, at = ''): Promise<PublishEntry> {
    const find = async () => {
      const entry = await gateway.publish(stream, at);
      return entry?.status.state === 'publishing' ? entry : undefined;
    };
    return await gateway.until(`${stream} is published`, find, WAIT_MS);
  }

  async function isGone(stream: string): Promise<void> {
    const find = async () => (await gateway.stream(stream)) === undefined;
    await gateway.until(`${stream} is gone`, find, WAIT_MS);
    const isUnpublished = async () => (await gateway.publish(stream)) === undefined;
    await gateway.until(`${stream} is not published`, isUnpublished, WAIT_MS);
    const topics = () => [...mqtt.state.keys()].filter((topic) => topic.includes(`/${stream}/`));
    await mqtt.until(`nothing retained of ${stream}`, () => topics().length === 0 || undefined);
  }

  async function edit(change: (text: string) => string): Promise<void> {
    await writeFile(gateway.file, change(await readFile(gateway.file, 'utf8')));
  }

  async function post(verb: string, args: object): Promise<CommandReply> {
    const response = await fetch(`${gateway.url}/api/v1/cmd/${verb}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(args),
    });
    const text = await response.text();
    answers.push(text);
    return JSON.parse(text) as CommandReply;
  }

  async function ask(verb: string, args: object): Promise<CommandReply> {
    const id = `${verb} ${answers.length}`;
    await mqtt.publish(`sluice/box/cmd/${verb}`, JSON.stringify({ ...args, id }));
    const text = await mqtt.until(`the answer to ${id}`, () => {
      const found = mqtt.heard.find(
        (heard) => heard.topic === `sluice/box/res/${verb}` && heard.text.includes(id),
      );
      return found?.text;
    });
    answers.push(text);
    return JSON.parse(text) as CommandReply;
  }

  function dataOf(reply: CommandReply): Record<string, unknown> {
    assert.ok(reply.ok, JSON.stringify(reply));
    return reply.data as Record<string, unknown>;
  }

  function sessionsOf(name: string): RtmpSinkSession[] {
    return master.history.filter(({ streamName }) => streamName === name);
  }

  it('edited by hand: a stream more', async () => {
    await edit((text) => text.replace('  yard:', `  gate: { source: "${yard.url}" }\n  yard:`));
    await isPublishing('gate');
  });

  it('edited into what is not valid: told, and nothing changes', async () => {
    await edit((text) => text.replace('\nstreams:', '\nstreems:'));
    await mqtt.until('an event', () =>
      mqtt.heard.find(
        ({ topic, text }) => topic.endsWith('/event') && text.includes('did you mean streams?'),
      ),
    );
    const words = 'streems: no such key, did you mean streams?';
    await gateway.until('the log', () => Promise.resolve(gateway.log.includes(words)));
    const { problem } = dataOf(await ask('config/get', {}));
    assert.match(String(problem), /streems/);
    assert.ok((await gateway.stream('gate')) !== undefined);
    await edit((text) => text.replace('\nstreems:', '\nstreams:'));
  });

  it('SIGHUP: a stream is another, and only that one is connected anew', async () => {
    const source = yard.url.replace('rtsp://', 'rtsp://guest:guest-pass@');
    const from = gateway.log.length;
    await edit((text) => text.replace(/gate: .*/, `gate: { source: "${source}" }`));
    gateway.signal('SIGHUP');
    const line = '"applied":["streams.gate"]';
    await gateway.until('told', () => Promise.resolve(gateway.log.includes(line, from)), WAIT_MS);
    await isPublishing('gate');
    assert.ok(gateway.isRunning);
  });

  it('by MQTT: a target more, a stream less, and what has to wait', async () => {
    const { config, revision } = dataOf(await ask('config/get', {}));
    const { targets } = (config as { proxypublish: { targets: object[] } }).proxypublish;
    const patch = {
      streams: { gate: null },
      proxypublish: { targets: [{ targetUri: second.url('spare') }, ...targets] },
      http: { limits: { viewers: 7 } },
    };
    const conflict = await ask('config/set', { patch, revision: 'another' });
    assert.equal(conflict.ok ? '' : conflict.error.code, 'conflict');
    const { applied, restartNeeded } = dataOf(await ask('config/set', { patch, revision }));
    assert.deepEqual(applied, ['streams.gate', 'proxypublish.targets']);
    assert.deepEqual(restartNeeded, ['http.limits.viewers']);
    await isGone('gate');
    await isPublishing('door', 'spare');
    await isPublishing('yard', 'spare');
  });

  it('by POST: the whole is sent back as it came, then a stream is added and removed', async () => {
    const { config, revision } = dataOf(await post('config/get', {}));
    const same = dataOf(await post('config/set', { patch: config, revision }));
    assert.deepEqual([same['revision'], same['applied']], [revision, []]);
    assert.deepEqual(same['restartNeeded'], ['http.limits.viewers']);
    const args = { name: 'shed', source: yard.url, username: 'viewer', password: SECRET };
    const added = dataOf(await post('stream/add', args));
    assert.equal(added['state'], 'online');
    await isPublishing('shed');
    const again = await post('stream/add', args);
    assert.equal(again.ok ? '' : again.error.code, 'exists');
    const removed = dataOf(await post('stream/remove', { name: 'shed' }));
    assert.equal(removed['outcome'], 'removed');
    await isGone('shed');
    const nobody = await post('stream/remove', { name: 'shed' });
    assert.equal(nobody.ok ? '' : nobody.error.code, 'not-found');
  });

  it('whatever happened beside it: one session from beginning to end, and nothing lost', async () => {
    assert.equal(sessionsOf('door').length, 1);
    assert.equal(sessionsOf('yard').length, 1);
    assert.ok(sessionsOf('door').every(({ isClosed }) => !isClosed));
    const text = await readFile(gateway.file, 'utf8');
    assert.match(text, / {2}# stays as it is\n {2}door:/);
    assert.match(text, new RegExp(SECRET));
    await gateway.stop();
    assertSameUnits(await door.dump(), units, { fewest: 50 });
  });

  it('the planted password is in no answer, no topic and no line of the log', () => {
    assert.ok(answers.length > 8);
    for (const text of [...answers, gateway.log, ...mqtt.heard.map((heard) => heard.text)]) {
      assert.ok(!text.includes(SECRET), text.slice(0, 500));
    }
  });
});
