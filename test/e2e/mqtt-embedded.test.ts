/** The broker inside the service, met by an ordinary 3.1.1 client. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import packets from 'mqtt-packet';
import { HealthSampler } from '../../gateway/report/health.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import {
  GATEWAY_ID,
  makeReporting,
  publishStatus,
  streamStats,
  streamStatus,
} from '../support/reporting.ts';
import { untilClosed } from '../support/until-closed.ts';

const B = `sluice/${GATEWAY_ID}`;

describe('the embedded broker', () => {
  it('holds the state, takes commands, and survives clients that talk nonsense', async () => {
    const { board, reporter } = makeReporting({ embedded: { listen: '127.0.0.1:0' } });
    board.setStreamStatus('front', streamStatus());
    await reporter.start();
    const url = `mqtt://127.0.0.1:${reporter.embeddedPort}`;
    const nonsense = connect(reporter.embeddedPort!, '127.0.0.1');
    nonsense.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await untilClosed(nonsense);

    const watcher = await MqttWatcher.open(url, 4);
    assert.equal(packets.writeToStream.cacheNumbers, false, 'a table of 17 MB');
    await watcher.untilState(`${B}/state`, 'online');
    await watcher.untilState(`${B}/stream/front/status`, JSON.stringify(streamStatus()));
    board.setStreamStatus('front', streamStatus({ state: 'stalled', code: 'no-data' }));
    await watcher.until('the change', () =>
      watcher.state.get(`${B}/stream/front/status`)?.includes('stalled') ? true : undefined,
    );
    await watcher.publish(`${B}/cmd/stream/restart`, '{"name":"front","id":1}');
    await watcher.until('the reply', () => watcher.state.get(`${B}/res/stream/restart`));
    assert.equal(
      watcher.state.get(`${B}/res/stream/restart`),
      '{"id":1,"ok":true,"data":{"name":"front"}}',
    );
    await watcher.publish(`${B}/cmd/stream/restart`, '{"name":"kept","id":2}', { retain: true });
    board.removeStream('front');
    await watcher.until('the removal', () =>
      watcher.state.has(`${B}/stream/front/status`) ? undefined : true,
    );
    assert.ok(
      !watcher.heard.some(({ topic, text }) => topic.includes('/res/') && text.includes('kept')),
    );
    const before = Date.now();
    await reporter.stop();
    assert.ok(Date.now() - before < 2_000);
    await watcher.until('stopped', () => watcher.heard.find(({ text }) => text === 'stopped'));
    await watcher.close();
  });

  it('every 10 s, and to whoever comes: health, stats and counters; stats are not kept', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { board, reporter } = makeReporting({ embedded: { listen: '127.0.0.1:0' } });
    const stats = streamStats();
    board.setStreamStatus('front', streamStatus());
    board.setStreamStats('front', stats);
    board.setPublish('front', 'master', publishStatus(), 'status');
    await reporter.start();
    const url = `mqtt://127.0.0.1:${reporter.embeddedPort}`;
    const watcher = await MqttWatcher.open(url, 4);
    await watcher.untilState(`${B}/health`);
    board.setPublish('front', 'master', publishStatus({ bytes: 5 }), 'stats');
    const counted = watcher.heard.length;
    t.mock.timers.tick(10_000);
    await watcher.untilState(`${B}/stream/front/stats`, JSON.stringify(stats));
    await watcher.untilState(
      `${B}/publish/front/master`,
      JSON.stringify(publishStatus({ bytes: 5 })),
    );
    await watcher.until('health again', () =>
      watcher.heard.slice(counted).find(({ topic }) => topic === `${B}/health`),
    );
    const late = await MqttWatcher.open(url, 4);
    await late.untilState(`${B}/publish/front/master`);
    assert.ok(late.state.has(`${B}/health`));
    await late.untilState(`${B}/stream/front/stats`, JSON.stringify(stats));
    const toldTo = ({ heard }: MqttWatcher) =>
      heard.filter(({ topic }) => topic === `${B}/stream/front/stats`);
    assert.deepEqual(
      toldTo(late).map(({ retain }) => retain),
      [false],
    );
    // When it came, and after the 10 s.
    assert.equal(toldTo(watcher).length, 2);
    // As with no file descriptor left: nothing is told, and nothing else happens.
    const sample = t.mock.method(HealthSampler.prototype, 'sample', () =>
      Promise.reject(new Error('EMFILE')),
    );
    t.mock.timers.tick(10_000);
    await late.until('stats again', () => (toldTo(late).length > 1 ? true : undefined));
    assert.ok(sample.mock.callCount() > 0);
    await late.close();
    await watcher.close();
    await reporter.stop();
  });

  it('another configuration is told at once', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { board, reporter, source } = makeReporting({ embedded: { listen: '127.0.0.1:0' } });
    await reporter.start();
    const watcher = await MqttWatcher.open(`mqtt://127.0.0.1:${reporter.embeddedPort}`, 4);
    const told = await watcher.untilState(`${B}/info`);
    source.configHash = 'another';
    board.emit('event', { at: 'now', type: 'config-changed', message: 'It was changed.' });
    const now = told.replace('"configHash":"abc"', '"configHash":"another"');
    try {
      await watcher.untilState(`${B}/info`, now);
    } finally {
      await watcher.close();
      await reporter.stop();
    }
  });

  it('motion as a word, kept while its stream is there; a snapshot as it is, not kept; serial lines', async () => {
    const { board, reporter } = makeReporting({ embedded: { listen: '127.0.0.1:0' } });
    const jpeg = Buffer.from([0xff, 0xd8, 0x00, 0x80, 0xff, 0xd9]);
    assert.equal(reporter.tellSnapshot('front', jpeg), undefined, 'there is no broker yet');
    board.setMotion('nobody', 'ON');
    board.setStreamStatus('front', streamStatus());
    board.setMotion('front', 'ON');
    await reporter.start();
    const url = `mqtt://127.0.0.1:${reporter.embeddedPort}`;
    const watcher = await MqttWatcher.open(url, 4);
    await watcher.untilState(`${B}/stream/front/motion`, 'ON');
    board.setMotion('front', 'OFF');
    await watcher.untilState(`${B}/stream/front/motion`, 'OFF');
    assert.equal(reporter.tellSnapshot('front', jpeg), `${B}/stream/front/snapshot`);
    const snapshot = await watcher.until('the snapshot', () =>
      watcher.heard.find(({ topic }) => topic === `${B}/stream/front/snapshot`),
    );
    assert.equal(snapshot.text, jpeg.toString());
    assert.equal(snapshot.retain, false);
    const line = {
      name: 'mast',
      path: '/dev/ttyUSB0',
      state: 'waiting',
      code: 'lost',
      reason: '/dev/ttyUSB0 has gone.',
      since: '2026-01-01T00:00:00.000Z',
    } as const;
    board.setSerial(line);
    await watcher.untilState(`${B}/serial/mast`, JSON.stringify(line));
    const late = await MqttWatcher.open(url, 4);
    await late.untilState(`${B}/stream/front/motion`, 'OFF');
    await late.untilState(`${B}/serial/mast`);
    assert.ok(!late.state.has(`${B}/stream/front/snapshot`));
    assert.ok(!late.state.has(`${B}/stream/nobody/motion`));
    board.removeStream('front');
    await watcher.until('the removal', () =>
      watcher.state.has(`${B}/stream/front/motion`) ? undefined : true,
    );
    await late.close();
    await watcher.close();
    await reporter.stop();
  });

  it('its port is taken: one warning that says what to do, the service goes on, and listens once it can', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { board, reporter, lines } = makeReporting({ embedded: { listen: `127.0.0.1:${port}` } });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await reporter.start();
    board.setStreamStatus('front', streamStatus());
    other.close();
    await once(other, 'close');
    while (reporter.embeddedPort === undefined) {
      t.mock.timers.tick(1_000);
      await new Promise(setImmediate);
    }
    t.mock.timers.reset();
    const watcher = await MqttWatcher.open(`mqtt://127.0.0.1:${port}`, 4);
    await watcher.untilState(`${B}/stream/front/status`);
    await watcher.close();
    await reporter.stop();
    const warnings = lines.filter(({ level }) => level === 40);
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0]?.['listen'], `127.0.0.1:${port}`);
    assert.match(String(warnings[0]?.['msg']), /port is in use.*mqtt\.url.*mqtt\.embedded\.listen/);
  });
});
