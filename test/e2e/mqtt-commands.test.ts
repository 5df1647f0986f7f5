/** Commands over MQTT 5 and 3.1.1, through Mosquitto. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CommandError } from '../../gateway/report/commands.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { GATEWAY_ID, makeReporting, type Reporting } from '../support/reporting.ts';

const B = `sluice/${GATEWAY_ID}`;

describe('commands over MQTT', () => {
  let broker: Mosquitto;
  let watcher: MqttWatcher;
  let reporting: Reporting;
  const restarted: string[] = [];

  before(async () => {
    broker = await Mosquitto.start();
    watcher = await MqttWatcher.open(broker.url);
    // Kept by the broker from before our start: must never run.
    await watcher.publish(`${B}/cmd/stream/restart`, '{"name":"retained"}', { retain: true });
    reporting = makeReporting(
      { url: broker.url },
      {
        'stream/restart': ({ name }) => {
          restarted.push(name);
          if (name === 'nobody') throw new CommandError('unknown-stream', 'no stream nobody');
          return { name, restarted: true };
        },
      },
    );
    await reporting.reporter.start();
    await watcher.untilState(`${B}/state`, 'online');
    await untilSubscribed();
  });

  after(async () => {
    await reporting.reporter.stop();
    await watcher.close();
    await broker.stop();
  });

  async function untilSubscribed(): Promise<void> {
    await watcher.until('the subscription', () =>
      broker.output.includes(`${B}/cmd/#`) ? true : undefined,
    );
  }

  async function reply(topic: string, count = 1): Promise<{ text: string; correlation: string }> {
    const heard = await watcher.until(`a reply on ${topic}`, () =>
      watcher.heard.filter((one) => one.topic === topic).at(count - 1),
    );
    return { text: heard.text, correlation: heard.correlationData?.toString() ?? '' };
  }

  it('MQTT 5: the reply goes to the response topic with the correlation data', async () => {
    await watcher.publish(`${B}/cmd/stream/restart`, '{"name":"front"}', {
      properties: { responseTopic: 'me/replies', correlationData: Buffer.from('c-1') },
    });
    assert.deepEqual(await reply('me/replies'), {
      text: '{"ok":true,"data":{"name":"front","restarted":true}}',
      correlation: 'c-1',
    });
  });

  it('MQTT 3.1.1: the reply goes to res/<verb> with the id', async () => {
    const old = await MqttWatcher.open(broker.url, 4);
    await old.publish(`${B}/cmd/log/level`, '{"level":"debug","id":42}');
    const { text } = await reply(`${B}/res/log/level`);
    assert.equal(text, '{"id":42,"ok":true,"data":{"level":"debug"}}');
    await old.close();
  });

  it('a reply is never sent over our own state', async () => {
    await watcher.publish(`${B}/cmd/discover`, '', {
      properties: { responseTopic: `${B}/state` },
    });
    assert.equal((await reply(`${B}/res/discover`)).text, '{"ok":true,"data":[]}');
    assert.equal(watcher.state.get(`${B}/state`), 'online');
  });

  it('retained commands, stale ones, bad ones', async () => {
    await watcher.publish(`${B}/cmd/stream/restart`, '{"name":"live-retained"}', { retain: true });
    const old = new Date(Date.now() - 60_000).toISOString();
    await watcher.publish(`${B}/cmd/stream/restart`, JSON.stringify({ name: 'stale', ts: old }));
    await watcher.publish(`${B}/cmd/stream/restart`, '{"name":"nobody","id":"n"}');
    const failure =
      '{"id":"n","ok":false,"error":{"code":"unknown-stream","message":"no stream nobody"}}';
    await watcher.until('the failure', () =>
      watcher.heard.find(
        ({ topic, text }) => topic === `${B}/res/stream/restart` && text === failure,
      ),
    );
    assert.deepEqual(restarted, ['front', 'nobody']);
    await watcher.publish(`${B}/cmd/format/disk`, '{}');
    assert.match((await reply(`${B}/res/format/disk`)).text, /"code":"unknown-verb"/);
  });
});
