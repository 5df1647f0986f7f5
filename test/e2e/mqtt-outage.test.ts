/** The broker is killed and away for an hour, by a clock that the test turns: memory stays bounded, and all is told right after. */
import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { setTimeout as realSleep, setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Mosquitto } from '../support/mosquitto.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { GATEWAY_ID, makeReporting, type Reporting, streamStatus } from '../support/reporting.ts';

const B = `sluice/${GATEWAY_ID}`;
const HOUR_S = 3600;
const STREAMS = 20;
/** What the garbage collector leaves is not the same twice; without bounds this hour is 30 MB. */
const MAX_GROWTH_BYTES = 3_000_000;
/** The longest pause of the supervisor, and as much again for chance. */
const MAX_BACK_S = 120;

it('an hour without the broker', async (t) => {
  const broker = await Mosquitto.start();
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_700_000_000_000 });
  const reporting = makeReporting({ url: broker.url });
  const { board, reporter } = reporting;
  for (let n = 0; n < STREAMS; n += 1) board.setStreamStatus(`s-${n}`, streamStatus());
  board.setStreamStatus('gone', streamStatus());
  await reporter.start();
  await turnClockUntil(t, () => reporter.isConnected);
  await broker.kill();
  await turnClockUntil(t, () => !reporter.isConnected);

  const before = usedBytes();
  for (let second = 0; second < HOUR_S; second += 1) {
    changeEverything(reporting, second);
    t.mock.timers.tick(1_000);
    await turn();
  }
  board.removeStream('gone');
  const growth = usedBytes() - before;
  assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more`);

  await broker.restart();
  const watcher = await MqttWatcher.open(broker.url);
  const backS = await turnClockUntil(t, () => reporter.isConnected);
  assert.ok(backS <= MAX_BACK_S, `${backS} s`);
  await turnClockUntil(
    t,
    () => watcher.state.get(`${B}/event`)?.includes(`at ${HOUR_S - 1}`) ?? false,
  );
  for (let n = 0; n < STREAMS; n += 1) {
    const now = JSON.stringify(board.streams.get(`s-${n}`)?.status);
    assert.equal(watcher.state.get(`${B}/stream/s-${n}/status`), now);
  }
  assert.equal(watcher.state.get(`${B}/state`), 'online');
  const topics = watcher.heard.map(({ topic }) => topic);
  assert.ok(!topics.some((topic) => topic.includes('/found/') || topic.includes('/passing-')));
  assert.equal(watcher.state.has(`${B}/stream/gone/status`), false);

  const events = watcher.heard
    .filter(({ topic }) => topic === `${B}/event`)
    .map(({ text }) => JSON.parse(text) as { message: string; dropped?: number });
  assert.equal(events.length, 200);
  // One each second after the first burst was taken; the oldest of them gave way.
  assert.ok((events[0]?.dropped ?? 0) > HOUR_S - 300);
  assert.ok(events.slice(1).every(({ dropped }) => dropped === undefined));

  const stopped = reporter.stop();
  await turnClockUntil(t, () => watcher.state.get(`${B}/state`) === 'stopped');
  await stopped;
  await watcher.close();
  await broker.stop();
});

/** What a bad hour brings: every stream flaps, devices and streams come and go under ever new names, and all of it is an event. */
function changeEverything({ board }: Reporting, second: number): void {
  for (let n = 0; n < STREAMS; n += 1) {
    board.setStreamStatus(
      `s-${n}`,
      streamStatus({ state: 'connecting', attempts: second * 100 + n }),
    );
  }
  const device = { id: `cam-${second}`, via: ['mdns' as const], addresses: ['10.0.0.2'] };
  board.setFound({
    ...{ ...device, lastSeenAt: 'now' },
    ...{ code: 'undecided', reason: 'Nobody has decided.' },
  });
  board.removeFound(device.id);
  board.setStreamStatus(`passing-${second}`, streamStatus());
  board.removeStream(`passing-${second}`);
  for (let n = 0; n < 5; n += 1) {
    board.emit('event', { at: 'now', type: 'flap', message: `at ${second}, one of many` });
  }
}

/** Seconds of the turned clock that it took. The network lives by the real one. */
async function turnClockUntil(t: TestContext, condition: () => boolean): Promise<number> {
  const deadline = performance.now() + 30_000;
  let turnedMs = 0;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${turnedMs} ms`);
    t.mock.timers.tick(500);
    turnedMs += 500;
    await realSleep(20);
  }
  return turnedMs / 1000;
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
