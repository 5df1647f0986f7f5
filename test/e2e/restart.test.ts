/** The bundle as a service of something that starts it again: the verb `restart`, through Mosquitto, over HTTP, by the page's button. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import type { GatewayInfo } from '../../gateway/report/box-status.ts';
import type { CommandReply } from '../../gateway/report/commands.ts';
import { launchBrowser } from '../support/browser.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { PayloadSchemas } from '../support/payload-schemas.ts';
import { seriousFaults, watchPage } from './dashboard-scenario.ts';

const B = 'sluice/box';
const RESTART = 75;

describe('a service that is started again when it ends', () => {
  let schemas: PayloadSchemas;
  let broker: Mosquitto;
  let gateway: GatewayProcess;
  let mqtt: MqttWatcher;
  let supervision: Promise<void>;
  let browser: Browser;
  const exitCodes: (number | null)[] = [];
  let isUp = true;

  before(async () => {
    [schemas, broker, browser] = await Promise.all([
      PayloadSchemas.read(),
      Mosquitto.start(),
      launchBrowser(),
    ]);
    mqtt = await MqttWatcher.open(broker.url, 5);
    gateway = await GatewayProcess.start(`mqtt: { url: "${broker.url}" }\n`, { isUnit: true });
    supervision = supervise();
    await mqtt.untilState(`${B}/state`, 'online');
  });

  after(async () => {
    await Promise.all([gateway?.stop(), browser?.close()]);
    await supervision;
    await mqtt?.close();
    await broker?.stop();
  });

  /** As the unit says: Restart=always but for mistakes in the configuration; what is stopped stays stopped. */
  async function supervise(): Promise<void> {
    for (;;) {
      const code = await gateway.ended();
      exitCodes.push(code);
      if (code === 0 || code === 2) return;
      isUp = false;
      await gateway.startAgain();
      isUp = true;
    }
  }

  async function ask(verb: string, args: object = {}): Promise<CommandReply> {
    const id = `${verb} ${mqtt.heard.length}`;
    await mqtt.publish(`${B}/cmd/${verb}`, JSON.stringify({ ...args, id }));
    return await mqtt.until(`the answer to ${id}`, () => {
      const replies = mqtt.heard
        .filter(({ topic }) => topic === `${B}/res/${verb}`)
        .map(({ text }) => JSON.parse(text) as CommandReply);
      return replies.find((reply) => reply.id === id);
    });
  }

  /** Changes what waits for a restart, and only that. */
  async function setLater(patch: object, path: string): Promise<void> {
    const got = await ask('config/get');
    assert.ok(got.ok);
    const { revision } = got.data as { revision: string };
    const set = await ask('config/set', { patch, revision });
    assert.ok(set.ok, JSON.stringify(set));
    assert.deepEqual((set.data as { restartNeeded: string[] }).restartNeeded, [path]);
  }

  function info(): GatewayInfo {
    return JSON.parse(mqtt.state.get(`${B}/info`) ?? '{}') as GatewayInfo;
  }

  async function untilSession(session: number): Promise<void> {
    const isThere = () => isUp && info().session === session;
    await mqtt.until(`session ${session}`, () => isThere() || undefined);
    await mqtt.untilState(`${B}/state`, 'online');
  }

  it('does not end with a file with which it would not start', async () => {
    const text = await readFile(gateway.file, 'utf8');
    await writeFile(gateway.file, text.replace('discovery:', 'discovry:'));
    const reply = await ask('restart');
    await writeFile(gateway.file, text);
    assert.equal(schemas.problem('res-restart', reply), undefined);
    assert.ok(!reply.ok);
    assert.equal(reply.error.code, 'invalid');
    assert.match(reply.error.message, /discovry: no such key, did you mean discovery\?/);
    assert.ok(gateway.isRunning);
  });

  it('by MQTT: replies, says stopped, ends, and lives again with what waited for that', async () => {
    const { session, canRestart } = info();
    assert.equal(canRestart, true);
    await setLater({ mqtt: { homeAssistant: true } }, 'mqtt.homeAssistant');
    const since = mqtt.heard.length;
    const reply = await ask('restart');
    assert.ok(reply.ok, JSON.stringify(reply));
    assert.equal(schemas.problem('res-restart', reply), undefined);
    await untilSession(session + 1);
    assert.deepEqual(exitCodes, [RESTART]);
    const told = mqtt.heard
      .slice(since)
      .filter(({ topic }) => topic === `${B}/state` || topic === `${B}/res/restart`)
      .map(({ topic, text }) => (topic.endsWith('state') ? text : 'reply'));
    assert.deepEqual(told, ['reply', 'stopped', 'online']);
  });

  it('by the page’s button beside what waits for it; the page says when the gateway is back', async () => {
    const { session } = info();
    await setLater({ discovery: { intervalMs: 30_000 } }, 'discovery.intervalMs');
    const { page } = await watchPage(await browser.newPage(), `${gateway.url}/#/settings`);
    page.on('dialog', (dialog) => void dialog.accept());
    const notice = page.locator('.notice-warn');
    await notice.getByText('discovery.intervalMs').waitFor();
    assert.deepEqual(await seriousFaults(page), []);
    await notice.getByRole('button', { name: 'Restart now' }).click();
    await page.getByText('The gateway is back.').waitFor();
    await untilSession(session + 1);
    await notice.waitFor({ state: 'detached' });
    await page.close();
    assert.deepEqual(exitCodes, [RESTART, RESTART]);
  });

  it('by the button that Home Assistant has now', async () => {
    const { session } = info();
    const device = JSON.parse(await mqtt.untilState('homeassistant/device/box/config'));
    const { command_topic, payload_press } = device.cmps.restart;
    await mqtt.publish(command_topic, payload_press, { qos: 0 });
    await untilSession(session + 1);
    assert.deepEqual(exitCodes, [RESTART, RESTART, RESTART]);
  });

  it('over HTTP: the answer comes before the end', async () => {
    const { session } = info();
    const response = await fetch(`${gateway.url}/api/v1/cmd/restart`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const body: unknown = await response.json();
    assert.equal(response.status, 200);
    assert.equal(schemas.httpAnswer('post', '/api/v1/cmd/restart', 200, body), undefined);
    await untilSession(session + 1);
    assert.deepEqual(exitCodes, Array(4).fill(RESTART));
  });

  it('what is stopped stays stopped', async () => {
    gateway.signal('SIGTERM');
    await supervision;
    assert.equal(exitCodes.at(-1), 0);
    assert.equal(await mqtt.untilState(`${B}/state`, 'stopped'), 'stopped');
  });
});
