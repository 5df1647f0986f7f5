/** deploy/mqtt/mosquitto.acl with Debian's Mosquitto: one gateway reaches nothing of another; the dashboard reaches all. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { connectAsync } from 'mqtt';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { GATEWAY_ID, makeReporting, type Reporting, streamStatus } from '../support/reporting.ts';

const B = `sluice/${GATEWAY_ID}`;
const ACL = new URL('../../../deploy/mqtt/mosquitto.acl', import.meta.url);
const OTHER_ID = 'test-2';
const NOT_AUTHORIZED = 135;

const logins = [GATEWAY_ID, OTHER_ID, 'dashboard', 'homeassistant'].map((username) => ({
  username,
  password: `password-of-${username}`,
}));

function loginOf(username: string) {
  return { username, password: `password-of-${username}` };
}

describe('the ACL example', () => {
  let broker: Mosquitto;
  let reporting: Reporting;
  let dashboard: MqttWatcher;
  let other: MqttWatcher;

  before(async () => {
    broker = await Mosquitto.start({
      logins,
      files: { acl: await readFile(ACL, 'utf8') },
      lines: (folder) => [`acl_file ${folder}/acl`],
    });
    reporting = makeReporting(
      { url: broker.url, ...loginOf(GATEWAY_ID), homeAssistant: true },
      {},
      50,
    );
    reporting.board.setStreamStatus('front', streamStatus());
    await reporting.reporter.start();
    dashboard = await MqttWatcher.open(broker.url, 5, loginOf('dashboard'));
    other = await MqttWatcher.open(broker.url, 5, loginOf(OTHER_ID));
  });

  after(async () => {
    await Promise.all([dashboard.close(), other.close()]);
    await reporting.reporter.stop();
    await broker.stop();
  });

  it('a gateway is whole with it: state, sweep, commands, Home Assistant', async () => {
    await dashboard.untilState(`${B}/state`, 'online');
    await dashboard.untilState(`${B}/stream/front/status`, JSON.stringify(streamStatus()));
    await dashboard.untilState(`${B}/health`);
    await dashboard.publish(`${B}/cmd/stream/restart`, '{"name":"front","id":7}');
    await dashboard.untilState(
      `${B}/res/stream/restart`,
      '{"id":7,"ok":true,"data":{"name":"front"}}',
    );
    const home = await MqttWatcher.open(broker.url, 5, loginOf('homeassistant'));
    await home.untilState(`homeassistant/device/${GATEWAY_ID}/config`);
    await home.untilState(`homeassistant/device/${GATEWAY_ID}/front/config`);
    await home.untilState(`${B}/stream/front/status`);
    await home.close();
  });

  it('another gateway hears nothing of it, though it subscribes to everything', async () => {
    await other.publish(`sluice/${OTHER_ID}/state`, 'mine');
    await other.untilState(`sluice/${OTHER_ID}/state`, 'mine');
    reporting.board.setStreamStatus('front', streamStatus({ attempts: 1 }));
    await dashboard.untilState(
      `${B}/stream/front/status`,
      JSON.stringify(streamStatus({ attempts: 1 })),
    );
    await dashboard.publish(`${B}/cmd/log/level`, '{"level":"info"}');
    await dashboard.untilState(`${B}/res/log/level`);
    // What is sent to it after all that has come, and nothing else.
    await other.publish(`sluice/${OTHER_ID}/state`, 'last');
    await other.untilState(`sluice/${OTHER_ID}/state`, 'last');
    const topics = new Set(other.heard.map(({ topic }) => topic));
    assert.deepEqual([...topics], [`sluice/${OTHER_ID}/state`]);
  });

  it('another gateway writes nothing of it, and is told so', async () => {
    const foreign = [
      `${B}/state`,
      `${B}/stream/front/status`,
      `${B}/cmd/stream/restart`,
      `${B}/res/stream/restart`,
      `homeassistant/device/${GATEWAY_ID}/config`,
      `homeassistant/device/${GATEWAY_ID}/front/config`,
      `homeassistant/device/other/config`,
      'homeassistant/status',
      'sluice/state',
    ];
    for (const topic of foreign) {
      await assert.rejects(other.publish(topic, 'forged', { retain: true }), {
        code: NOT_AUTHORIZED,
      });
    }
    await dashboard.publish(`${B}/cmd/log/level`, '{"level":"warn","id":"after"}');
    await dashboard.until('the reply', () =>
      dashboard.heard.find(({ text }) => text.includes('"after"')),
    );
    assert.ok(!dashboard.heard.some(({ text }) => text === 'forged'));
  });

  it('no will of another gateway is published there', async () => {
    const will = { topic: `${B}/state`, payload: Buffer.from('forged will'), retain: true };
    const client = await connectAsync(broker.url, {
      protocolVersion: 5,
      reconnectPeriod: 0,
      ...loginOf(OTHER_ID),
      will: { ...will, qos: 1 },
    }).catch((error: unknown) => error);
    if (!(client instanceof Error)) (client as Awaited<ReturnType<typeof connectAsync>>).end(true);
    await dashboard.publish(`${B}/cmd/log/level`, '{"level":"warn","id":"after-will"}');
    await dashboard.until('the reply', () =>
      dashboard.heard.find(({ text }) => text.includes('"after-will"')),
    );
    assert.ok(!dashboard.heard.some(({ text }) => text === 'forged will'));
  });

  it('the dashboard commands and does not write state; without a login nobody comes in', async () => {
    await assert.rejects(dashboard.publish(`${B}/state`, 'forged'), { code: NOT_AUTHORIZED });
    await assert.rejects(dashboard.publish(`${B}/res/discover`, 'forged'), {
      code: NOT_AUTHORIZED,
    });
    for (const login of [{}, { username: GATEWAY_ID, password: 'password-of-test-2' }]) {
      await assert.rejects(
        connectAsync(broker.url, { protocolVersion: 5, reconnectPeriod: 0, ...login }),
        { code: NOT_AUTHORIZED },
      );
    }
  });
});
