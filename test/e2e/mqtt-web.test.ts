/** `/mqtt` of the HTTP server: MQTT over WebSocket for pages, beside any broker. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import packets from 'mqtt-packet';
import { WebSocket } from 'ws';
import { HttpServer } from '../../gateway/http/http-server.ts';
import { lazyRoute } from '../../gateway/http/lazy-routes.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import {
  collectingLog,
  GATEWAY_ID,
  makeReporting,
  type Reporting,
  streamStatus,
} from '../support/reporting.ts';

const B = `sluice/${GATEWAY_ID}`;

describe('/mqtt beside a broker elsewhere', { concurrency: true }, () => {
  let broker: Mosquitto;
  let reporting: Reporting;
  let http: HttpServer;
  let url: string;

  before(async () => {
    broker = await Mosquitto.start();
    reporting = makeReporting({ url: broker.url });
    reporting.board.setStreamStatus('front', streamStatus());
    await reporting.reporter.start();
    http = await serve(reporting);
    url = `ws://127.0.0.1:${http.port}/mqtt`;
  });

  after(async () => {
    await reporting.reporter.stop();
    await http.stop();
    await broker.stop();
  });

  it('a page hears what the broker hears, and its commands are answered to it alone', async () => {
    const [page, elsewhere] = await Promise.all([
      MqttWatcher.open(url, 4),
      MqttWatcher.open(broker.url),
    ]);
    for (const watcher of [page, elsewhere]) {
      await watcher.untilState(`${B}/state`, 'online');
      await watcher.untilState(`${B}/stream/front/status`);
      await watcher.untilState(`${B}/health`);
    }
    reporting.board.setStreamStatus('side', streamStatus({ attempts: 3 }));
    for (const watcher of [page, elsewhere]) {
      await watcher.untilState(
        `${B}/stream/side/status`,
        JSON.stringify(streamStatus({ attempts: 3 })),
      );
    }
    await page.publish(`${B}/cmd/stream/restart`, '{"name":"front","id":"p1"}');
    await page.untilState(
      `${B}/res/stream/restart`,
      '{"id":"p1","ok":true,"data":{"name":"front"}}',
    );
    reporting.board.emit('event', { at: 'now', type: 'seen', message: 'by both' });
    for (const watcher of [page, elsewhere]) {
      await watcher.until('the event', () =>
        watcher.heard.find(({ text }) => /by both/.test(text)),
      );
    }
    assert.ok(!elsewhere.heard.some(({ topic }) => topic.includes('/res/')));
    reporting.board.removeStream('side');
    for (const watcher of [page, elsewhere]) {
      await watcher.until('removed', () =>
        watcher.state.has(`${B}/stream/side/status`) ? undefined : true,
      );
    }
    await Promise.all([page.close(), elsewhere.close()]);
  });

  const forbidden = [
    ['state', `${B}/state`, { qos: 1 }],
    ['another gateway’s command', 'sluice/other/cmd/discover', { qos: 1 }],
    ['a retained command', `${B}/cmd/discover`, { qos: 1, retain: true }],
    ['QoS 2', `${B}/cmd/discover`, { qos: 2 }],
  ] as const;
  for (const [what, topic, options] of forbidden) {
    it(`publishing ${what} ends the page’s connection, and nobody hears it`, async () => {
      const page = await connectAsync(url, { protocolVersion: 4, reconnectPeriod: 0 });
      const other = await MqttWatcher.open(url, 4);
      const closed = closeOf(page);
      page.publish(topic, `forbidden ${what}`, options, () => {});
      await closed;
      await other.untilState(`${B}/state`, 'online');
      assert.ok(!other.heard.some(({ text }) => text.startsWith('forbidden')));
      await other.close();
    });
  }

  it('a will is refused like any other publication', async () => {
    const other = await MqttWatcher.open(url, 4);
    const page = await connectAsync(url, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      will: { topic: `${B}/state`, payload: Buffer.from('boo'), qos: 0, retain: true },
    });
    const closed = closeOf(page);
    page.stream.destroy();
    await closed;
    await other.untilState(`${B}/state`, 'online');
    const late = await MqttWatcher.open(url, 4);
    await late.untilState(`${B}/state`, 'online');
    assert.ok(!other.heard.some(({ text }) => text === 'boo'));
    await Promise.all([other.close(), late.close()]);
  });

  it('without a subprotocol; not with one of others; GET without an upgrade is told so', async () => {
    const plain = new WebSocket(url);
    await once(plain, 'open');
    assert.equal(plain.protocol, '');
    plain.send(packets.generate({ cmd: 'connect', clientId: 'plain', clean: true, keepalive: 0 }));
    const [connack] = await once(plain, 'message');
    assert.deepEqual(connack, Buffer.of(0x20, 2, 0, 0));
    plain.terminate();
    const other = new WebSocket(url, ['chat']);
    await once(other, 'error');
    const answer = await fetch(url.replace('ws:', 'http:'));
    assert.equal(answer.status, 426);
    assert.equal(
      ((await answer.json()) as { error: { code: string } }).error.code,
      'upgrade-required',
    );
  });

  it('packets too large, words, and nonsense end one connection', async () => {
    const bad = [
      Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x61),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(300 * 1024),
      'words',
    ];
    await Promise.all(
      bad.map(async (bytes) => {
        const page = new WebSocket(url, 'mqtt');
        page.on('error', () => {});
        await once(page, 'open');
        const closed = once(page, 'close');
        page.send(bytes);
        await closed;
      }),
    );
    const page = await MqttWatcher.open(url, 4);
    await page.untilState(`${B}/state`, 'online');
    await page.close();
  });

  it('a page that does not read is closed, and others hear everything meanwhile', async () => {
    const lazy = new WebSocket(url, 'mqtt');
    await once(lazy, 'open');
    lazy.send(packets.generate({ cmd: 'connect', clientId: 'lazy', clean: true, keepalive: 0 }));
    await once(lazy, 'message');
    const subscriptions = [{ topic: '#', qos: 0 as const }];
    lazy.send(packets.generate({ cmd: 'subscribe', messageId: 1, subscriptions }));
    await once(lazy, 'message');
    lazy.pause();
    const quick = await MqttWatcher.open(url, 4);
    const isClosed = () =>
      reporting.lines.some(({ err }) =>
        /does not read/.test((err as Error | undefined)?.message ?? ''),
      );
    const jpeg = Buffer.alloc(200_000, 1);
    let told = 0;
    await quick.until('the lazy one is closed', () => {
      if (reporting.reporter.tellSnapshot('front', jpeg) !== undefined) told += 1;
      return isClosed() ? true : undefined;
    });
    await quick.until('all of them', () =>
      quick.heard.filter(({ topic }) => topic.endsWith('/front/snapshot')).length >= told
        ? true
        : undefined,
    );
    await quick.close();
    lazy.terminate();
  });
});

async function serve({ reporter }: Reporting): Promise<HttpServer> {
  const http = new HttpServer({
    listen: '127.0.0.1:0',
    limits: { viewers: 10, viewersPerAddress: 10 },
    cors: [],
    play: undefined,
    admin: undefined,
    routes: [lazyRoute(/^\/mqtt$/, 'admin', () => reporter.webRoutes())],
    log: collectingLog().log,
  });
  await http.start();
  return http;
}

function closeOf(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once('close', () => resolve()));
}
