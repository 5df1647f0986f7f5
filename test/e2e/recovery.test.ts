/**
 * What the far ends see while parts of the path go away and come back, and when the gateway is told to end.
 * (healing.test.ts has the same path as its own API shows it.)
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertSameUnits, type CodedUnit } from '../support/compare-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { startGstCamera } from '../support/gst-camera.ts';
import { HostilePeer, mute } from '../support/hostile-peer.ts';
import { KeepingMaster } from '../support/keeping-master.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { nalUnit } from '../support/rtp-packets.ts';
import { answer, ScriptedCamera } from '../support/scripted-camera.ts';
import { until } from '../support/until.ts';

const SMALL = { width: 320, height: 240, bitrate: 512 } as const;
const STOP_LIMIT_MS = 2_000;
const PICTURE_MS = 40;
/** In one interleaved frame. */
const BIG_PICTURE_BYTES = 60_000;
const BIG_GOP = 50;
/** Thrown away before memory is looked at: 75 MB. */
const DROPPED_GOPS = 25;
const MAX_GROWTH_MB = 40;
/** Long enough to see a client that hammers a camera which refuses its login. */
const WATCH_LOGINS_MS = 6_000;

/** Nobody else's port, and not the usual one, which every gateway of a test run would want. */
async function embeddedBroker(): Promise<string> {
  return `mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }`;
}

function assertTimesNeverGoBack(units: readonly CodedUnit[]): void {
  for (const kind of ['video', 'audio'] as const) {
    const times = units.filter((unit) => unit.kind === kind).map((unit) => unit.dtsUs ?? NaN);
    const back = times.findIndex((time, index) => index > 0 && !(time >= times[index - 1]!));
    assert.equal(back, -1, `${kind} ${back}: ${times[back - 1]} us, then ${times[back]} us`);
  }
}

const watchers: MqttWatcher[] = [];

async function watch(url: string): Promise<MqttWatcher> {
  const watcher = await MqttWatcher.open(url);
  watchers.push(watcher);
  return watcher;
}

/** Retained topics that say how things are, by what must be the same before and after. */
function toldState(watcher: MqttWatcher): Map<string, string> {
  const told = new Map<string, string>();
  for (const [topic, text] of watcher.state) {
    if (/\/(event|res\/.*)$/.test(topic)) continue;
    const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : text;
    const state =
      typeof parsed === 'object' && parsed !== null && 'state' in parsed ? parsed.state : '';
    told.set(topic, typeof parsed === 'string' ? parsed : String(state));
  }
  return told;
}

