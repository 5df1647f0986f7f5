/** The reporter against Debian's Mosquitto: state, loss of the broker, last will, login. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import {
  GATEWAY_ID,
  makeReporting,
  publishStatus,
  streamStats,
  streamStatus,
} from '../support/reporting.ts';

const B = `sluice/${GATEWAY_ID}`;

describe('MQTT with Mosquitto', () => {
  let broker: Mosquitto;
  let watcher: MqttWatcher;

  before(async () => {
    broker = await Mosquitto.start();
    watcher = await MqttWatcher.open(broker.url);
  });

  after(async () => {
    await watcher.close();
    await broker.stop();
  });

  it('tells everything retained, changes, removals, and stopped at the end', async () => {
    const { board, reporter, lines } = makeReporting({ url: broker.url });
    board.setStreamStatus('front', streamStatus());
    board.setPublish('front', 'master', publishStatus(), 'status');
    board.setFound({
      ...{ id: 'cam-1', via: ['mdns'], addresses: ['10.0.0.2'], lastSeenAt: 'now' },
      ...{ code: 'undecided', reason: 'Nobody has decided.' },
    });
    await reporter.start();
    try {
      await watcher.untilState(`${B}/state`, 'online');
      const status = JSON.parse(await watcher.untilState(`${B}/stream/front/status`));
      assert.deepEqual(status, streamStatus());
      await watcher.untilState(`${B}/publish/front/master`, JSON.stringify(publishStatus()));
      await watcher.untilState(`${B}/found/cam-1`);
      const info = JSON.parse(await watcher.untilState(`${B}/info`));
      assert.equal(info.schema, 1);
      assert.equal(info.session, 7);
      assert.deepEqual(info.streams, ['front']);
      const health = JSON.parse(await watcher.untilState(`${B}/health`));
      assert.equal(health.streamsUp, 1);
      assert.equal(health.publishesUp, 1);
      assert.ok(health.rssMb > 10);
      const connected = lines.find(({ msg }) => msg === 'connected to the MQTT broker');
      assert.equal(connected?.['protocolVersion'], 5);

      board.setStreamStatus('front', streamStatus({ state: 'stalled', code: 'no-data' }));
      await watcher.until('stalled', () =>
        watcher.state.get(`${B}/stream/front/status`)?.includes('stalled') ? true : undefined,
      );
      board.removeStream('front');
      board.removePublish('front', 'master');
      board.removeFound('cam-1');
      await watcher.until('removals', () =>
        [...watcher.state.keys()].some((topic) => /front|cam-1/.test(topic)) ? undefined : true,
      );
    } finally {
      await reporter.stop();
    }
    await watcher.untilState(`${B}/state`, 'stopped');
    const late = await MqttWatcher.open(broker.url);
    const state = await late.untilState(`${B}/state`);
    assert.equal(state, 'stopped');
    assert.ok(late.heard.every(({ topic }) => !/front|cam-1/.test(topic)));
    await late.close();
  });

  it('changes that come quickly are one message, the newest', async () => {
    const { board, reporter } = makeReporting({ url: broker.url });
    board.setStreamStatus('flap', streamStatus());
    await reporter.start();
    await watcher.untilState(`${B}/stream/flap/status`);
    const before = watcher.heard.length;
    for (let n = 1; n <= 50; n += 1) {
      board.setStreamStatus('flap', streamStatus({ attempts: n }));
    }
    await watcher.untilState(
      `${B}/stream/flap/status`,
      JSON.stringify(streamStatus({ attempts: 50 })),
    );
    await reporter.stop();
    const told = watcher.heard.slice(before).filter(({ topic }) => topic.includes('/flap/status'));
    assert.equal(told.length, 1);
  });

  it('a wide board arrives whole through the broker’s window, and then the last stats', async () => {
    const { board, reporter } = makeReporting({ url: broker.url });
    for (let n = 0; n < 300; n += 1) board.setStreamStatus(`wide-${n}`, streamStatus());
    board.setStreamStats('wide-0', streamStats());
    await reporter.start();
    try {
      await watcher.untilState(`${B}/stream/wide-0/stats`, JSON.stringify(streamStats()));
      const topics = watcher.heard.map(({ topic }) => topic);
      const before = topics.slice(0, topics.indexOf(`${B}/stream/wide-0/stats`));
      const wide = before.filter((topic) => /\/wide-\d+\/status$/.test(topic));
      assert.equal(new Set(wide).size, 300);
      assert.equal(watcher.heard.at(before.length)?.retain, false);
    } finally {
      await reporter.stop();
    }
  });

  it('the broker is killed and returns empty: the whole set is there again, as it is now', async () => {
    const { board, reporter, lines } = makeReporting({ url: broker.url });
    board.setStreamStatus('front', streamStatus());
    board.setStreamStatus('gone', streamStatus());
    await reporter.start();
    try {
      await watcher.untilState(`${B}/stream/gone/status`);
      await broker.kill();
      await watcher.until('the reporter notices', () => (reporter.isConnected ? undefined : true));
      board.removeStream('gone');
      const now = streamStatus({ state: 'unreachable', code: 'network', attempts: 3 });
      board.setStreamStatus('front', now);
      await broker.restart();
      const fresh = await MqttWatcher.open(broker.url);
      await fresh.untilState(`${B}/stream/front/status`, JSON.stringify(now));
      await fresh.untilState(`${B}/state`, 'online');
      assert.equal(fresh.state.has(`${B}/stream/gone/status`), false);
      await fresh.close();
      const warning = lines.find(({ level }) => level === 40);
      assert.match(String(warning?.['msg']), /The MQTT broker mqtt:\/\/127\.0\.0\.1:\d+/);
    } finally {
      await reporter.stop();
    }
  });

  it('a broker that hangs delays nobody, and hears the newest state when it wakes', async () => {
    const { board, reporter } = makeReporting({ url: broker.url });
    board.setStreamStatus('front', streamStatus());
    await reporter.start();
    try {
      await watcher.untilState(`${B}/stream/front/status`, JSON.stringify(streamStatus()));
      broker.freeze();
      const flooding = performance.now();
      for (let n = 1; n <= 100_000; n += 1) {
        board.setStreamStatus('front', streamStatus({ attempts: n }));
        board.emit('event', { at: 'now', type: 'flood', message: 'x'.repeat(100) });
      }
      assert.ok(performance.now() - flooding < 5_000);
      broker.thaw();
      const newest = JSON.stringify(streamStatus({ attempts: 100_000 }));
      await watcher.untilState(`${B}/stream/front/status`, newest);
      // The burst, and one for each second that this took.
      const events = watcher.heard.filter(({ text }) => text.includes('flood'));
      assert.ok(events.length <= 30 + 20, `${events.length} events`);
      broker.freeze();
      const stopping = performance.now();
      await reporter.stop();
      assert.ok(performance.now() - stopping < 2_000);
    } finally {
      broker.thaw();
      await reporter.stop();
    }
  });

  it('what an earlier life left behind is removed', async () => {
    await watcher.publish(`${B}/stream/old/status`, '{}', { retain: true });
    await watcher.publish(`${B}/found/old`, '{}', { retain: true });
    const jpeg = 'j'.repeat(300_000);
    await watcher.publish(`${B}/stream/old/snapshot`, jpeg, { retain: true });
    await watcher.publish(`other/stream/old/status`, '{}', { retain: true });
    const { board, reporter } = makeReporting({ url: broker.url }, {}, 50);
    board.setStreamStatus('new', streamStatus());
    await reporter.start();
    const old = ['stream/old/status', 'stream/old/snapshot', 'found/old'];
    await watcher.until('the sweep', () =>
      old.some((topic) => watcher.state.has(`${B}/${topic}`)) ? undefined : true,
    );
    assert.ok(watcher.state.has(`${B}/stream/new/status`));
    assert.ok(watcher.state.has('other/stream/old/status'));
    await reporter.stop();
  });

  it('a process that is killed shows as offline by its last will', async () => {
    const script = fileURLToPath(new URL('../support/reporter-process.js', import.meta.url));
    const child = spawn(process.execPath, [script, broker.url], { stdio: 'inherit' });
    await watcher.untilState(`${B}/state`, 'online');
    const killedAt = performance.now();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await watcher.untilState(`${B}/state`, 'offline');
    assert.ok(performance.now() - killedAt > 3_500, 'whoever is back within 5 s was never away');
  });

  it('a process that is back within the will’s delay was never away', async () => {
    const script = fileURLToPath(new URL('../support/reporter-process.js', import.meta.url));
    const child = spawn(process.execPath, [script, broker.url], { stdio: 'inherit' });
    await watcher.untilState(`${B}/state`, 'online');
    const before = watcher.heard.length;
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { reporter } = makeReporting({ url: broker.url });
    await reporter.start();
    await watcher.until('online again', () =>
      watcher.heard
        .slice(before)
        .find(({ topic, text }) => topic === `${B}/state` && text === 'online'),
    );
    await reporter.stop();
    await watcher.untilState(`${B}/state`, 'stopped');
    assert.ok(!watcher.heard.slice(before).some(({ text }) => text === 'offline'));
  });

  it('snapshots every so often: kept, of streams that are online, removed with the stream', async () => {
    const asked: string[] = [];
    const { board, reporter } = makeReporting(
      { url: broker.url, snapshotIntervalMs: 60_000 },
      {},
      60_000,
      (stream) => {
        asked.push(stream);
        if (stream === 'broken') return Promise.reject(new Error('no picture'));
        return stream === 'none' ? undefined : Promise.resolve(Buffer.from(`JPEG of ${stream}`));
      },
    );
    for (const name of ['broken', 'none', 'front']) board.setStreamStatus(name, streamStatus());
    board.setStreamStatus('away', streamStatus({ state: 'unreachable', code: 'network' }));
    await reporter.start();
    await watcher.untilState(`${B}/stream/front/snapshot`, 'JPEG of front');
    const late = await MqttWatcher.open(broker.url);
    await late.untilState(`${B}/stream/front/snapshot`, 'JPEG of front');
    await late.close();
    assert.ok(!asked.includes('away'));
    board.removeStream('front');
    await watcher.until('the removal', () =>
      watcher.state.has(`${B}/stream/front/snapshot`) ? undefined : true,
    );
    await reporter.stop();
  });

  it('a will that is published late does not stay', async () => {
    const { reporter } = makeReporting({ url: broker.url });
    await reporter.start();
    await watcher.untilState(`${B}/state`, 'online');
    await watcher.publish(`${B}/state`, 'offline', { retain: true });
    await watcher.until('offline, then online', () => {
      const told = watcher.heard.filter(({ topic }) => topic === `${B}/state`);
      return told.at(-2)?.text === 'offline' && told.at(-1)?.text === 'online' ? true : undefined;
    });
    await reporter.stop();
  });

  it('events are heard, without secrets, and not kept', async () => {
    const { board, reporter } = makeReporting({ url: broker.url });
    await reporter.start();
    await watcher.untilState(`${B}/state`, 'online');
    await watcher.until('connected', () => (reporter.isConnected ? true : undefined));
    board.emit('event', {
      at: 'now',
      type: 'stream-lost',
      message: 'rtsp://u:pw@10.0.0.1/ is gone',
    });
    const event = await watcher.until('the event', () =>
      watcher.heard.find(({ text }) => text.includes('stream-lost')),
    );
    assert.equal(JSON.parse(event.text).message, 'rtsp://***@10.0.0.1/ is gone');
    await reporter.stop();
    const late = await MqttWatcher.open(broker.url);
    await late.untilState(`${B}/state`, 'stopped');
    assert.equal(late.state.has(`${B}/event`), false);
    await late.close();
  });
});

describe('MQTT with a login', () => {
  it('the right password gets in, a wrong one is a plain reason without the password', async () => {
    const login = { username: 'gw', password: 'right-Pa55' };
    const broker = await Mosquitto.start({ logins: [login] });
    const good = makeReporting({ url: broker.url, ...login });
    await good.reporter.start();
    const watcher = await MqttWatcher.open(broker.url, 5, login);
    await watcher.untilState(`${B}/state`, 'online');
    await good.reporter.stop();

    const bad = makeReporting({ url: broker.url, username: 'gw', password: 'wrong-Pa55' });
    await bad.reporter.start();
    const line = await watcher.until('a warning', () =>
      bad.lines.find(({ level }) => level === 40),
    );
    assert.equal(line['code'], 'auth');
    assert.match(String(line['msg']), /refused the login. Check mqtt.username and mqtt.password/);
    assert.doesNotMatch(JSON.stringify(bad.lines), /wrong-Pa55/);
    await bad.reporter.stop();
    await watcher.close();
    await broker.stop();
  });
});

describe('MQTT with a broker that does not take everything', () => {
  it('packets are bounded, and one topic is another’s: the rest is told, and why that is not', async () => {
    const broker = await Mosquitto.start({
      files: { acl: `topic readwrite #\ntopic deny ${B}/found/+\n` },
      lines: (folder) => [`acl_file ${folder}/acl`, 'max_packet_size 1000'],
    });
    const { board, reporter, lines } = makeReporting({ url: broker.url });
    const watcher = await MqttWatcher.open(broker.url);
    const device = { via: ['mdns' as const], addresses: ['10.0.0.2'], lastSeenAt: 'now' };
    for (let n = 0; n < 30; n += 1) {
      const decided = { code: 'undecided', reason: 'Nobody has decided.' } as const;
      board.setFound({ id: `cam-${n}`, ...device, ...decided });
      board.setStreamStatus(`large-${n}`, streamStatus({ reason: '“very long”'.repeat(70) }));
    }
    board.setStreamStatus('last', streamStatus());
    await reporter.start();
    try {
      await watcher.untilState(`${B}/stream/last/status`, JSON.stringify(streamStatus()));
      assert.equal(reporter.isConnected, true);
      assert.ok(![...watcher.state.keys()].some((topic) => /found|large/.test(topic)));
      const words = lines.filter(({ level }) => level === 40).map(({ msg }) => String(msg));
      assert.equal(words.length, 1, 'more in a minute');
      assert.match(words[0] ?? '', /does not take sluice\/\S+: .*(takes 1000 bytes|authorized)/);
    } finally {
      await reporter.stop();
      await watcher.close();
      await broker.stop();
    }
  });
});
