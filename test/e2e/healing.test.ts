/**
 * The path heals by itself: nothing runs when the gateway starts, then each part of the path goes
 * away and comes back.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertSameUnits } from '../support/compare-units.ts';
import { flvUnits } from '../support/flv-units.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { startGstCamera } from '../support/gst-camera.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { NginxRtmp } from '../support/nginx-rtmp.ts';

const PASSWORD = 'pl4nted-s3cret';
const MASTER_AWAY_MS = 20_000;

/** What a player gets of the stream in so many seconds. */
async function play(url: string, seconds: number): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-played-'));
  const file = join(folder, 'played.flv');
  const args = [
    '-v',
    'error',
    '-rw_timeout',
    '15000000',
    '-i',
    url,
    '-c',
    'copy',
    '-f',
    'flv',
    file,
  ];
  const player = spawn('ffmpeg', args, { stdio: 'ignore' });
  const limit = setTimeout(() => player.kill('SIGINT'), seconds * 1000);
  await once(player, 'exit');
  clearTimeout(limit);
  const bytes = await readFile(file);
  await rm(folder, { recursive: true });
  return bytes;
}

/** go2rtc#258, #39, #1611 (reboot), #1787, #1574, #1176 (needs a hand); mediamtx#203, #2998, #1893, #3568, #2007, #4822, NMS#57 (a hook that dies). */
test('the path heals by itself', async (t) => {
  // Ports are found by starting once; then nothing is there when the gateway starts.
  const camera = await startGstCamera({
    audio: 'aac',
    bframes: 2,
    bitrate: 2000,
    auth: 'digest',
    username: 'viewer',
    password: PASSWORD,
  });
  const master = await NginxRtmp.start();
  const broker = await Mosquitto.start();
  await Promise.all([camera.kill(), master.kill(), broker.kill()]);
  const gateway = await GatewayProcess.start(`
streams: { cam: { source: "${camera.url}", username: viewer, password: ${PASSWORD} } }
proxypublish: { targets: [ { targetUri: "${master.url()}" } ] }
mqtt: { url: "${broker.url}" }
limits: { stallMs: 3000 }
`);
  const streamIs = (state: string) => async () =>
    (await gateway.stream('cam'))?.status.state === state;
  const publishIs = (state: string) => async () =>
    (await gateway.publish('cam', '-live'))?.status.state === state;
  const bytes = async () => (await gateway.publish('cam', '-live'))?.status.bytes ?? 0;

  await t.test('nothing is there: the reasons say so', async () => {
    const entry = await gateway.until('unreachable', async () => {
      const stream = await gateway.stream('cam');
      return stream?.status.state === 'unreachable' ? stream : undefined;
    });
    assert.equal(entry.status.code, 'refused');
    assert.match(entry.status.reason, /nothing listens there/);
  });

  await t.test('the camera comes, then the master, then the broker', async () => {
    await camera.start();
    await gateway.until('online', streamIs('online'), 40_000);
    await gateway.until('the master is missed', async () => {
      const publish = await gateway.publish('cam', '-live');
      return publish?.status.code === 'refused' && publish.status.state === 'waiting';
    });
    await master.start();
    await gateway.until('publishing', publishIs('publishing'), 40_000);
    await broker.restart();
    const watcher = await MqttWatcher.open(broker.url);
    await gateway.until(
      'MQTT tells',
      async () => {
        const status = watcher.state.get('sluice/box/stream/cam/status');
        return watcher.state.get('sluice/box/state') === 'online' && status?.includes('"online"');
      },
      40_000,
    );
    await watcher.close();
  });

  await t.test(
    'the master is killed and comes back after 20 s: published again, bit for bit',
    async () => {
      await master.kill();
      await gateway.until('waiting', publishIs('waiting'));
      await sleep(MASTER_AWAY_MS);
      assert.equal((await gateway.stream('cam'))?.status.state, 'online');
      await master.start();
      await gateway.until('publishing', publishIs('publishing'), 40_000);
      const played = flvUnits(await play(`${master.url()}/cam`, 6));
      const { video, audio } = assertSameUnits(await camera.dump(), played);
      assert.ok(video > 50 && audio > 100, `${video} pictures, ${audio} audio frames`);
    },
  );

  await t.test('the camera is killed and comes back: the same session at the master', async () => {
    const before = (await gateway.publish('cam', '-live'))?.status.since;
    await camera.kill();
    await gateway.until('down', async () => !(await streamIs('online')()));
    await camera.start();
    await gateway.until('online', streamIs('online'), 40_000);
    const count = await bytes();
    await gateway.until('bytes flow', async () => (await bytes()) > count + 10_000, 30_000);
    const after = await gateway.publish('cam', '-live');
    assert.equal(after?.status.state, 'publishing');
    assert.equal(after?.status.since, before, 'the session was held');
  });

  await t.test('the camera falls silent: stalled within seconds, and online again', async () => {
    const since = performance.now();
    camera.pause();
    const entry = await gateway.until('stalled', async () => {
      const stream = await gateway.stream('cam');
      return stream?.status.state === 'stalled' ? stream : undefined;
    });
    assert.ok(performance.now() - since < 3_000 + 2_500, `${performance.now() - since} ms`);
    assert.equal(entry.status.code, 'no-data');
    camera.resume();
    await gateway.until('online', streamIs('online'), 60_000);
  });

  await t.test(
    'the broker is killed and comes back empty: the streams do not notice, the state is told',
    async () => {
      await broker.kill();
      const since = (await gateway.stream('cam'))?.status.since;
      const count = await bytes();
      await gateway.until('bytes flow', async () => (await bytes()) > count + 10_000, 30_000);
      await broker.restart();
      const watcher = await MqttWatcher.open(broker.url);
      await gateway.until(
        'MQTT tells',
        async () => {
          const status = watcher.state.get('sluice/box/stream/cam/status');
          return watcher.state.get('sluice/box/state') === 'online' && status?.includes('"online"');
        },
        60_000,
      );
      assert.equal((await gateway.stream('cam'))?.status.since, since);
      await watcher.close();
    },
  );

  await t.test('it ends within 2 s, and the password was not logged', async () => {
    const { code, ms } = await gateway.stop();
    assert.equal(code, 0);
    assert.ok(ms < 2_000, `${ms} ms`);
    assert.ok(!gateway.log.includes(PASSWORD));
    assert.ok(gateway.log.length > 0);
  });
  await Promise.all([camera[Symbol.asyncDispose](), master[Symbol.asyncDispose](), broker.stop()]);
});