/** 6 MB/s, of which a target that does not read soon leaves everything to the gateway. */
function keepSendingMuch(camera: ScriptedCamera): Disposable {
  let count = 1; // the camera has sent the first one by itself
  const timer = setInterval(() => {
    if (!camera.methods.includes('PLAY')) return;
    const isIdr = count % BIG_GOP === 0;
    const payload = nalUnit(isIdr ? 0x65 : 0x41, BIG_PICTURE_BYTES, count & 0x3f);
    camera.sendRtp(0, { timestamp: count * 900, marker: true, payload });
    count += 1;
  }, 10);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** A camera that sends a picture every 40 ms for as long as it is kept. */
function keepSending(camera: ScriptedCamera): Disposable {
  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    camera.sendPicture({ idr: count % 25 === 0 });
  }, PICTURE_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

describe('recovery', { concurrency: true }, () => {
  after(() => Promise.all(watchers.map((watcher) => watcher.close())));

  test('a camera reboots: one session at the master, times go on, every access unit is there', async () => {
    await using camera = await startGstCamera(SMALL);
    await using master = await KeepingMaster.listen();
    await using gateway = await GatewayProcess.start(`
streams: { cam: { source: "${camera.url}" } }
proxypublish: { targets: [ { targetUri: "${master.sink.url()}" } ] }
${await embeddedBroker()}
`);
    await until(() => master.pictures > 50, 20_000);
    const sentBefore = await camera.dump();
    await camera.kill();
    const down = await gateway.until('down', async () => {
      const stream = await gateway.stream('cam');
      return stream?.status.nextRetryAt == null ? undefined : stream.status;
    });
    assert.equal(down.state, 'unreachable');
    assert.match(down.reason, /^The camera cam at 127\.0\.0\.1/);
    assert.ok(down.code === 'ended' || down.code === 'refused', down.code);
    const before = master.units.slice();
    await camera.start();
    await until(() => master.pictures > before.length + 50, 30_000);
    const later = master.units.slice(before.length);
    assert.equal(master.sink.history.length, 1, 'sessions');
    assertTimesNeverGoBack(master.units);
    assertSameUnits(sentBefore, before.slice(0, 100), { fewest: 100 });
    assertSameUnits(await camera.dump(), later, { fewest: 80 });
    assert.equal((await gateway.stream('cam'))?.status.state, 'online');
  });

  test('the broker is killed: every access unit still arrives; afterwards all of the state is told again', async () => {
    await using camera = await startGstCamera(SMALL);
    await using master = await KeepingMaster.listen();
    const broker = await Mosquitto.start();
    try {
      await using gateway = await GatewayProcess.start(`
streams: { cam: { source: "${camera.url}" } }
proxypublish: { targets: [ { targetUri: "${master.sink.url()}" } ] }
mqtt: { url: "${broker.url}" }
`);
      const first = await watch(broker.url);
      const before = await gateway.until('all topics are there', async () => {
        const told = toldState(first);
        const isAll = ['health', 'stream/cam/info', 'stream/cam/stats', 'publish/cam/'].every(
          (part) => [...told.keys()].some((topic) => topic.startsWith(`sluice/box/${part}`)),
        );
        return isAll && [...told.values()].includes('publishing') ? told : undefined;
      });
      await broker.kill();
      const count = master.pictures;
      await until(() => master.pictures > count + 50);
      await broker.restart();
      const second = await watch(broker.url);
      await gateway.until(
        'the same state as before',
        async () => {
          const told = toldState(second);
          return [...before].every(([topic, state]) => told.get(topic) === state);
        },
        40_000,
      );
      // More come while the dump is read.
      const seen = master.units.slice();
      assertSameUnits(await camera.dump(), seen, { fewest: 100 });
      assert.equal(master.sink.history.length, 1, 'sessions');
    } finally {
      await broker.stop();
    }
  });

  test('a wrong password: said in plain words, told to nobody, and tried once', async () => {
    const wrong = 'not-the-pl4nted-one';
    const logins: (string | undefined)[] = [];
    await using camera = await startGstCamera({ ...SMALL, auth: 'digest', username: 'viewer' });
    const counting = await ScriptedCamera.open({
      DESCRIBE: (request) => {
        logins.push(request.headers.get('authorization'));
        const challenge = `Digest realm="cam", nonce="n${logins.length}", algorithm=MD5`;
        return answer(request, 401, { 'WWW-Authenticate': challenge });
      },
    });
    try {
      await using gateway = await GatewayProcess.start(`
log: { level: debug }
streams:
  real: { source: "${camera.url}", username: viewer, password: ${wrong} }
  counting: { source: "${counting.url}", username: viewer, password: ${wrong} }
${await embeddedBroker()}
`);
      const knownAt = performance.now();
      for (const name of ['real', 'counting']) {
        const status = await gateway.until(`${name} is refused`, async () => {
          const stream = await gateway.stream(name);
          return stream?.status.state === 'unauthorized' ? stream.status : undefined;
        });
        assert.equal(status.code, 'auth');
        assert.match(status.reason, /refused the login.*Check username and password/);
        const waitMs = Date.parse(status.nextRetryAt ?? '') - Date.now();
        assert.ok(waitMs > 10_000, `${name} is tried again in ${waitMs} ms`);
      }
      await sleep(Math.max(0, WATCH_LOGINS_MS - (performance.now() - knownAt)));
      assert.equal(logins.filter((login) => login !== undefined).length, 1, 'logins');
      const told = await Promise.all(['streams', 'publish', 'devices'].map((p) => gateway.api(p)));
      assert.ok(!JSON.stringify(told).includes(wrong), 'the API tells the password');
      assert.ok(gateway.log.includes('refused the login'));
      assert.ok(!gateway.log.includes(wrong), 'the log tells the password');
    } finally {
      await counting.close();
    }
  });

  test('a target that never reads: GOPs are dropped, memory is bounded, the other one has everything', async () => {
    const camera = await ScriptedCamera.open();
    using _ = keepSendingMuch(camera);
    await using good = await KeepingMaster.listen();
    await using deaf = await RtmpSink.listen({ reading: 'never' });
    try {
      await using gateway = await GatewayProcess.start(`
streams: { cam: { source: "${camera.url}", transport: tcp } }
proxypublish:
  targets:
    - { targetUri: "${good.sink.url('good')}" }
    - { targetUri: "${deaf.url('deaf')}" }
limits: { queueMaxMs: 2000 }
${await embeddedBroker()}
`);
      await until(() => good.pictures > 2 * BIG_GOP, 20_000);
      const rssMb = await gateway.rssMb();
      await gateway.until(
        'many GOPs were dropped',
        async () => {
          const publish = await gateway.publish('cam', '-deaf');
          return (publish?.status.droppedGops ?? 0) >= DROPPED_GOPS;
        },
        60_000,
      );
      const growthMb = (await gateway.rssMb()) - rssMb;
      assert.ok(growthMb < MAX_GROWTH_MB, `${growthMb} MB more`);
      assert.equal((await gateway.publish('cam', '-good'))?.status.droppedUnits, 0);
      const times = good.units.filter(({ kind }) => kind === 'video').map(({ ptsUs }) => ptsUs);
      const gaps = times.slice(1).filter((time, index) => time - (times[index] ?? 0) !== 10_000);
      assert.deepEqual(gaps, [], 'a picture every 10 ms');
    } finally {
      await camera.close();
    }
  });

  test('SIGTERM: unpublished, torn down, `stopped`', async () => {
    const camera = await ScriptedCamera.open();
    using _ = keepSending(camera);
    await using master = await KeepingMaster.listen();
    const broker = await Mosquitto.start();
    try {
      await using gateway = await GatewayProcess.start(`
streams: { cam: { source: "${camera.url}", transport: tcp } }
proxypublish: { targets: [ { targetUri: "${master.sink.url()}" } ] }
mqtt: { url: "${broker.url}" }
`);
      const watcher = await watch(broker.url);
      await watcher.untilState('sluice/box/state', 'online');
      await until(() => master.pictures > 30, 20_000);
      const { code, ms } = await gateway.stop();
      assert.equal(code, 0);
      assert.ok(ms < STOP_LIMIT_MS, `${ms} ms`);
      assert.deepEqual(master.commandNames.slice(-2), ['FCUnpublish', 'deleteStream']);
      assert.equal(camera.methods.at(-1), 'TEARDOWN');
      await watcher.untilState('sluice/box/state', 'stopped');
    } finally {
      await Promise.all([camera.close(), broker.stop()]);
    }
  });

  test('SIGTERM while everybody hangs: ends in time all the same', async () => {
    const camera = await ScriptedCamera.open({ TEARDOWN: () => '' });
    using _ = keepSending(camera);
    await using mutePeer = await HostilePeer.listen(mute);
    await using deaf = await RtmpSink.listen({ reading: 'never' });
    await using speechless = await RtmpSink.listen({ answer: 'never-answer' });
    const broker = await Mosquitto.start();
    try {
      await using gateway = await GatewayProcess.start(`
streams:
  cam: { source: "${camera.url}", transport: tcp }
  mute: { source: "rtsp://127.0.0.1:${mutePeer.port}/cam" }
proxypublish:
  targets:
    - { targetUri: "${deaf.url('deaf')}" }
    - { targetUri: "${speechless.url('speechless')}" }
    - { targetUri: "rtmp://127.0.0.1:${mutePeer.port}/mute" }
mqtt: { url: "${broker.url}" }
`);
      const watcher = await watch(broker.url);
      await watcher.untilState('sluice/box/state', 'online');
      await until(() => deaf.history.length > 0 && speechless.history.length > 0, 20_000);
      await until(() => mutePeer.connections >= 2, 20_000);
      broker.freeze();
      const { code, ms } = await gateway.stop();
      assert.equal(code, 0);
      assert.ok(ms < STOP_LIMIT_MS, `${ms} ms`);
    } finally {
      broker.thaw();
      await Promise.all([camera.close(), broker.stop()]);
    }
  });
});
